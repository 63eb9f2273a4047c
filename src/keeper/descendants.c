#include "keeper/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Looking again, when a parent vanished between the reading of it and of its child. */
#define LOOKS 10

static bool read_process(int proc, const char *name, struct process *process)
{
    char path[32], text[512], state, *rest;
    int file, threads, parent, group;
    ssize_t got;

    (void)snprintf(path, sizeof path, "%.16s/stat", name);
    file = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    got = read(file, text, sizeof text - 1);
    (void)close(file);
    if (got <= 0)
        return false;
    text[got] = '\0';
    /* The command's name may hold anything, ")" too. */
    rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest + 1, " %c %d %d%*d%*d%*d%*u%*u%*u%*u%*u%*u%*u%*d%*d%*d%*d%d", &state,
                               &parent, &group, &threads) != 4)
        return false;
    /* A process whose first thread ended looks like a zombie while others run. */
    *process = (struct process){.pid = (pid_t)atoi(name), .parent = parent, .group = group};
    process->alive = (state != 'Z' && state != 'X') || threads > 1;
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const struct process *one = a, *other = b;

    return (one->pid > other->pid) - (one->pid < other->pid);
}

static struct process *read_processes(size_t *count)
{
    struct process *list = NULL, *more;
    size_t room = 0;
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    *count = 0;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        if (*count == room) {
            more = realloc(list, (room + 256) * sizeof *list);
            if (more == NULL)
                break;
            list = more;
            room += 256;
        }
        *count += read_process(dirfd(proc), entry->d_name, &list[*count]);
    }
    if (proc != NULL)
        (void)closedir(proc);
    if (list != NULL)
        qsort(list, *count, sizeof *list, by_pid);
    return list;
}

/* Marks what descends from the keeper but not from the host. False when a chain of parents is broken. */
static bool mark_ours(const struct keeper *keeper, struct process *list, size_t count)
{
    bool whole = true;
    pid_t self = getpid();

    for (size_t i = 0; i < count; i++) {
        const struct process *at = &list[i];
        for (size_t steps = 0; at != NULL && steps <= count; steps++) {
            if (at->pid == keeper->host.pid || at->pid == self || at->parent == 0)
                break;
            if (at->parent == self) {
                list[i].ours = true;
                break;
            }
            at = bsearch(&(struct process){.pid = at->parent}, list, count, sizeof *list, by_pid);
        }
        whole = whole && at != NULL;
    }
    return whole;
}

static size_t look(const struct keeper *keeper, pid_t group, int signal, bool *whole)
{
    size_t count, found = 0;
    struct process *list = read_processes(&count);

    *whole = mark_ours(keeper, list, count);
    for (size_t i = 0; i < count; i++) {
        const struct process *process = &list[i];
        if (!process->ours || !process->alive || (group != 0 && process->group != group))
            continue;
        if (kill(process->pid, signal) == 0)
            found++;
    }
    free(list);
    return found;
}

size_t descendants_signal(const struct keeper *keeper, pid_t group, int signal)
{
    bool whole = false;
    size_t found = look(keeper, group, signal, &whole);

    /* "None" is looked at twice: a child may be born, with a low number, behind the reader's back. */
    if (found == 0)
        found = look(keeper, group, signal, &whole);
    for (int i = 0; i < LOOKS && found == 0 && !whole; i++)
        found = look(keeper, group, signal, &whole);
    return found;
}
