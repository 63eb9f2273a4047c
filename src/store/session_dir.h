/*
 * A session's folder, STATE/sessions/UUID, and the names that lead to it, STATE/names/NAME (symbolic links whose text is
 * the UUID). A session is alive while a keeper holds the lock file of its folder.
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

/* "STATE/sessions/UUID", allocated; not checked. */
char *session_dir_path(const char *state_dir, const char *uuid);

/*
 * Makes the folder (0700) with its session.json and claims the name. A name held by an ended session is taken over, one
 * held by a living session (or being started) is refused with a message that says what to do. Two starters at once: one wins.
 */
int session_dir_create(const char *state_dir, const char *uuid, const char *name, const json_t *session,
                       struct error *error);
/* Takes a free name: BASE, else BASE-2, BASE-3 …; for sessions started without one. Fills `name`. */
int session_dir_create_numbered(const char *state_dir, const char *uuid, const char *base, json_t *session,
                                char name[NAME_MAX_LENGTH + 1], struct error *error);
/* Gives the session another name. */
int session_dir_rename(const char *state_dir, const char *uuid, const char *old_name, const char *name,
                       struct error *error);
/* Removes folder and name; refuses a living session. */
int session_dir_remove(const char *state_dir, const char *uuid, struct error *error);

/* session.json, whole. The caller owns the result. */
json_t *session_dir_read(const char *state_dir, const char *uuid, struct error *error);
int session_dir_write(const char *state_dir, const char *uuid, const json_t *session, struct error *error);

/* 1 alive, 0 not, -1 on error. */
int session_dir_alive(const char *state_dir, const char *uuid, struct error *error);

/*
 * Finds a session by exact name, UUID, or (when `prefixes`) unique prefix of a name. Fills uuid and returns 0; -1 when
 * there is none, with a message that names what there is; -2 when the prefix fits several, with their names.
 */
int session_dir_find(const char *state_dir, const char *reference, bool prefixes, char uuid[UUID_SIZE],
                     struct error *error);

/*
 * Every session's object (array, caller owns), oldest first, from session.json alone: quick, no socket is asked. Sessions
 * that are not alive but not ended either are given phase "lost". Each has an extra "alive" boolean; folders that
 * cannot be read are skipped and counted in *damaged (may be NULL).
 */
json_t *session_dir_list(const char *state_dir, int *damaged, struct error *error);

#endif
