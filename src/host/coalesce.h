/*
 * What an agent says comes in small pieces: they are gathered for 100 ms from the first, and told as one event `text` or
 * `thinking` with a member `text`. Any other event, and a piece of the other kind, tells what was gathered first, so that
 * the order of events is the order of causes. Until then, what may be the beginning of a secret waits for its rest.
 */
#ifndef HOST_COALESCE_H
#define HOST_COALESCE_H

#include <event2/event.h>
#include <stddef.h>

#include "base/buffer.h"

struct host;

#define COALESCE_MS 100
#define COALESCE_BYTES 32768 /* the longest text of an event, before invalid bytes are replaced */

struct coalesce {
    struct buffer pending;
    const char *type; /* of what is pending */
    struct event *timer;
};

/* After the loop and the recorder exist. */
void coalesce_init(struct host *host);
/* Before the recorder ends: what is pending is told. */
void coalesce_finish(struct host *host);

/* `length` bytes of UTF-8. A character that is cut by the end of a piece waits for its rest; invalid bytes and NUL become
 * U+FFFD. */
void coalesce_text(struct host *host, const char *text, size_t length);
void coalesce_thinking(struct host *host, const char *text, size_t length);
/* Tells what is pending at once. events_emit calls it for every event. */
void coalesce_flush(struct host *host);

#endif
