/*
 * Whether the process at the other end of the socket may control the session: one of the same user that does
 * not run inside a session. An agent must not approve itself; a guard, not a boundary.
 */
#ifndef HOST_PEER_H
#define HOST_PEER_H

#include <stdbool.h>

#include "base/error.h"

struct host;

/* 0, or -1 and the error with the enum rpc_code as its code. */
int peer_check(const struct host *host, int socket, struct error *error);

#endif
