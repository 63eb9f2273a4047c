/*
 * The beginning of attempts: talking to the keeper at first, spawning, and taking over a running attempt from a
 * host that is gone.
 */
#ifndef HOST_STARTING_H
#define HOST_STARTING_H

#include <stdint.h>

#include "base/error.h"

struct host;

/* Takes up the connection to the keeper and says READY. Returns 0 or -1 and the error. */
int starting_connect(struct host *host, struct error *error);
/* The commands before this attempt's start are done. */
void starting_begin(struct host *host, uint32_t number);
/* session.retry: 0 or an RPC code with the error; *attempt is the number that it will have. */
int starting_retry(struct host *host, const char *account, uint32_t *attempt, struct error *error);
/* A retry that waited until the last attempt's processes were gone. */
void starting_go_on(struct host *host);

#endif
