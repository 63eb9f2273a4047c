/*
 * The accounts of the configuration as the agents meet them: which variables are taken away and which are set, which directory
 * the agent then uses, and whether it is there. The host asks at each start, `ganger accounts` when it looks; values from files
 * and commands are read each time and nowhere kept. What the agents are like is in base/agent_catalogue.h.
 */
#ifndef RUNNER_ACCOUNT_H
#define RUNNER_ACCOUNT_H

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

/* Both lists end with NULL. */
struct account_environment {
    char **unset; /* names: they would lead to another account. Unset before `set` is set */
    char **set;   /* NAME=VALUE; of two with one name the last counts */
    size_t unset_count, set_count;
};

/*
 * The environment of an agent under an account (NULL: the agent's own login): agents.NAME.env, then accounts.NAME.env, whose
 * values are text, {"file"} (its first line) or {"command"} (the first line that it prints within 10 s). "~" at the beginning of
 * the agent's directory is the home directory. Returns 0, or -1 with the error, which names the variable and the file or
 * program, never a value. account_environment_finish in either case.
 */
int account_environment_init(struct account_environment *environment, const struct config *config,
                             const char *agent, const char *account, struct error *error);
/* Zeroes the values. */
void account_environment_finish(struct account_environment *environment);
/* The value that a variable has for the agent, borrowed; NULL when it has none. */
const char *account_environment_value(const struct account_environment *environment, const char *name);
/* The caller's environment with these changes, NULL-terminated, for a child; account_environ_free zeroes and frees it. */
char **account_environ(const struct account_environment *environment);
void account_environ_free(char **environ_copy);

/* The directory in which the agent then keeps its files, such as "/home/me/.claude" or, for Gemini, "/home/me/.gemini"; without
 * trailing slash, the caller's to free. NULL: it is not known where that is. */
char *account_directory(const struct account_environment *environment, const char *agent);
/* The command line that logs in, for people: "CLAUDE_CONFIG_DIR=/home/me/work claude auth login". `directory`: the value of
 * the variable that moves the agent's directory, NULL: without. The caller's to free. */
char *account_login_command(const char *agent, const char *directory);

/*
 * Whether the account can be used: 0, or -1 when its directory is named but not there (code ENOENT, ENOTDIR, EACCES…; the text
 * says which directory, and the command that makes the login). The agent's own directory need not be there.
 */
int account_check(const struct account_environment *environment, const char *agent, const char *account,
                  struct error *error);
/* The same by what the configuration says as text: no file is read, no command run. */
int account_check_named(const struct config *config, const char *agent, const char *account,
                        struct error *error);

#endif
