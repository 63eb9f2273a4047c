/*
 * Going on with a session that was lost: what `ganger resume` and `ganger up` share.
 */
#ifndef CLI_RESUME_H
#define CLI_RESUME_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* Lost, or ended by the death of its keeper, which is the same accident. `session`: session.json or the session object. */
bool resume_was_lost(const json_t *session);
/* Starts the agent again in its conversation and waits, at most some 25 s, until it is there. The session object (caller owns),
 * or NULL with the error. */
json_t *resume_session(const char *uuid, struct error *error);

#endif
