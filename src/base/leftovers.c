#include "base/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buffer.h"

#define ENVIRONMENT_MAX (1024 * 1024)
#define STEP_MS 20
#define KILLED_MS 100 /* until the last one that was killed is gone */

static bool carries(pid_t pid, const char *variable)
{
    char path[64];
    struct buffer text;
    bool found = false;
    ssize_t got = 1;
    int file;

    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    buffer_init(&text);
    while (got > 0 && text.length < ENVIRONMENT_MAX) {
        got = read(file, buffer_reserve(&text, 8192), 8192);
        text.length += got > 0 ? (size_t)got : 0;
    }
    close(file);
    *buffer_reserve(&text, 0) = '\0';
    for (size_t at = 0; at < text.length && !found; at += strlen(text.bytes + at) + 1)
        found = strcmp(text.bytes + at, variable) == 0;
    buffer_finish(&text);
    return found;
}

static int signal_all(const char *variable, int number)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    int found = 0;

    if (processes == NULL)
        return 0;
    while ((entry = readdir(processes)) != NULL) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        if (*end != '\0' || pid <= 1 || pid == (long)getpid() || !carries((pid_t)pid, variable))
            continue;
        if (kill((pid_t)pid, number) == 0)
            found++;
    }
    (void)closedir(processes);
    return found;
}

static void await_none(const char *variable, int limit_ms)
{
    for (int waited = 0; waited < limit_ms && signal_all(variable, 0) > 0; waited += STEP_MS)
        (void)poll(NULL, 0, STEP_MS);
}

int leftovers_end(const char *uuid, int grace_ms)
{
    char variable[64];
    int found;

    (void)snprintf(variable, sizeof variable, "GANGER_SESSION=%s", uuid);
    found = signal_all(variable, SIGTERM);
    (void)signal_all(variable, SIGCONT);
    await_none(variable, grace_ms);
    if (signal_all(variable, SIGKILL) > 0)
        await_none(variable, KILLED_MS);
    return found;
}
