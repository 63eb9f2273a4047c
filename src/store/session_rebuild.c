/* The part of session_mend.h that makes a session object from what else is in its folder. */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/name.h"
#include "base/path.h"
#include "store/event_log.h"
#include "store/recording_names.h"
#include "store/session_dir.h"
#include "store/session_life.h"
#include "store/session_mend.h"

#define LAST_EVENTS 500 /* of which the session's end is one */

struct found {
    json_t *first, *last, *ended; /* events; ended: session_ended, unless another attempt began after it */
    unsigned attempt;             /* of the recordings and events */
    int64_t recorded_ms;
};

static int take_event(void *argument, uint64_t seq, const char *text, size_t length)
{
    struct found *found = argument;
    json_t *event = json_loadb(text, length, 0, NULL);
    const char *type = json_member_string(event, "type", "");

    (void)seq;
    if (!json_is_object(event)) {
        json_decref(event);
        return 0;
    }
    if (strcmp(type, "session_ended") == 0 || strcmp(type, "session_started") == 0) {
        json_decref(found->ended);
        found->ended = *(type + 8) == 'e' ? json_incref(event) : NULL;
    }
    json_decref(found->last);
    found->last = event;
    return found->first == NULL; /* the first alone, at first */
}

static void read_events(int session_dir, struct found *found)
{
    struct event_log_end end = {0};
    int file;

    (void)event_log_read(session_dir, 0, take_event, found, NULL);
    found->first = json_incref(found->last);
    if (found->first == NULL)
        return;
    file = event_log_open(session_dir, &end, NULL);
    if (file >= 0)
        close(file);
    (void)event_log_read(session_dir, end.seq > LAST_EVENTS ? end.seq - LAST_EVENTS : 0, take_event, found,
                         NULL);
}

/* The recordings tell how many attempts there were, and the oldest when the first began. */
static void read_recordings(int session_dir, struct found *found)
{
    struct recording_name *names;
    size_t count;

    if (recording_list(session_dir, &names, &count, NULL) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        char name[RECORDING_FILE_SIZE];
        struct stat status;
        recording_name_format(&names[i], name);
        if (names[i].attempt > INT_MAX || fstatat(session_dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(status.st_mode) || status.st_size == 0)
            continue;
        found->attempt = names[i].attempt;
        if (found->recorded_ms == 0 || (int64_t)status.st_mtim.tv_sec * 1000 < found->recorded_ms)
            found->recorded_ms = (int64_t)status.st_mtim.tv_sec * 1000;
    }
    free(names);
}

static int64_t time_of(const json_t *event, int64_t fallback)
{
    int64_t at;

    return clock_parse_rfc3339(json_member_string(event, "time", ""), &at) == 0 ? at : fallback;
}

static json_t *describe(const struct found *found, const char *uuid, const char *name)
{
    const char *told = json_member_string(found->last, "session", ""),
               *state = json_member_string(found->ended, "state", "lost");
    int64_t began = time_of(found->first, found->recorded_ms), ended = time_of(found->last, began);
    char machine[HOST_NAME_MAX + 1] = "";
    json_t *exit = json_object_get(found->ended, "exit"),
           *session = json_pack("{ss ss ss ss sn ss sn sn ss sn sn si}", "id", uuid, "agent", "command",
                                "mode", "tui", "runner", "local", "cwd", "machine", "", "host_pid", "pid",
                                "connection", "ok", "title", "account", "attempt", (int)found->attempt);

    if (!session_phase_ended(state) || !json_is_object(exit)) {
        /* It counts from when it was found lost. */
        ended = clock_realtime_ms();
        state = "lost";
        exit = json_pack("{ss sn sn so}", "state", "lost", "code", "signal", "at", json_time_or_null(ended));
    } else {
        json_incref(exit);
    }
    (void)gethostname(machine, sizeof machine - 1);
    (void)json_object_set_new(session, "machine", json_string_or_null(machine));
    (void)json_object_set_new(session, "name",
                              json_string(name != NULL       ? name
                                          : name_valid(told) ? told
                                                             : "rebuilt"));
    (void)json_object_set_new(session, "phase", json_string(state));
    (void)json_object_set_new(session, "phase_since", json_time_or_null(ended));
    (void)json_object_set_new(session, "created_at", json_time_or_null(began));
    (void)json_object_set_new(session, "exit", exit);
    (void)json_object_set_new(session, "rebuilt", json_true());
    (void)json_object_set_new(
        session, "last_error",
        json_pack("{ss ss ss ss}", "class", "resource", "code", "rebuilt", "message",
                  "session.json was damaged and was made again from the events and recordings", "hint",
                  "how it was started is not known: `ganger run` starts another"));
    return session;
}

json_t *session_rebuild(int session_dir, const char *uuid, const char *name)
{
    struct found found = {0};
    json_t *session = NULL;
    int64_t attempt;

    read_events(session_dir, &found);
    read_recordings(session_dir, &found);
    attempt = json_member_integer(found.last, "attempt", 0);
    if (attempt > (int64_t)found.attempt && attempt <= INT_MAX)
        found.attempt = (unsigned)attempt;
    if (found.last != NULL || found.attempt > 0)
        session = describe(&found, uuid, name);
    json_decref(found.first);
    json_decref(found.last);
    json_decref(found.ended);
    return session;
}
