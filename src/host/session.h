/*
 * The session object as `ls` and session.get show it, with what only the host needs beside it ("start",
 * "attempts"), and its copy in session.json: written at once when the phase changes or the session ends, else
 * at most once a second.
 */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/phase.h"
#include "base/error.h"

struct host;

struct session {
    json_t *object; /* session.json, whole */
    json_t *start;  /* borrowed: object.start */
    struct event *timer;
    int64_t written_at; /* monotonic ms */
};

/* Reads session.json. Returns 0 or -1 and the error. */
int session_open(struct host *host, struct error *error);
void session_close(struct host *host);

const char *session_name(const struct session *session);
/* The public object; the caller owns it. */
json_t *session_public(struct host *host);
/* Sets a public member; the value is stolen. Call session_changed afterwards. */
void session_set(struct host *host, const char *key, json_t *value);
/* The object differs from the file: `urgent` writes it now. */
void session_changed(struct host *host, bool urgent);
/* What the host keeps for itself across restarts ("start.host"): a member, stolen. */
void session_keep(struct host *host, const char *key, json_t *value);
const json_t *session_kept(const struct session *session, const char *key);

/* The entry of an attempt in "attempts", made when missing; borrowed. */
json_t *session_attempt(struct host *host, uint32_t number);
/* last_error; NULL code: none. */
void session_set_error(struct host *host, const char *class, const char *code, const char *message,
                       const char *hint);

#endif
