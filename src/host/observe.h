/*
 * What an agent said through a channel of its own becomes evidence, events and members of the session object, in that
 * order. The one place that does so, for hooks, session files and streams alike.
 */
#ifndef HOST_OBSERVE_H
#define HOST_OBSERVE_H

#include "agent/observation.h"

struct host;

/* `source`: EVIDENCE_STREAM, EVIDENCE_HOOK or EVIDENCE_SERVER. Nothing is told while a restarted host replays. */
void observe_agent(struct host *host, enum evidence_source source, const struct observation *observation);

#endif
