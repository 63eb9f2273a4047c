#include "store/session_lost.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/leftovers.h"
#include "base/machine.h"
#include "base/name.h"
#include "base/path.h"
#include "store/session_dir.h"
#include "store/session_life.h"

/* Shorter than a keeper waits for the lock. */
#define LEFTOVERS_MS 250

bool session_lost_is_here(const json_t *session)
{
    char machine[HOST_NAME_MAX + 1] = "";
    const char *its = json_member_string(session, "machine", NULL);

    return its == NULL || *its == '\0' ||
           (gethostname(machine, sizeof machine - 1) == 0 && strcmp(its, machine) == 0);
}

/* session.json of a session that is lost but does not say so; NULL of any other. */
static json_t *read_lost(const char *state_dir, const char *uuid)
{
    json_t *session = session_dir_read(state_dir, uuid, NULL);

    if (session != NULL && !session_phase_ended(json_member_string(session, "phase", "")) &&
        session_lost_is_here(session) && !session_starting(state_dir, uuid, session) &&
        !session_host_runs(uuid, session))
        return session;
    json_decref(session);
    return NULL;
}

static bool is_rebooted(const json_t *session)
{
    char boot[MACHINE_BOOT_ID_SIZE];
    const char *its = json_member_string(session, "boot_id", NULL);

    return its != NULL && machine_boot_id(boot) == 0 && strcmp(its, boot) != 0;
}

static void describe(json_t *session)
{
    int64_t at = clock_realtime_ms();
    const char *message = is_rebooted(session) ? "the machine was started anew while the session ran"
                                               : "the processes of the session are gone";
    char *hint = name_in_hint("`ganger resume` goes on with it, `ganger retry` runs its last prompt again",
                              json_member_string(session, "name", "SESSION"));

    json_object_set_new(session, "phase", json_string("lost"));
    json_object_set_new(session, "phase_since", json_time_or_null(at));
    json_object_set_new(session, "phase_until", json_null());
    json_object_set_new(session, "pid", json_null());
    json_object_set_new(session, "host_pid", json_null());
    json_object_set_new(session, "waiting", json_null());
    json_object_set_new(session, "before_start", json_null());
    json_object_set_new(session, "pending_approvals", json_array());
    json_object_set_new(session, "resources", json_null());
    json_object_set_new(session, "evidence",
                        json_pack("{ss si ss so}", "source", "process", "rank", 5, "detail",
                                  "its processes are gone", "at", json_time_or_null(at)));
    json_object_set_new(
        session, "exit",
        json_pack("{ss sn sn so}", "state", "lost", "code", "signal", "at", json_time_or_null(at)));
    json_object_set_new(session, "last_error",
                        json_pack("{ss ss ss so}", "class", "resource", "code", "lost", "message", message,
                                  "hint", json_string_or_null(hint)));
    free(hint);
}

/* The lock is ours: what is read is so until it is given back. */
static bool settle_locked(const char *state_dir, const char *uuid)
{
    json_t *session = read_lost(state_dir, uuid);
    bool lost = session != NULL;

    if (lost) {
        if (!is_rebooted(session))
            (void)leftovers_end(uuid, LEFTOVERS_MS);
        describe(session);
        lost = session_dir_write(state_dir, uuid, session, NULL) == 0;
    }
    json_decref(session);
    return lost;
}

bool session_lost_settle(const char *state_dir, const char *uuid)
{
    json_t *session = NULL;
    bool settled = false;
    int folder, lock = -1;

    if (session_dir_alive(state_dir, uuid, NULL) != 0 || (session = read_lost(state_dir, uuid)) == NULL)
        return false;
    json_decref(session);
    folder = session_dir_open(state_dir, uuid, NULL);
    if (folder < 0)
        return false;
    if (session_dir_lock(folder, uuid, &lock, NULL) == 0)
        settled = settle_locked(state_dir, uuid);
    if (lock >= 0)
        close(lock);
    close(folder);
    return settled;
}

unsigned session_lost_settle_all(const char *state_dir)
{
    char *root = path_join(state_dir, "sessions");
    DIR *entries = opendir(root);
    struct dirent *entry;
    unsigned settled = 0;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (uuid_valid(entry->d_name) && session_lost_settle(state_dir, entry->d_name))
            settled++;
    }
    if (entries != NULL)
        (void)closedir(entries);
    free(root);
    return settled;
}
