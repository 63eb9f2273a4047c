#include "store/session_life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/session_dir.h"

bool session_phase_ended(const char *phase)
{
    static const char *const ended[] = {"completed", "failed", "timeout", "cancelled", "killed", "lost"};

    for (size_t i = 0; i < sizeof ended / sizeof ended[0]; i++) {
        if (strcmp(phase, ended[i]) == 0)
            return true;
    }
    return false;
}

int session_dir_alive(const char *state_dir, const char *uuid, struct error *error)
{
    char *folder = session_dir_path(state_dir, uuid), *path = path_join(folder, SESSION_LOCK);
    int lock = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int result = 0;

    if (lock < 0 && errno != ENOENT) {
        result = error_errno(error, "cannot tell whether the session lives: cannot open %s", path);
    } else if (lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) < 0) {
        result =
            errno == EWOULDBLOCK ? 1 : error_errno(error, "cannot tell whether the session lives: %s", path);
    }
    if (lock >= 0)
        close(lock);
    free(path);
    free(folder);
    return result;
}

static int open_lock(int folder)
{
    static const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int lock = openat(folder, SESSION_LOCK, flags, 0600);

    /* No keeper can have locked what is no file: it is put aside. */
    if (lock < 0 && (errno == EISDIR || errno == ELOOP || errno == ENXIO) &&
        renameat(folder, SESSION_LOCK, folder, SESSION_LOCK ".damaged") == 0)
        lock = openat(folder, SESSION_LOCK, flags, 0600);
    return lock;
}

int session_dir_lock(int folder, const char *uuid, int *lock, struct error *error)
{
    *lock = open_lock(folder);
    if (*lock < 0)
        return error_errno(error, "cannot lock session %s", uuid);
    for (int tries = 0; tries < 200; tries++) {
        if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_errno(error, "cannot lock session %s", uuid);
        if (flock(*lock, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
            break;
        (void)poll(NULL, 0, 1);
    }
    return error_set(error, "session %s is running: end it with `ganger kill` first", uuid);
}

/* A host wrote this, which begins after the keeper has taken the lock. */
static bool has_begun(const json_t *session)
{
    return json_is_integer(json_object_get(session, "host_pid")) ||
           json_is_integer(json_object_get(session, "pid")) || json_member_integer(session, "attempt", 0) > 0;
}

bool session_starting(const char *state_dir, const char *uuid, const json_t *session)
{
    char *folder, *path;
    struct stat status;
    int64_t age_ms;
    bool found;

    if (strcmp(json_member_string(session, "phase", ""), "initializing") != 0 || has_begun(session))
        return false;
    folder = session_dir_path(state_dir, uuid);
    path = path_join(folder, SESSION_FILE);
    found = stat(path, &status) == 0;
    free(path);
    free(folder);
    if (!found)
        return false;
    age_ms = clock_realtime_ms() - ((int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000);
    return age_ms > -SESSION_START_S * 1000 && age_ms < SESSION_START_S * 1000;
}

bool session_host_is(pid_t pid, const char *uuid)
{
    char *path = xasprintf("/proc/%d/cmdline", (int)pid), *text = NULL;
    size_t length = 0;
    bool result = pid > 1 && path_read_file(path, 4096, &text, &length, NULL) == 0 && length > UUID_SIZE &&
                  strcmp(text, "ganger-host") == 0 &&
                  strncmp(text + strlen(text) + 1, uuid, length - strlen(text) - 1) == 0;

    free(text);
    free(path);
    return result;
}

bool session_host_runs(const char *uuid, const json_t *session)
{
    return session_host_is((pid_t)json_member_integer(session, "host_pid", 0), uuid);
}

int session_life(const char *state_dir, const char *uuid, const json_t *session, struct error *error)
{
    int alive = session_dir_alive(state_dir, uuid, error);
    json_t *own;
    bool starting, ending;

    if (alive != 0)
        return alive < 0 ? -1 : SESSION_ALIVE;
    own = session != NULL ? NULL : session_dir_read(state_dir, uuid, NULL);
    starting = session_starting(state_dir, uuid, session != NULL ? session : own);
    ending = session_host_runs(uuid, session != NULL ? session : own);
    json_decref(own);
    if (starting || ending)
        return starting ? SESSION_STARTING : SESSION_ALIVE;
    /* A keeper may have taken the lock between the two looks. */
    alive = session_dir_alive(state_dir, uuid, error);
    return alive < 0 ? -1 : alive == 1 ? SESSION_ALIVE : SESSION_GONE;
}
