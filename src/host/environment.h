/*
 * The environment and the command line of an attempt, as the keeper gets them: what `ganger run` noted, the
 * agent's and the account's variables from the configuration, and those that tell programs about their
 * terminal. Values from files and commands are read each time.
 */
#ifndef HOST_ENVIRONMENT_H
#define HOST_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/driver.h"
#include "base/error.h"

struct host;

struct attempt_start {
    uint32_t number;
    const char *prompt;     /* given as an argument, or NULL */
    const char *session_id; /* as in agent/driver.h */
    const char *resume_id;
};

struct environment {
    struct arguments argv, set, unset; /* as in struct keeper_start */
    bool account_gone;                 /* why it failed: the account's directory cannot be used */
};

/* Returns 0, or -1 and the error when the session does not say what to run or a value cannot be had. Call
 * environment_finish in either case. */
int environment_init(struct environment *environment, struct host *host, const struct attempt_start *start,
                     struct error *error);
/* The same without a command line, and without what makes the agent report: for other programs that run in the session. */
int environment_plain(struct environment *environment, struct host *host, struct error *error);
void environment_finish(struct environment *environment);

#endif
