/*
 * Interrupting a turn: the agent's own keys, once more after 2 s, then the word that it failed. No signal; a
 * repeat while this is under way changes nothing.
 */
#ifndef HOST_CANCEL_H
#define HOST_CANCEL_H

#include <event2/event.h>
#include <stdbool.h>

struct host;

struct cancel {
    int tries;        /* 0: nothing is being cancelled */
    const char *rest; /* names of keys still to be typed in this try */
    struct event *timer;
};

void cancel_init(struct host *host);
void cancel_finish(struct host *host);
/* "interrupted", "nothing to cancel", or "ending" when the session is being ended. */
const char *cancel_turn(struct host *host);
/* Interrupts the turn for a reason that is no person's wish: nothing is told of it. */
void cancel_begin(struct host *host);
/* The phase changed. */
void cancel_follow(struct host *host);

#endif
