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
/* Whether that moment (wall clock; 0: this one) lies before the turn that runs or after which none began: a record that
 * is read late speaks of what is over. */
bool turn_is_past(const struct host *host, int64_t at_ms);
/* What a phase means for turns. */
void turn_follow(struct host *host, enum phase phase);

#endif
