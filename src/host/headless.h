/*
 * A session that nobody prompts again (session.json's start.headless): once the turn of its last prompt is over, and nothing
 * waits or is tried again, it ends by itself as that turn ended. A plain command simply ends with its process.
 */
#ifndef HOST_HEADLESS_H
#define HOST_HEADLESS_H

#include <stdbool.h>

struct host;
struct event;

struct headless {
    struct event *timer; /* what is said of a turn may come a little after its end */
    bool leaving;        /* the agent was asked to leave */
};

void headless_init(struct host *host);
void headless_finish(struct host *host);
/* A turn ended with that outcome (host/turn.h). */
void headless_turn_ended(struct host *host, const char *outcome);

#endif
