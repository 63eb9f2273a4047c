/*
 * Sessions that are lost: keeper and host died together, by a reboot or by being killed, and nobody wrote the session's end.
 */
#ifndef STORE_SESSION_LOST_H
#define STORE_SESSION_LOST_H

#include <jansson.h>
#include <stdbool.h>

/* Whether the session belongs to this machine, or does not say to which: only there it can be told whether it is lost. */
bool session_lost_is_here(const json_t *session);

/*
 * Ends what a lost session left running and writes phase "lost" with a last_error into its session.json. Returns whether it did:
 * sessions that live, start, have ended or belong to another machine are left as they are. Blocks for a moment when processes
 * are left, and keeps the session's lock meanwhile, so that no attempt starts.
 */
bool session_lost_settle(const char *state_dir, const char *uuid);
/* The same for every session. Returns how many were lost. */
unsigned session_lost_settle_all(const char *state_dir);

#endif
