/*
 * How long the whole session may take (`ganger run --timeout`): from its first attempt on, or a retry by hand, everything that
 * it waits for included, on the monotonic clock. Then it is ended with phase timeout. A host that follows another goes on
 * counting.
 */
#ifndef HOST_SESSION_TIMER_H
#define HOST_SESSION_TIMER_H

#include <event2/event.h>

struct host;

struct session_timer {
    struct event *timer;
};

/* The session is loaded: goes on when the time runs. */
void session_timer_init(struct host *host);
void session_timer_finish(struct host *host);
/* An attempt is about to begin: the time runs from here on, unless it does. */
void session_timer_begin(struct host *host);
/* The session has ended. */
void session_timer_end(struct host *host);

#endif
