/*
 * Going to another account of the same agent when one is at its limit (retry.rotate). The conversation is carried along where
 * the agent's files allow it (host/carry.h); else a conversation begins anew with the last prompt, and that is said.
 */
#ifndef HOST_ROTATING_H
#define HOST_ROTATING_H

#include <stdbool.h>

struct host;

/* The account is at its limit. True when another account is looked for: the session goes on there, or waits when there
 * is none. False: it waits on its own account. */
bool rotating_switch(struct host *host);
/* Before an attempt begins: when its account is not the last one's, the conversation is carried along. False: it could not be,
 * and the attempt begins a conversation of its own. */
bool rotating_carry(struct host *host);

#endif
