/*
 * What `ganger search` reads: the parts of the recordings of sessions, in order.
 */
#ifndef CLI_SEARCH_UNITS_H
#define CLI_SEARCH_UNITS_H

#include <stddef.h>

#include "base/error.h"
#include "base/name.h"

struct search_session {
    char uuid[UUID_SIZE];
    char *name; /* cleaned for printing */
    char *
        reference; /* what other commands know it by: the name, or the UUID when another session has the name */
};

struct search_unit {
    const struct search_session *session;
    unsigned attempt, part;
    unsigned previous, next; /* parts of the attempt; 0: none */
};

struct search_units {
    struct search_session *sessions;
    size_t session_count;
    struct search_unit *units;
    size_t count;
};

/* Of the sessions that the operands name, of all when `count` is 0; ends the process when one is none. *damaged: how many
 * sessions cannot be read. Returns 0 or -1. */
int search_units_find(struct search_units *units, char **references, int count, int *damaged,
                      struct error *error);
void search_units_finish(struct search_units *units);

#endif
