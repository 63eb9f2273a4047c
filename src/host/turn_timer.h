/*
 * How long a turn may take (policy/turn_time.h): the time from the prompt to the first sign of an answer, warnings at some ages,
 * and the age at which it is over. Counted on the monotonic clock; the time in which the turn waits for a person, or the agent
 * for a limit or a retry of its own, does not count. A host that follows another goes on counting.
 *
 * A turn that is over is interrupted the agent's own way and ends as "failed" (class connect_timeout) or "timeout"; when it
 * has not ended 10 s later, the session is ended with phase timeout.
 */
#ifndef HOST_TURN_TIMER_H
#define HOST_TURN_TIMER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/observation.h"
#include "agent/phase.h"
#include "policy/turn_time.h"

struct host;

struct turn_timer {
    struct turn_times times;
    struct event *timer;
    bool running;      /* a turn is open */
    int64_t began_ms;  /* monotonic */
    int64_t waited_ms; /* of the time since, what does not count */
    int64_t waits_at;  /* monotonic ms, since when it waits; 0: it does not */
    bool answered;
    int warned;         /* warnings given */
    enum turn_due over; /* why it is over; TURN_NOTHING: it is not */
    int64_t over_at;    /* monotonic ms */
};

/* The configuration and the turn are loaded: goes on with one that is open. */
void turn_timer_init(struct host *host);
void turn_timer_finish(struct host *host);
/* A turn began; before it is kept. */
void turn_timer_began(struct host *host);
/* What the agent is doing: whether the turn waits, and whether the agent answers. */
void turn_timer_follow(struct host *host, enum phase phase);
/* The agent told something: whether it is an answer. */
void turn_timer_observed(struct host *host, const struct observation *observation);
/* The turn ends. Returns the outcome that counts: `outcome`, or the one of a turn whose time was over. */
const char *turn_timer_ended(struct host *host, const char *outcome);

#endif
