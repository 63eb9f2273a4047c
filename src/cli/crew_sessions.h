/*
 * The sessions of a crew: which of them run, and a lock so that only one command at a time changes that.
 */
#ifndef CLI_CREW_SESSIONS_H
#define CLI_CREW_SESSIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/name.h"

/* Takes the lock of the crew whose file is at `path` (crew_path's), which goes with the process; says on stderr that it waits when
 * another command has it. A descriptor, or -1 with the error. */
int crew_lock(const char *path, const char *command, struct error *error);

/* Waits, at most SESSION_START_S, until a session that is being started lives or is gone. */
void crew_await_start(const char *uuid);
/* The phase that the host tells, else the one of `session` (session.json). Allocated. */
char *crew_phase(const char *uuid, const json_t *session);
/* The crew file that a session (session.json) was started from; "" when from none. */
const char *crew_of(const json_t *session);
/* session.json of every session that was started from the file, the ended ones included, oldest first. The caller owns the array.
 * NULL with the error. */
json_t *crew_sessions(const char *path, struct error *error);

#endif
