/*
 * Ending the sessions of a headless run: the first signal interrupts what an agent does, so that it keeps its conversation whole,
 * and then ends the session; a second one kills; a third one ends this process, and the lifeline what is left.
 */
#ifndef CLI_HEADLESS_STOP_H
#define CLI_HEADLESS_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "rpc/client.h"

enum stop_stage { STOP_NONE, STOP_TURN, STOP_SESSION, STOP_KILL };

struct headless_stop {
    enum stop_stage wanted, sent;
    int64_t at_ms; /* monotonic, when it was sent */
};

/* Blocks SIGINT, SIGTERM and SIGHUP, those that the caller has not chosen to ignore; returns the descriptor that tells them, or -1. */
int headless_stop_watch(void);
/* How many came. */
unsigned headless_stop_signals(int descriptor);
/* Carries on with one session. `client` NULL: there is no connection, and the next host is asked anew; `turn`: a turn is open. */
void headless_stop_go_on(struct headless_stop *stop, struct client *client, bool turn);
/* Milliseconds until that is due again, -1: not. */
int headless_stop_due(const struct headless_stop *stop);

#endif
