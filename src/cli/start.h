/*
 * Starting a session's keeper and host and learning whether its agent runs.
 */
#ifndef CLI_START_H
#define CLI_START_H

#include <jansson.h>

#include "base/error.h"
#include "config/config.h"

/* How long a session may take until its agent runs. */
#define START_TIMEOUT_MS 15000

/* Whether the account exists, is one of that agent's and has its directory. Returns 0 or -1. */
int start_check_account(const struct config *config, const char *agent, const char *account,
                        struct error *error);

/*
 * Starts keeper and host on a session folder that exists and waits until the host says that attempt `attempt` runs or
 * failed, at most 15 s. Returns the session object (caller owns), or NULL with the error. When the agent could not be
 * started the error says why and the object is not returned.
 */
json_t *start_session(const char *uuid, const char *working_dir, int attempt, struct error *error);

/* The second half of it: waits until attempt `attempt` of a session that has a host runs or failed, at most
 * timeout_ms. */
json_t *start_await(const char *uuid, int attempt, int timeout_ms, struct error *error);

#endif
