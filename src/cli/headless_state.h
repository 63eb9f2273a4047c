/*
 * What is known of a session of a headless run from its events: how far it is, what it waits for, what it used, and how it ended.
 */
#ifndef CLI_HEADLESS_STATE_H
#define CLI_HEADLESS_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"

struct headless_state {
    char name[NAME_MAX_LENGTH + 1];
    char agent[32], mode[16];
    char *folder, *prompt; /* the working folder, the first prompt or NULL */
    char *recording;       /* where it is, or NULL; for who sets it */
    unsigned attempt;      /* the latest of which an event told */
    bool turn_open, ended;
    char phase[24];
    char tool[48];      /* the one called last; "": none runs */
    int64_t since_ms;   /* of phase and tool, wall clock */
    int64_t until_ms;   /* what is waited for, wall clock; 0: nothing, or not known */
    int64_t began_ms;   /* wall clock, of the first event; 0: none came */
    int64_t at_ms;      /* of the latest */
    json_t *tools;      /* {id: {title, at_ms}} that run */
    json_t *files;      /* {path: null} that changed, HEADLESS_FILES_MAX at most */
    uint64_t more;      /* changes of which no path is known */
    json_t *usage;      /* or NULL */
    char outcome[16];   /* "completed", "failed" …; "": not ended */
    json_t *last_error; /* or NULL */
};

#define HEADLESS_FILES_MAX 100000

/* `session`: the object that launch_start gave, or session.json. */
void headless_state_init(struct headless_state *state, const json_t *session);
void headless_state_finish(struct headless_state *state);
void headless_state_event(struct headless_state *state, const json_t *event);
/* No event told the end: session.json does. */
void headless_state_settle(struct headless_state *state, const json_t *session);
/* It could not be made: it has ended, failed, for this reason. */
void headless_state_fail(struct headless_state *state, const char *why);
/* Whether it is in a phase in which something goes on. */
bool headless_state_works(const struct headless_state *state);
uint64_t headless_state_files(const struct headless_state *state);
/* Exit code of a run that ended so (ganger(1)). */
int headless_state_exit(const struct headless_state *state);
/* The name of a tool that is answered, and since when it ran; allocated, NULL when it is not known. To be asked before the event
 * is given to headless_state_event. */
char *headless_state_tool(const struct headless_state *state, const char *id, int64_t *since_ms);

/* "93k", "1.2M" tokens; "-" when they are not known (negative). */
void headless_state_tokens(int64_t tokens, char text[16]);

#endif
