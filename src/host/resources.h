/*
 * What the processes of an attempt use: the agent, what descends from it, and what of that was left to the keeper. It is looked at
 * every 5 s while the agent works or a client is there, less often when the looking itself takes long, and never otherwise.
 * "resources" of the session object is {cpu_pct, rss_bytes, processes}, null when no process runs; an event `resource` tells it
 * when it is another by much, at most every 15 s, and else once a minute while it changes.
 */
#ifndef HOST_RESOURCES_H
#define HOST_RESOURCES_H

#include <event2/event.h>
#include <stdint.h>

#include "host/process_use.h"

struct host;

struct resources {
    struct event *timer;
    struct process_use use; /* when looked at last */
    int64_t looked_ns;      /* monotonic; 0: not in this attempt */
    int64_t told_ms;        /* monotonic, of the last event; 0: none */
    double told_pct;
    uint64_t told_bytes;
};

void resources_init(struct host *host);
void resources_finish(struct host *host);
/* The agent begins to work, or a client came: goes on looking. Cheap, may be called at any time. */
void resources_wake(struct host *host);
/* The session object is asked for: brings it up to date unless it was looked at within the last 5 s. */
void resources_refresh(struct host *host);
/* The attempt is over. */
void resources_end(struct host *host);

#endif
