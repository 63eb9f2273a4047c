/*
 * Phases read from window titles, by each agent's rules file (src/agent/rules/AGENT.json, compiled in,
 * overridable in the configuration folder agents/AGENT.json). A rule is a list of prefixes or substrings and
 * the phase they mean.
 */
#ifndef AGENT_RULES_H
#define AGENT_RULES_H

#include "agent/phase.h"
#include "base/error.h"

struct rules;

/* The rules of an agent; `override` is a file's path or NULL. Never NULL without an error: an agent without
 * rules has an empty set. */
struct rules *rules_load(const char *agent, const char *override, struct error *error);
void rules_destroy(struct rules *rules);
/* Whether the agent's prompt box is on a screen of this text; also true when the rules do not say how to tell. */
bool rules_ready(const struct rules *rules, const char *screen);
/* The phase that a title means, or PHASE_COUNT when no rule speaks. */
enum phase rules_title_phase(const struct rules *rules, const char *title);

#endif
