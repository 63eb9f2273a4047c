/* Turns of a session: events turn_started and turn_ended. */
#ifndef HOST_TURN_H
#define HOST_TURN_H

#include "agent/phase.h"

struct host;

/* From session.json. */
void turn_load(struct host *host);
/* A turn begins; one that is still open ends with outcome "unknown". `prompt_id` may be NULL. */
void turn_begin(struct host *host, const char *prompt_id);
/* Outcomes: completed, cancelled, failed, timeout, killed, unknown. Nothing when no turn is open. */
void turn_end(struct host *host, const char *outcome);
/* What a phase means for turns. */
void turn_follow(struct host *host, enum phase phase);

#endif
