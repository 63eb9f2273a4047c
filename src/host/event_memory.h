/*
 * The last events of a session in memory, by their number: at most RPC_EVENTS_IN_MEMORY of them and
 * EVENT_MEMORY_BYTES. Older ones are in events.jsonl. Pure.
 */
#ifndef HOST_EVENT_MEMORY_H
#define HOST_EVENT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define EVENT_MEMORY_BYTES (2 * 1024 * 1024)
#define EVENT_TYPE_SIZE 24

struct stored_event {
    char *text; /* one line of JSON without \n */
    size_t length;
    char type[EVENT_TYPE_SIZE];
};

struct event_memory {
    struct stored_event *items; /* a circle of `capacity` */
    size_t capacity, start, count;
    size_t bytes;
    uint64_t first; /* number of the oldest one kept; the next to come when there is none */
};

/* `next` is the number of the first event to be added. */
void event_memory_init(struct event_memory *memory, uint64_t next);
void event_memory_finish(struct event_memory *memory);
/* Adds the event numbered first + count; copies `text`. The oldest go when there are too many. */
void event_memory_add(struct event_memory *memory, const char *type, const char *text, size_t length);
/* NULL when that number is not kept. Valid until the next addition. */
const struct stored_event *event_memory_get(const struct event_memory *memory, uint64_t seq);

#endif
