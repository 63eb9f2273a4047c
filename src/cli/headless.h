/*
 * Headless runs: sessions that this process started, followed to their end without a terminal: a line per event on stdout (or the
 * events as JSON), each session's recording kept in a file, an exit code. The sessions are ordinary ones; a lifeline ends them when
 * this process is gone.
 */
#ifndef CLI_HEADLESS_H
#define CLI_HEADLESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/name.h"

struct headless_session {
    char uuid[UUID_SIZE];
    char name[NAME_MAX_LENGTH + 1];
    const char *file; /* the recording goes there, too; NULL: into the session's folder alone */
    const char
        *failure; /* it could not be made, and why: it is told and stands in the table; NULL: it was made */
};

/* Before anything is opened: a process whose standard descriptors are closed gets /dev/null in their place. */
void headless_prepare(void);
/* The pipe whose reading end is given to launch_start of every session; the writing end stays open until this process ends.
 * Returns the reading end or -1. Once, before the first session. */
int headless_lifeline(struct error *error);
/* Makes a session's FILE, or says why it cannot be: before any session is started, so that nothing runs in vain. `force`: one that
 * exists is taken; what is in it stays until headless_follow begins to write. 0 or -1. */
int headless_check_file(const char *file, bool force, struct error *error);
/* Takes away the FILE of a session that could not be made, if nothing is in it. */
void headless_drop_file(const char *file);
/* Follows the sessions until the last has ended, also those that launch_start gave up on: their events say why. `json`: prints
 * events, not lines. SIGINT, SIGTERM, SIGHUP and SIGQUIT end the sessions in order, a second one kills them. Returns the exit code: that of the
 * first session that did not complete, of those that were made; else 1 when one was not. */
int headless_follow(const struct headless_session *sessions, size_t count, bool json);

#endif
