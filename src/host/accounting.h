/* What a session saw of its account goes into the ledger: limit windows when the agent tells them, usage after each turn. */
#ifndef HOST_ACCOUNTING_H
#define HOST_ACCOUNTING_H

#include "agent/observation.h"
#include "agent/phase.h"

struct host;

void accounting_init(struct host *host);
void accounting_finish(struct host *host);
/* An attempt is about to begin; `variable`: the value that a variable will have for the agent. */
void accounting_begin(struct host *host, const char *(*variable)(void *argument, const char *name),
                      void *argument);
/* OBSERVED_LIMIT. */
void accounting_limit(struct host *host, enum evidence_source source, const struct observation *observation);
/* A turn or an attempt is over: what its answers used is read from the agent's own files. */
void accounting_usage(struct host *host);

#endif
