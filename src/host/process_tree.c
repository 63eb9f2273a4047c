#include "host/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/path.h"

#define ENVIRONMENT_MAX (1024 * 1024)
#define PROCESSES_MAX 65536

/* The start of a file of /proc, which has no size. Returns its length, or -1. */
static ssize_t read_start(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (file < 0)
        return -1;
    got = read(file, text, size - 1);
    close(file);
    if (got >= 0)
        text[got] = '\0';
    return got;
}

/* ---- descendants ---- */

static void add(pid_t pid, pid_t *pids, size_t *count, size_t max)
{
    for (size_t i = 0; i < *count; i++) {
        if (pids[i] == pid)
            return;
    }
    if (pid > 0 && *count < max)
        pids[(*count)++] = pid;
}

/* As the kernel lists them, for each thread; false when this kernel does not. */
static bool add_children(pid_t parent, pid_t *pids, size_t *count, size_t max)
{
    char path[64], text[4096];
    const struct dirent *thread;
    bool known = false;
    DIR *threads;

    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
    threads = opendir(path);
    if (threads == NULL)
        return true;
    while ((thread = readdir(threads)) != NULL) {
        char *at = text, *end;
        if (thread->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", (int)parent, thread->d_name);
        if (read_start(path, text, sizeof text) < 0)
            continue;
        known = true;
        for (long pid; (pid = strtol(at, &end, 10)) > 0 && end != at; at = end)
            add((pid_t)pid, pids, count, max);
    }
    (void)closedir(threads);
    return known;
}

struct kin {
    pid_t pid, parent;
};

static bool read_kin(const char *name, struct kin *kin)
{
    char path[64], text[512], *rest;
    int parent;

    (void)snprintf(path, sizeof path, "/proc/%.16s/stat", name);
    if (read_start(path, text, sizeof text) <= 0)
        return false;
    /* The command's name may hold anything, ")" too. */
    rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest + 1, " %*c %d", &parent) != 1)
        return false;
    *kin = (struct kin){.pid = (pid_t)atoi(name), .parent = parent};
    return true;
}

static struct kin *read_all(size_t *count)
{
    struct kin *list = NULL;
    size_t room = 0;
    const struct dirent *entry;
    DIR *proc = opendir("/proc");

    *count = 0;
    while (proc != NULL && *count < PROCESSES_MAX && (entry = readdir(proc)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        if (*count == room) {
            room += 256;
            list = xreallocarray(list, room, sizeof *list);
        }
        *count += read_kin(entry->d_name, &list[*count]);
    }
    if (proc != NULL)
        (void)closedir(proc);
    return list;
}

size_t process_tree_list(pid_t root, pid_t *pids, size_t max)
{
    size_t count = 0, known = 0;
    struct kin *all;

    add(root, pids, &count, max);
    for (size_t i = 0; i < count; i++) {
        if (!add_children(pids[i], pids, &count, max))
            break;
        if (i + 1 == count)
            return count;
    }
    all = read_all(&known);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < known; k++) {
            if (all[k].parent == pids[i])
                add(all[k].pid, pids, &count, max);
        }
    }
    free(all);
    return count;
}

/* ---- one process ---- */

char *process_variable(pid_t pid, const char *name)
{
    char path[64], *text = xmalloc(ENVIRONMENT_MAX), *value = NULL;
    size_t length = strlen(name), size = 0;
    ssize_t got = 1;
    int file;

    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    file = open(path, O_RDONLY | O_CLOEXEC);
    while (file >= 0 && got > 0 && size < ENVIRONMENT_MAX - 1) {
        got = read(file, text + size, ENVIRONMENT_MAX - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    if (file >= 0)
        close(file);
    text[size] = '\0';
    for (size_t at = 0; at < size && value == NULL; at += strlen(text + at) + 1) {
        if (strncmp(text + at, name, length) == 0 && text[at + length] == '=')
            value = xstrdup(text + at + length + 1);
    }
    free(text);
    return value;
}

int process_files(pid_t pid, int (*visit)(void *argument, const char *path), void *argument)
{
    char path[64], target[PATH_MAX];
    const struct dirent *entry;
    int result = 0;
    DIR *files;

    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    files = opendir(path);
    while (files != NULL && result == 0 && (entry = readdir(files)) != NULL) {
        ssize_t length = readlinkat(dirfd(files), entry->d_name, target, sizeof target - 1);
        if (length <= 0 || target[0] != '/')
            continue;
        target[length] = '\0';
        result = visit(argument, target);
    }
    if (files != NULL)
        (void)closedir(files);
    return result;
}
