/*
 * A request that waits for a person, as session.get lists it in pending_approvals:
 * {id, kind, tool, input, choices, since}.
 */
#ifndef RPC_REQUEST_H
#define RPC_REQUEST_H

#include <jansson.h>

/*
 * One line of it, "Bash: rm -rf build": the tool (or the kind) and the first line of what is asked that says something.
 * Not cleaned for a terminal. Allocated.
 */
char *request_brief(const json_t *request);

#endif
