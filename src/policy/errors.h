/*
 * The taxonomy of errors: what an error's class means for what ganger does, and the hint that tells a person which command
 * mends it. Classes are those of agent/error_class.h; the table is the whole policy.
 */
#ifndef POLICY_ERRORS_H
#define POLICY_ERRORS_H

#include <stddef.h>

enum error_group { ERROR_RETRYABLE, ERROR_PERMANENT, ERROR_CONTEXT, ERROR_RESOURCE, ERROR_UNKNOWN };

struct error_rule {
    const char *class;
    enum error_group group;
    int exit_code; /* of a headless run that ends for it: 75, 77, 124, 130, 1 */
    const char *
        hint; /* one line; %A: agent, %S: session, %L: the command that logs in, %K: account or "its own login" */
};

/* Never NULL: a class that is unknown, or NULL, is ERROR_UNKNOWN. */
const struct error_rule *error_rule_find(const char *class);
const char *error_group_name(enum error_group group);
/* The hint with its words filled in; allocated, NULL when there is none. */
char *error_hint(const struct error_rule *rule, const char *agent, const char *session, const char *account);

#endif
