/*
 * Whether a session lives, from its folder alone.
 */
#ifndef STORE_SESSION_LIFE_H
#define STORE_SESSION_LIFE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum session_life { SESSION_GONE, SESSION_STARTING, SESSION_ALIVE };

/* By lock file, then session.json (`session`, or NULL to read it). -1 when it cannot be told. */
int session_life(const char *state_dir, const char *uuid, const json_t *session, struct error *error);
/* Whether session.json, already read, is that of a session being started: no host has written it. */
bool session_starting(const char *state_dir, const char *uuid, const json_t *session);

/* Whether that process is the session's host: a number that was written down may be anybody's. */
bool session_host_is(pid_t pid, const char *uuid);
/* Whether the host that session.json names runs. Without its keeper it is about to write the session's end. */
bool session_host_runs(const char *uuid, const json_t *session);

/*
 * Takes the lock of a session whose folder is open: waits out those who only look, fails when a keeper has it. *lock is a
 * descriptor to close, or -1, also after a failure. Returns 0 or -1.
 */
int session_dir_lock(int folder, const char *uuid, int *lock, struct error *error);

#endif
