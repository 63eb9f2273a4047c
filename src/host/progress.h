/*
 * Events `progress`: every 5 s while a turn is open and the agent works, what it has come to. No timer runs otherwise.
 */
#ifndef HOST_PROGRESS_H
#define HOST_PROGRESS_H

#include <event2/event.h>
#include <stdint.h>

#include "agent/phase.h"

struct host;

#define PROGRESS_MS 5000

struct progress {
    struct event *timer;
    int64_t began_ms;  /* the turn; monotonic, which a host that follows has too */
    uint32_t attempt;  /* in which the turn began */
    uint64_t position; /* of the output then */
    int64_t tokens;    /* of output that the session had used then, -1: not known */
    unsigned tools;    /* tool_call events in the turn */
};

/* After activity_init: goes on with a turn that is open. */
void progress_init(struct host *host);
void progress_finish(struct host *host);

void progress_turn_began(struct host *host);
/* The phase that clients are told. */
void progress_follow(struct host *host, enum phase phase);
/* An event of this type was emitted. */
void progress_count(struct host *host, const char *type);

#endif
