/*
 * What is known of agents as data: the files src/agent/rules/NAME.json, compiled in (agent-rules.json is all of them in
 * one list), and the user's own, agents/NAME.json in the configuration folder. A file with a member "command" makes an
 * agent of that name, without any code.
 */
#ifndef BASE_AGENT_DATA_H
#define BASE_AGENT_DATA_H

#include <jansson.h>
#include <stddef.h>

/* The built-in file of an agent, borrowed; NULL: there is none. */
const json_t *agent_data(const char *name);
/* Their names, in alphabetical order; NULL after the last. */
const char *agent_data_name(size_t index);
/* The path of the user's own file for an agent, whether or not it is there, the caller's to free; NULL without a
 * configuration folder or when it is no name for an agent. */
char *agent_data_user_path(const char *name);

#endif
