/*
 * Asking agents whether they are logged in: with their own command, in the account's environment, all at once. What they
 * keep of a login is never read. What they say is taken apart as their files say ("login" in agent/rules/schema.json); only
 * state, method, plan, e-mail and end are kept of it.
 */
#ifndef CLI_LOGIN_H
#define CLI_LOGIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "runner/account.h"

#define LOGIN_ASK_MS 15000

struct login {
    const char *agent;                             /* not owned */
    const struct account_environment *environment; /* NULL: it is not asked */
    /* The answer. */
    const char *state; /* "ok", "none", "expired" or "unknown" */
    char *method, *plan, *email;
    int64_t expires_ms; /* wall clock; 0: not known */
};

/* Fills the answers of all; login_finish each. */
void login_ask(struct login *logins, size_t count, const struct config *config, int64_t now_ms);
void login_finish(struct login *login);
/* What a status command printed; `asked` is "login" of the agent's file. Pure. */
void login_read(struct login *login, const json_t *asked, const char *output, size_t length, int64_t now_ms);
/* What the agent answered to the second question, "more" of that: fills e-mail and plan. Pure. */
void login_read_more(struct login *login, const json_t *asked, const char *output, size_t length);
/* The agent's program, agents.NAME.command or that of the catalogue, is installed. */
bool login_installed(const struct config *config, const char *agent);

#endif
