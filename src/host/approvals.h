/* The requests that wait for a person, as far as the agent's program status and title tell of them. */
#ifndef HOST_APPROVALS_H
#define HOST_APPROVALS_H

#include "agent/phase.h"

struct host;

/* Entering the phase approval adds a pending request with its event, leaving it resolves what is pending. */
void approvals_follow(struct host *host, enum phase phase);

#endif
