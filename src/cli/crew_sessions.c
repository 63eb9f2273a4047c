#include "cli/crew_sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "store/session_dir.h"
#include "store/session_life.h"

#define POLL_MS 20
#define ASK_MS 2000

/* STATE/crews/SHA-256.lock, opened. */
static int open_lock(const char *path, struct error *error)
{
    char digest[SHA256_DIGEST_STRING_LENGTH], *folder = path_join(cli_state_dir(), "crews"), *file;
    int lock = -1;

    if (path_make_dirs(folder, 0700, error) == 0) {
        (void)SHA256Data((const uint8_t *)path, strlen(path), digest);
        file = xasprintf("%s/%s.lock", folder, digest);
        lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock < 0)
            (void)error_errno(error, "cannot open %s", file);
        free(file);
    }
    free(folder);
    return lock;
}

int crew_lock(const char *path, const char *command, struct error *error)
{
    int lock = open_lock(path, error), locked;

    if (lock < 0)
        return -1;
    locked = flock(lock, LOCK_EX | LOCK_NB);
    if (locked < 0 && errno == EWOULDBLOCK) {
        (void)fprintf(stderr, "ganger: %s: waiting for another command that changes this crew\n", command);
        while ((locked = flock(lock, LOCK_EX)) < 0 && errno == EINTR)
            continue;
    }
    if (locked == 0)
        return lock;
    (void)error_errno(error, "cannot lock the crew");
    close(lock);
    return -1;
}

void crew_await_start(const char *uuid)
{
    int64_t deadline = clock_monotonic_ns() + (SESSION_START_S + 1) * 1000000000LL;

    while (session_life(cli_state_dir(), uuid, NULL, NULL) == SESSION_STARTING &&
           clock_monotonic_ns() < deadline)
        (void)poll(NULL, 0, POLL_MS);
}

char *crew_phase(const char *uuid, const json_t *session)
{
    struct error error;
    json_t *asked =
        session_dir_alive(cli_state_dir(), uuid, NULL) == 1 ? cli_session(uuid, ASK_MS, &error) : NULL;
    char *phase = xstrdup(json_member_string(asked != NULL ? asked : session, "phase", "unknown"));

    json_decref(asked);
    return phase;
}

const char *crew_of(const json_t *session)
{
    return json_member_string(json_object_get(session, "start"), "crew", "");
}

json_t *crew_sessions(const char *path, struct error *error)
{
    json_t *list = session_dir_list(cli_state_dir(), NULL, error), *found, *entry;
    size_t index;

    if (list == NULL)
        return NULL;
    found = json_array();
    json_array_foreach(list, index, entry)
    {
        json_t *session = session_dir_read(cli_state_dir(), json_member_string(entry, "id", ""), NULL);
        if (session != NULL && strcmp(crew_of(session), path) == 0)
            (void)json_array_append(found, session);
        json_decref(session);
    }
    json_decref(list);
    return found;
}
