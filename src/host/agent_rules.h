/*
 * The detection rules of the session's agent: the user's own file (configuration folder, agents/AGENT.json) before the
 * built-in ones. A change of that file takes effect at once; one that is wrong is said, and the rules before stay.
 */
#ifndef HOST_AGENT_RULES_H
#define HOST_AGENT_RULES_H

#include "base/error.h"

struct host;

/* Fills host->rules. Returns -1 and the error when not even the built-in rules can be read. */
int agent_rules_load(struct host *host, struct error *error);
/* Begins to watch; after the loop and the clients are there. */
void agent_rules_watch(struct host *host);
void agent_rules_finish(struct host *host);

#endif
