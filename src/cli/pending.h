/*
 * Requests that wait for a person, as session.get lists them in pending_approvals.
 */
#ifndef CLI_PENDING_H
#define CLI_PENDING_H

#include <jansson.h>

/* "Bash: rm -rf build": one line of a request, fit for a terminal. Allocated. */
char *pending_brief(const json_t *request);
/* Prints what is pending in a session: what is asked, in full, the choices, and how to answer. */
void pending_print(const json_t *session);

#endif
