/*
 * Starting a session's keeper and host and learning whether its agent runs.
 */
#ifndef CLI_START_H
#define CLI_START_H

#include <jansson.h>

#include "base/error.h"
#include "config/config.h"

/*
 * Puts an account's environment into this process's, from which the keeper takes the agent's: the variables that would
 * cross accounts are removed, the account's own are set ({"file"} and {"command"} values resolved here, never stored).
 * Returns 0, or -1 when a value cannot be had.
 */
int start_account(const struct config *config, const char *agent, const char *account, struct error *error);
/* The same for agents.NAME.env. */
int start_agent_environment(const struct config *config, const char *agent, struct error *error);

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
