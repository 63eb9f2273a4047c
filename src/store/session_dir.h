/*
 * A session's folder, STATE/sessions/UUID, and the names that lead to it, STATE/names/NAME (symbolic links whose text is
 * the UUID). A session is alive while a keeper holds the lock file of its folder. Who looks takes a shared lock for an
 * instant, so the keeper waits for its exclusive one (flock LOCK_EX without LOCK_NB).
 *
 * Between the making of the folder and the keeper's lock a session is "starting": its phase is initializing, no host has
 * written its session.json, and that was written within the last SESSION_START_S seconds. It keeps its name like a living
 * one.
 */
#ifndef STORE_SESSION_DIR_H
#define STORE_SESSION_DIR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/name.h"

#define SESSION_FORMAT 1 /* "format" in session.json; newer ones are refused with a message */
#define SESSION_FILE "session.json"
#define SESSION_LOCK "lock"
#define SESSION_EVENTS "events.jsonl"
#define SESSION_TRANSCRIPT "transcript.log"
#define SESSION_HOST_LOG "host.log"
#define SESSION_KEEP "keep"        /* an empty file: only `ganger rm SESSION` removes the session */
#define SESSION_REMOVED ".removed" /* a folder is renamed to .UUID.removed before it is emptied */
#define SESSION_START_S 15
#define SESSION_FILE_MAX (4 * 1024 * 1024) /* bytes of session.json */

/* "STATE/sessions/UUID", allocated; not checked. */
char *session_dir_path(const char *state_dir, const char *uuid);
/* "STATE/sessions", allocated and made when missing, for who watches it: a session appears as a folder named by its UUID
 * (whose session.json may come a moment later) and goes by that folder's renaming. NULL with the error. */
char *session_dir_root(const char *state_dir, struct error *error);
/* The folder, opened for the *at calls of checkpoint, recording and event log. A descriptor or -1. */
int session_dir_open(const char *state_dir, const char *uuid, struct error *error);

/*
 * Makes the folder (0700) with its session.json and lock file and claims the name. A name held by an ended session is
 * taken over (that session keeps its folder, found by UUID); one held by a living or starting session is refused with a
 * message that says what to do. Two starters at once: one wins. After a failure nothing is left.
 */
int session_dir_create(const char *state_dir, const char *uuid, const char *name, const json_t *session,
                       struct error *error);
/* The same under a name that no session has, not even an ended one: BASE, else BASE-2, BASE-3 …, for sessions started
 * without a name. Fills `name` and the session's "name". BASE is shortened when it is too long. */
int session_dir_create_numbered(const char *state_dir, const char *uuid, const char *base, json_t *session,
                                char name[NAME_MAX_LENGTH + 1], struct error *error);
/* Gives the session another name, on the same terms; the caller writes it into session.json. The same name claims it
 * again, for an ended session that is started once more. */
int session_dir_rename(const char *state_dir, const char *uuid, const char *old_name, const char *name,
                       struct error *error);
/* Gives a session that has no name, or lost it to another one, the first that is free: BASE, else BASE-2, BASE-3 …, or BASE
 * itself when it has that. Fills `name`; the caller writes it into session.json. `from_ended`: a name of which the owner
 * has ended is free too. Returns 0 or -1. */
int session_dir_name_numbered(const char *state_dir, const char *uuid, const char *base, bool from_ended,
                              char name[NAME_MAX_LENGTH + 1], struct error *error);
/* Removes folder and name; refuses a living or starting session. */
int session_dir_remove(const char *state_dir, const char *uuid, struct error *error);

/* session.json, whole. The caller owns the result. NULL when it is missing (error.code ENOENT), damaged, or of a newer
 * format, with a message that says what to do. */
json_t *session_dir_read(const char *state_dir, const char *uuid, struct error *error);
/* Writes session.json, atomically, with "format". */
int session_dir_write(const char *state_dir, const char *uuid, const json_t *session, struct error *error);

/* 1 alive, 0 not, -1 on error. */
int session_dir_alive(const char *state_dir, const char *uuid, struct error *error);

/*
 * Finds a session by exact name, UUID, or (when `prefixes`) unique prefix of a name. Fills uuid and returns 0; -1 when
 * there is none, with a message that names what there is; -2 when the prefix fits several, with their names.
 */
int session_dir_find(const char *state_dir, const char *reference, bool prefixes, char uuid[UUID_SIZE],
                     struct error *error);

/* Takes out of a session.json object what is not public: start, format, attempts. */
void session_dir_make_public(json_t *session);
/* True for completed, failed, timeout, cancelled, killed and lost. */
bool session_phase_ended(const char *phase);

/*
 * Every session's public object (array, caller owns), oldest first, from session.json alone: quick, no socket is asked.
 * Sessions that are not alive, not starting and not ended either are given phase "lost". Each has an extra "alive"
 * boolean; folders that cannot be read are skipped and counted in *damaged (may be NULL).
 */
json_t *session_dir_list(const char *state_dir, int *damaged, struct error *error);

#endif
