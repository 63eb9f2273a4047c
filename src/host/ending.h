/* The end of attempts and of the session. */
#ifndef HOST_ENDING_H
#define HOST_ENDING_H

#include <stdint.h>

#include "agent/phase.h"

struct host;

/* Ends the attempt: INT, after grace TERM, then KILL. `phase` is what the session will have ended as. */
void ending_session(struct host *host, enum phase phase, int grace_ms);
/* The attempt is over: its leader reaped and its output read to the end. */
void ending_attempt(struct host *host);
/* It could not be started at all. `hint` may be NULL. */
void ending_never_started(struct host *host, const char *code, const char *message, const char *hint);
/* Ends the attempt that runs, so that another one of the session takes its place. */
void ending_replace(struct host *host);
/* The session has done what it was started for, or cannot: once the agent has left it will have ended as `phase`. What is known of
 * an error stays. */
void ending_done(struct host *host, enum phase phase);
/* It has not left by itself. */
void ending_go_on(struct host *host, int grace_ms);
/* The attempt is over, and the one that should have followed is given up: the session has ended as `phase`. */
void ending_give_up(struct host *host, enum phase phase);
/* The keeper is gone. */
void ending_keeper_lost(struct host *host);
/* The host is asked to leave (the keeper ends). */
void ending_leave(struct host *host);

#endif
