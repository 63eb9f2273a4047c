#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OOM_SCORE_ADDED 300

/* `count` strings from *at on, in an array that ends with NULL. */
static char **take_strings(char **at, char *end, size_t count)
{
    char **strings;

    if (count > (size_t)(end - *at))
        return NULL;
    strings = calloc(count + 1, sizeof *strings);
    for (size_t i = 0; strings != NULL && i < count; i++) {
        char *nul = memchr(*at, '\0', (size_t)(end - *at));
        if (nul == NULL) {
            free(strings);
            return NULL;
        }
        strings[i] = *at;
        *at = nul + 1;
    }
    return strings;
}

int launch_parse(struct launch *launch, const struct packet *packet)
{
    char *payload = (char *)(uintptr_t)packet->payload;
    char *end = payload + packet->message.length;
    struct keeper_spawn spawn;
    char **folder = NULL;

    *launch = (struct launch){0};
    if (packet->message.length < sizeof spawn)
        return -1;
    memcpy(&spawn, payload, sizeof spawn);
    payload += sizeof spawn;
    folder = take_strings(&payload, end, 1);
    if (folder == NULL)
        return -1;
    launch->folder = folder[0];
    free(folder);
    launch->argv = take_strings(&payload, end, spawn.arguments);
    launch->unset = take_strings(&payload, end, spawn.unset);
    launch->set = take_strings(&payload, end, spawn.set);
    if (launch->argv != NULL && launch->unset != NULL && launch->set != NULL && spawn.arguments > 0)
        return 0;
    launch_finish(launch);
    return -1;
}

void launch_finish(struct launch *launch)
{
    free(launch->argv);
    free(launch->unset);
    free(launch->set);
    *launch = (struct launch){0};
}

static _Noreturn void fail(int report, int step)
{
    int text[2] = {step, errno};

    while (write(report, text, sizeof text) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

/* The agent rather than its keeper and host, when memory runs out. */
static void raise_oom_score(void)
{
    char text[16] = "";
    int file = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    int score;

    if (file < 0)
        return;
    if (read(file, text, sizeof text - 1) > 0) {
        score = atoi(text) + OOM_SCORE_ADDED;
        (void)dprintf(file, "%d\n", score < 1000 ? score : 1000);
    }
    (void)close(file);
}

static void set_environment(const struct keeper *keeper, const struct launch *launch)
{
    char folder[4096];

    if (getcwd(folder, sizeof folder) != NULL)
        (void)setenv("PWD", folder, 1);
    for (char **name = launch->unset; *name != NULL; name++)
        (void)unsetenv(*name);
    for (char **entry = launch->set; *entry != NULL; entry++)
        (void)putenv(*entry);
    (void)setenv("GANGER_SESSION", keeper->uuid, 1);
}

/* Like execvp, but a file without #! is not given to a shell. Returns with errno set. */
static void exec_in_path(char **argv)
{
    const char *path = getenv("PATH");
    size_t name = strlen(argv[0]);
    int found = ENOENT;

    if (strchr(argv[0], '/') != NULL || name == 0) {
        (void)execv(argv[0], argv);
        return;
    }
    path = path != NULL ? path : "/usr/local/bin:/usr/bin:/bin";
    for (const char *end; path != NULL; path = *end == ':' ? end + 1 : NULL) {
        char file[4096];
        int folder;
        end = strchrnul(path, ':');
        folder = (int)(end - path);
        if ((size_t)snprintf(file, sizeof file, "%.*s/%s", folder > 0 ? folder : 1, folder > 0 ? path : ".",
                             argv[0]) >= sizeof file)
            continue;
        (void)execv(file, argv);
        if (errno != ENOENT && errno != ENOTDIR)
            found = errno;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            break;
    }
    errno = found;
}

_Noreturn void launch_run(const struct keeper *keeper, const struct launch *launch, int slave,
                          const int stdio[3], int report)
{
    if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
        fail(report, 'p');
    for (int i = 0; i < 3; i++) {
        if (dup2(stdio[i], i) < 0)
            fail(report, 'p');
    }
    (void)umask(keeper->user_umask);
    keeper_reset_signals();
    raise_oom_score();
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (launch->folder[0] != '\0' && chdir(launch->folder) != 0)
        fail(report, 'd');
    set_environment(keeper, launch);
    exec_in_path(launch->argv);
    fail(report, 'e');
}
