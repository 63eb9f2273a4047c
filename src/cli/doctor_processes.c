#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/local_socket.h"
#include "base/memory.h"
#include "base/name.h"
#include "base/path.h"
#include "cli/doctor.h"
#include "store/session_dir.h"
#include "store/session_life.h"

#define CMDLINE_MAX 8192
#define ENVIRONMENT_MAX (1024 * 1024)
#define LEAVE_MS 3000
#define GRACE_MS 1000

enum role { ROLE_KEEPER, ROLE_HOST, ROLE_PROGRAM };

struct process {
    pid_t pid;
    enum role role;
    char uuid[UUID_SIZE];
};

struct processes {
    struct process *all;
    size_t count, room;
};

/* ---- reading /proc ---- */

static char *read_of(pid_t pid, const char *what, size_t limit, size_t *length)
{
    char path[64], *text = NULL;

    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    return path_read_file(path, limit, &text, length, NULL) == 0 ? text : NULL;
}

/* "ganger-host UUID FOLDER": whether the folder is one of this state folder. */
static bool is_ours(const char *text, size_t length, const char *state_dir, struct process *process)
{
    const char *uuid = text + strlen(text) + 1, *folder;
    bool host = strcmp(text, "ganger-host") == 0;
    char *own;
    bool same;

    if ((!host && strcmp(text, "ganger-keeper") != 0) || (size_t)(uuid - text) >= length || !uuid_valid(uuid))
        return false;
    folder = uuid + UUID_SIZE;
    if ((size_t)(folder - text) >= length)
        return false;
    own = session_dir_path(state_dir, uuid);
    same = strcmp(own, folder) == 0;
    free(own);
    process->role = host ? ROLE_HOST : ROLE_KEEPER;
    memcpy(process->uuid, uuid, UUID_SIZE);
    return same;
}

/* NULL when the environment does not have the variable. */
static const char *value_of(const char *text, size_t length, const char *variable)
{
    size_t name = strlen(variable);

    for (size_t at = 0; at < length; at += strlen(text + at) + 1) {
        if (strncmp(text + at, variable, name) == 0 && text[at + name] == '=')
            return text + at + name + 1;
    }
    return NULL;
}

/* A program of a session, as its environment says; sessions of other state folders are known by their folder. One that may go on
 * after its agent (agents.NAME.keep_children) is nobody's. */
static bool belongs(pid_t pid, const char *state_dir, struct process *process)
{
    size_t length = 0;
    char *text = read_of(pid, "environ", ENVIRONMENT_MAX, &length), *folder;
    const char *uuid = text == NULL ? NULL : value_of(text, length, "GANGER_SESSION");
    const char *kept = uuid == NULL ? NULL : value_of(text, length, "GANGER_KEEP_CHILDREN");
    bool found = uuid != NULL && uuid_valid(uuid) && (kept == NULL || strcmp(kept, "1") != 0);

    if (found) {
        memcpy(process->uuid, uuid, UUID_SIZE);
        process->role = ROLE_PROGRAM;
        folder = session_dir_path(state_dir, uuid);
        found = access(folder, F_OK) == 0;
        free(folder);
    }
    free(text);
    return found;
}

static void look_at(struct processes *found, pid_t pid, const char *state_dir)
{
    size_t length = 0;
    char *text = read_of(pid, "cmdline", CMDLINE_MAX, &length);
    struct process process = {.pid = pid};
    bool wanted = text != NULL && length > 0 &&
                  (is_ours(text, length, state_dir, &process) || belongs(pid, state_dir, &process));

    free(text);
    if (!wanted)
        return;
    if (found->count == found->room) {
        found->room = found->room == 0 ? 64 : found->room * 2;
        found->all = xreallocarray(found->all, found->room, sizeof *found->all);
    }
    found->all[found->count++] = process;
}

static struct processes list_processes(const char *state_dir)
{
    struct processes found = {0};
    DIR *entries = opendir("/proc");

    for (struct dirent *entry = entries != NULL ? readdir(entries) : NULL; entry != NULL;
         entry = readdir(entries)) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        if (*end == '\0' && pid > 1 && pid != (long)getpid())
            look_at(&found, (pid_t)pid, state_dir);
    }
    if (entries != NULL)
        (void)closedir(entries);
    return found;
}

static bool has(const struct processes *found, enum role role, const char *uuid)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->all[i].role == role && strcmp(found->all[i].uuid, uuid) == 0)
            return true;
    }
    return false;
}

/* ---- hosts ---- */

static bool still_host(const char *state_dir, const struct process *host)
{
    size_t length = 0;
    char *text = read_of(host->pid, "cmdline", CMDLINE_MAX, &length);
    struct process process;
    bool same = text != NULL && length > 0 && is_ours(text, length, state_dir, &process) &&
                process.role == ROLE_HOST && strcmp(process.uuid, host->uuid) == 0;

    free(text);
    return same;
}

static bool leaves(const char *state_dir, const struct process *host, int timeout_ms)
{
    int64_t deadline = clock_monotonic_ns() + timeout_ms * INT64_C(1000000);

    while (still_host(state_dir, host)) {
        if (clock_monotonic_ns() >= deadline)
            return false;
        (void)poll(NULL, 0, 20);
    }
    return true;
}

/* A host whose keeper is gone ends its session and leaves by itself, unless it hangs. */
static void check_keeper(struct doctor *doctor, const char *state_dir, const struct process *host)
{
    struct error error;
    bool left;

    if (leaves(state_dir, host, GRACE_MS))
        return;
    if (doctor->mend) {
        (void)kill(host->pid, SIGTERM);
        (void)kill(host->pid, SIGCONT);
        left = leaves(state_dir, host, LEAVE_MS);
        if (!left) {
            (void)kill(host->pid, SIGKILL);
            left = leaves(state_dir, host, GRACE_MS);
        }
        (void)error_set(&error, "process %d does not end", (int)host->pid);
    } else {
        left = false;
    }
    doctor_fault(doctor, "processes", HEALTH_WARN, left ? "ended" : NULL, doctor->mend ? &error : NULL,
                 "the host of %s (process %d) goes on without its keeper", host->uuid, (int)host->pid);
}

static bool is_installed(pid_t pid, const struct stat *installed)
{
    char path[64];
    struct stat its;

    (void)snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return stat(path, &its) < 0 || (its.st_ino == installed->st_ino && its.st_dev == installed->st_dev);
}

static void check_hosts(struct doctor *doctor, const struct processes *found, const char *state_dir)
{
    char *path = path_installed("ganger-host", NULL);
    struct stat installed;
    bool known = path != NULL && stat(path, &installed) == 0;
    unsigned older = 0;

    for (size_t i = 0; i < found->count; i++) {
        const struct process *process = &found->all[i];
        if (process->role != ROLE_HOST)
            continue;
        older += known && !is_installed(process->pid, &installed);
        if (!has(found, ROLE_KEEPER, process->uuid))
            check_keeper(doctor, state_dir, process);
    }
    if (older > 0)
        doctor_note(doctor, "processes", HEALTH_WARN, "ganger upgrade",
                    "%u host%s of another version of ganger than the one that is installed", older,
                    older == 1 ? " is" : "s are");
    free(path);
}

/* ---- what sessions left running ---- */

/* Neither alive nor about to be, and not the one within which this runs. */
static bool is_gone(const char *state_dir, const char *uuid)
{
    const char *own = getenv("GANGER_SESSION");

    return (own == NULL || strcmp(own, uuid) != 0) &&
           session_life(state_dir, uuid, NULL, NULL) == SESSION_GONE;
}

/* Signals those of the session that are still there, and returns how many. */
static unsigned signal_left(const struct processes *found, const char *state_dir, const char *uuid,
                            int number)
{
    unsigned count = 0;

    for (size_t i = 0; i < found->count; i++) {
        struct process process = found->all[i];
        if (process.role == ROLE_PROGRAM && strcmp(process.uuid, uuid) == 0 &&
            belongs(process.pid, state_dir, &process) && strcmp(process.uuid, uuid) == 0 &&
            kill(process.pid, number) == 0)
            count++;
    }
    return count;
}

/* Only programs of this very session: one of another may have been started from within it. Returns whether all have ended. */
static bool end_left(const struct processes *found, const char *state_dir, const char *uuid)
{
    int64_t deadline = clock_monotonic_ns() + GRACE_MS * INT64_C(1000000);

    (void)signal_left(found, state_dir, uuid, SIGTERM);
    (void)signal_left(found, state_dir, uuid, SIGCONT);
    while (signal_left(found, state_dir, uuid, 0) > 0 && clock_monotonic_ns() < deadline)
        (void)poll(NULL, 0, 20);
    (void)signal_left(found, state_dir, uuid, SIGKILL);
    deadline = clock_monotonic_ns() + GRACE_MS * INT64_C(1000000);
    while (signal_left(found, state_dir, uuid, 0) > 0) {
        if (clock_monotonic_ns() >= deadline)
            return false;
        (void)poll(NULL, 0, 20);
    }
    return true;
}

/* How many programs of this session were found; 0 when it was counted before. */
static unsigned count_of(const struct processes *found, size_t place)
{
    unsigned count = 0;

    for (size_t i = 0; i < found->count; i++) {
        if (found->all[i].role != ROLE_PROGRAM || strcmp(found->all[i].uuid, found->all[place].uuid) != 0)
            continue;
        if (i < place)
            return 0;
        count++;
    }
    return count;
}

static void check_left(struct doctor *doctor, const struct processes *found, const char *state_dir)
{
    for (size_t i = 0; i < found->count; i++) {
        const char *uuid = found->all[i].uuid;
        unsigned count = found->all[i].role == ROLE_PROGRAM ? count_of(found, i) : 0;
        struct error error;
        bool ended;
        if (count == 0 || !is_gone(state_dir, uuid))
            continue;
        ended = doctor->mend && end_left(found, state_dir, uuid);
        (void)error_set(&error, "they do not end");
        doctor_fault(doctor, "processes", HEALTH_WARN, ended ? "ended" : NULL, doctor->mend ? &error : NULL,
                     "%u process%s of session %s, which is gone", count, count == 1 ? " goes on" : "es go on",
                     uuid);
    }
}

void doctor_check_processes(struct doctor *doctor, const char *state_dir)
{
    struct processes found = list_processes(state_dir);

    check_hosts(doctor, &found, state_dir);
    check_left(doctor, &found, state_dir);
    free(found.all);
}

/* ---- sockets ---- */

/* The file of a socket that nobody serves, UUID.sock or UUID.hook. */
static bool is_stale(const char *state_dir, const char *runtime_dir, const char *name)
{
    char uuid[UUID_SIZE];
    struct error error = {0};
    int socket;

    if (strlen(name) != UUID_SIZE - 1 + 5)
        return false;
    (void)strlcpy(uuid, name, sizeof uuid);
    if (!uuid_valid(uuid) ||
        (strcmp(name + UUID_SIZE - 1, ".sock") != 0 && strcmp(name + UUID_SIZE - 1, ".hook") != 0) ||
        session_dir_alive(state_dir, uuid, NULL) != 0)
        return false;
    socket = local_socket_connect(runtime_dir, name, &error);
    if (socket >= 0)
        close(socket);
    return socket < 0 && error.code == ECONNREFUSED;
}

void doctor_check_sockets(struct doctor *doctor, const char *state_dir, const char *runtime_dir)
{
    DIR *folder = opendir(runtime_dir);

    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL;
         entry = readdir(folder)) {
        struct error error;
        bool removed = false;
        if (!is_stale(state_dir, runtime_dir, entry->d_name))
            continue;
        if (doctor->mend) {
            removed = unlinkat(dirfd(folder), entry->d_name, 0) == 0 || errno == ENOENT;
            (void)error_errno(&error, "cannot remove it");
        }
        doctor_fault(doctor, "socket", HEALTH_WARN, removed ? "removed" : NULL, doctor->mend ? &error : NULL,
                     "%s is left over: nobody serves it", entry->d_name);
    }
    if (folder != NULL)
        (void)closedir(folder);
}
