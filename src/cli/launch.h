/*
 * Making a session and starting it: what `ganger run`, `up`, `resume` and headless runs share. A request comes from options or from a
 * crew file; everything in it is checked here, with messages that do not depend on where it came from.
 */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/name.h"
#include "config/config.h"

struct launch {
    /* NULL: as `ganger run` without the option: the account's agent or the first that is installed, no account, a name made from the
     * folder's and numbered, the folder in which the caller is, tui mode (headless: stream mode when the agent has one). */
    const char *agent, *account, *name, *folder, *mode;
    const char *prompt;   /* or NULL */
    char *const *command; /* NULL, or the words after --; then agent is "command" or NULL */
    int cols, rows;       /* 0: 120x40 */
    double timeout_s;     /* 0: none */
    const char *crew;     /* absolute path of the crew file, or NULL; session.json's start.crew */
    bool headless;        /* nobody prompts it again: the session ends after its last turn; start.headless */
    int lifeline; /* a descriptor whose other end is the caller's: when that closes the session is ended; -1: none */
    /* Absolute paths that the caller writes, NULL at their end, or NULL: no work of the agent's; start.ignore. */
    char *const *own_files;
};

/* An empty request: no lifeline, all else as above. */
struct launch launch_empty(void);

/*
 * Checks the request, makes the session's folder and claims its name; nothing runs yet. Fills `uuid`. The error's code is EINVAL
 * for a request that can never work (bad usage), else another value or 0. Returns the session object (caller owns), or NULL; then
 * nothing is left behind.
 */
json_t *launch_create(const struct launch *launch, const struct config *config, char uuid[UUID_SIZE],
                      struct error *error);
/* Whether launch_create would get as far as the name: agent, account, program, working folder. Nothing is made. 0 or -1. */
int launch_check(const struct launch *launch, const struct config *config, struct error *error);
/* Starts keeper and host on it and waits until the agent runs or failed; then session.json says why, too. The session object, or
 * NULL and the error. */
json_t *launch_start(const struct launch *launch, const char *uuid, struct error *error);

#endif
