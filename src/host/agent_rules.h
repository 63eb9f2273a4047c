/*
 * The detection rules of the session's agent: the user's own file (configuration folder, agents/AGENT.json) before the
 * built-in ones. A change of that file takes effect at once; one that is wrong is said, and the rules before stay.
 */
#ifndef HOST_AGENT_RULES_H
#define HOST_AGENT_RULES_H

#include "agent/rules.h"
#include "base/error.h"

struct host;

/* Fills host->rules. Returns -1 and the error when not even the built-in rules can be read. */
int agent_rules_load(struct host *host, struct error *error);
/* Begins to watch; after the loop and the clients are there. */
void agent_rules_watch(struct host *host);
void agent_rules_finish(struct host *host);
/* The user's own file for an agent, the caller's to free; NULL: there is none. */
char *agent_rules_file(const char *agent);
/* Rules from a file (NULL: the user's own, else the built-in ones). NULL and the error. */
struct rules *agent_rules_read(const char *agent, const char *path, struct error *error);

#endif
