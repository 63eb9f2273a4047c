/*
 * Clean-up without a daemon: what the limits of the configuration let go is removed by whoever starts a session or a
 * dashboard, in a process of its own that nobody waits for.
 */
#ifndef CLI_SWEEP_H
#define CLI_SWEEP_H

#include "config/config.h"
#include "store/retention.h"

/* limits.ended_age_s and ended_bytes. */
struct retention_policy sweep_policy(const struct config *config);
/* Begins it unless somebody has looked within the hour or is at it. Says nothing: `ganger doctor` tells what was removed
 * and what could not be. `config` NULL: it is read, and nothing is removed when it cannot be. */
void sweep_begin(const struct config *config);

#endif
