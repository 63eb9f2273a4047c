#include "host/side_files_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/host.h"
#include "host/process_tree.h"

#define PROCESSES_MAX 64
#define FIRST_LINE_MAX (256 * 1024)
#define SESSIONS_MAX 500
#define SESSION_MAX (256 * 1024)
/* A file may have been named a little before the attempt's time was taken. */
#define SLACK_MS 2000

int side_file_open(const char *path, int64_t *size)
{
    /* Opening a FIFO must not wait for a writer. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;

    if (file < 0)
        return -1;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid()) {
        *size = status.st_size;
        return file;
    }
    close(file);
    return -1;
}

/* ---- the agent's folder ---- */

/* A process may hide its environment; that of the first is ours with some changes. */
static char *variable_of(const pid_t *pids, size_t count, const char *name)
{
    const char *inherited = getenv(name);

    for (size_t i = 0; i < count; i++) {
        char *value = process_variable(pids[i], name);
        if (value != NULL && *value == '/')
            return value;
        free(value);
    }
    return inherited != NULL && *inherited == '/' ? xstrdup(inherited) : NULL;
}

static char *home_of(const struct host *host, const pid_t *pids, size_t count)
{
    const struct agent_file *file = host->driver->file;
    char *home = variable_of(pids, count, file->home_variable), *base;

    if (home != NULL)
        return home;
    base = variable_of(pids, count, "HOME");
    home = base == NULL ? NULL : path_join(base, file->home);
    free(base);
    return home;
}

/* ---- by process ---- */

static char *find_by_pid(const struct host *host, const char *home, const pid_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s/%d.json", home, host->driver->file->by_pid, (int)pids[i]);
        struct stat status;
        /* An older one is of another process that had the number. */
        if (lstat(path, &status) == 0 &&
            (int64_t)status.st_mtime * 1000 >= host->attempt.started_ms - SLACK_MS)
            return path;
        free(path);
    }
    return NULL;
}

struct newest {
    const struct agent_file *file;
    char *path;
    int64_t begun_ms;
};

static int take_newest(void *argument, const char *path)
{
    struct newest *newest = argument;
    int64_t begun = newest->file->begun_ms(path);

    if (begun > newest->begun_ms) {
        free(newest->path);
        newest->path = xstrdup(path);
        newest->begun_ms = begun;
    }
    return 0;
}

static char *find_open(const struct host *host, const pid_t *pids, size_t count)
{
    struct newest newest = {.file = host->driver->file, .begun_ms = -1};

    for (size_t i = 0; i < count; i++)
        (void)process_files(pids[i], take_newest, &newest);
    return newest.path;
}

/* ---- by time and folder ---- */

/* Another session of ganger follows that conversation. */
static bool is_taken(const struct host *host, const char *path)
{
    const char *end = strrchr(path, '.');
    char *folder = path_join(host->state_dir, "sessions"), *id;
    const struct dirent *entry;
    bool taken = false;
    int looked = 0;
    DIR *sessions = opendir(folder);

    id = end == NULL || end - path < 36 ? NULL : xstrndup(end - 36, 36);
    while (sessions != NULL && id != NULL && !taken && looked < SESSIONS_MAX &&
           (entry = readdir(sessions)) != NULL) {
        char *file, *text;
        size_t length;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, host->uuid) == 0)
            continue;
        file = xasprintf("%s/%s/session.json", folder, entry->d_name);
        looked++;
        if (path_read_file(file, SESSION_MAX, &text, &length, NULL) == 0) {
            taken = strstr(text, id) != NULL;
            free(text);
        }
        free(file);
    }
    if (sessions != NULL)
        (void)closedir(sessions);
    free(folder);
    free(id);
    return taken;
}

static bool is_of_session(const struct host *host, const char *path)
{
    const char *cwd = json_member_string(host->session.object, "cwd", ""), *end;
    char *text = xmalloc(FIRST_LINE_MAX);
    int64_t size;
    int file = side_file_open(path, &size);
    ssize_t got = file < 0 ? -1 : read(file, text, FIRST_LINE_MAX);
    json_t *first = NULL;
    bool is = false;

    if (file >= 0)
        close(file);
    end = got > 0 ? memchr(text, '\n', (size_t)got) : NULL;
    if (end != NULL)
        first = json_loadb(text, (size_t)(end - text), 0, NULL);
    if (first != NULL)
        is = host->driver->file->is_of(first, cwd);
    json_decref(first);
    free(text);
    return is;
}

/* The conversation that is resumed, or the first one that was begun in the working folder since the attempt. */
static char *find_in_day(const struct host *host, const char *folder)
{
    const char *resumed = json_member_string(host->session.object, "agent_session_id", NULL);
    int64_t best = INT64_MAX;
    char *found = NULL;
    const struct dirent *entry;
    DIR *day = opendir(folder);

    while (day != NULL && (entry = readdir(day)) != NULL) {
        int64_t begun = host->driver->file->begun_ms(entry->d_name);
        bool known = resumed != NULL && strstr(entry->d_name, resumed) != NULL;
        char *path;
        if (begun < 0 || begun >= best || (!known && begun < host->attempt.started_ms - SLACK_MS))
            continue;
        path = path_join(folder, entry->d_name);
        if (known || (is_of_session(host, path) && !is_taken(host, path))) {
            free(found);
            found = path;
            best = known ? 0 : begun;
        } else {
            free(path);
        }
    }
    if (day != NULL)
        (void)closedir(day);
    return found;
}

static char *find_by_day(const struct host *host, const char *home)
{
    const char *id = json_member_string(host->session.object, "agent_session_id", "");
    const time_t now = (time_t)(clock_realtime_ms() / 1000);
    const time_t resumed = (time_t)(host->driver->file->id_ms(id) / 1000);
    const time_t days[] = {resumed > 0 ? resumed : now, now, now - 86400};
    char *found = NULL;

    for (size_t i = 0; i < sizeof days / sizeof days[0] && found == NULL; i++) {
        char day[16], *folder;
        struct tm when;
        if (localtime_r(&days[i], &when) == NULL || strftime(day, sizeof day, "%Y/%m/%d", &when) == 0)
            continue;
        folder = xasprintf("%s/%s/%s", home, host->driver->file->by_day, day);
        found = find_in_day(host, folder);
        free(folder);
    }
    return found;
}

char *side_file_find(struct host *host)
{
    const struct agent_file *file = host->driver->file;
    pid_t pids[PROCESSES_MAX];
    size_t count = process_tree_list(host->attempt.pid, pids, PROCESSES_MAX);
    char *found = file->grows ? find_open(host, pids, count) : NULL, *home;

    if (found != NULL)
        return found;
    home = home_of(host, pids, count);
    if (home != NULL && file->by_pid != NULL)
        found = find_by_pid(host, home, pids, count);
    if (home != NULL && found == NULL && file->by_day != NULL)
        found = find_by_day(host, home);
    free(home);
    return found;
}
