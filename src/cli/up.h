/*
 * What the two ways of `ganger up` share: onto the dashboard, and headless.
 */
#ifndef CLI_UP_H
#define CLI_UP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/name.h"
#include "cli/crew_start.h"
#include "config/crew.h"

struct up_options {
    const char *file;   /* or NULL */
    const char *folder; /* of the recordings, or NULL */
    bool detached, json, again, check, record, force;
};

enum up_state {
    STATE_ABSENT, /* to be started; it may have ended */
    STATE_LOST,   /* to be resumed */
    STATE_STARTED,
    STATE_RESUMED,
    STATE_RUNNING,
    STATE_COMPLETED,
    STATE_FAILED
};

/* What became of a session of the file. */
struct up_member {
    const struct crew_session *session;
    enum up_state state;
    char uuid[UUID_SIZE]; /* "" when there is none */
    char text[512];       /* more about the state, for people; of a failure why */
};

struct up {
    struct up_options options;
    struct crew *crew;
    struct up_member *members; /* crew->count */
    struct crew_start *starts;
    struct up_member **started; /* beside starts */
    size_t start_count;
    char **own_files; /* as in struct launch */
    size_t width;     /* of the longest name */
};

/* Starts the members that are absent, resumes those that are lost; `lifeline` as in struct launch. Each is told as it has started
 * or failed. */
void up_start(struct up *up, int lifeline);

/* `ganger up --record`, once it is known what runs; gives the crew's lock back. Returns the exit code. */
int up_headless(struct up *up, int lock);

#endif
