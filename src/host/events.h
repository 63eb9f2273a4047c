/*
 * The session's events: numbering them, handing them to the writer thread, and to clients once they are
 * stored.
 */
#ifndef HOST_EVENTS_H
#define HOST_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/event_memory.h"

struct host;

struct events {
    struct event_memory memory;
    uint64_t last;   /* number of the newest event; 0: none */
    uint64_t stored; /* clients may see events up to this one */
};

/* `last` is the highest number ever given out. */
void events_init(struct events *events, uint64_t last);
void events_finish(struct events *events);
/* Emits an event of a type of the design with further members, an object that is stolen, or NULL. Returns its
 * number. */
uint64_t events_emit(struct host *host, const char *type, json_t *members);
/* The writer thread is done with events up to `seq`. */
void events_stored(struct host *host, uint64_t seq);
/* Appends the envelope of a `gap` that says that events [from, to] are not to be had. */
void events_gap_text(const struct host *host, uint64_t from, uint64_t to, struct buffer *out);

#endif
