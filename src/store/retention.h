/*
 * How long ended sessions keep their folders: until `ganger rm`, until they have been ended for a while, or until those
 * that have ended take too much together; then those that ended first go. A session that runs or starts, that a
 * dashboard shows, that belongs to another machine which shares the folder, or that has a file `keep` stays. A lost one
 * counts as ended when it was found lost, and goes by its age alone.
 *
 * STATE/retention.log says what was removed, a JSON object a line; its time of change is when it was last looked, and
 * who looks holds its lock (flock).
 */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/name.h"

#define RETENTION_LOG "retention.log"
#define RETENTION_LOG_MAX (256 * 1024) /* bytes; the older half goes when it is longer */

struct retention_policy {
    double age_s;   /* limits.ended_age_s; 0: any age */
    uint64_t bytes; /* limits.ended_bytes; 0: any amount */
};

struct ended_session {
    char uuid[UUID_SIZE];
    char name[NAME_MAX_LENGTH + 1]; /* empty when session.json has no valid one */
    int64_t ended_ms;               /* wall clock */
    uint64_t bytes;                 /* on the disk; 0 unless it was measured */
    bool lost, kept;                /* kept: has the file `keep` */
    bool beyond;                    /* retention_choose: it may go */
};

/* The sessions of this machine that have ended and whose host has left, those that ended first before the others. */
struct ended_list {
    struct ended_session *sessions;
    size_t count;
};

/* Returns 0 or -1; the list is to be finished either way. `measure`: fill `bytes`. */
int ended_list_fill(struct ended_list *list, const char *state_dir, bool measure, struct error *error);
void ended_list_finish(struct ended_list *list);

/* Marks those that the policy lets go, and returns how many. Those that ended later than now stay: the clock was set back. */
size_t retention_choose(struct ended_list *list, const struct retention_policy *policy, int64_t now_ms);

struct retention_result {
    unsigned removed;
    unsigned shown;    /* left because a dashboard shows them */
    unsigned leftover; /* folders that an earlier removal had left half done, removed */
    unsigned failed;
    uint64_t bytes;     /* freed */
    struct error error; /* of the last that failed */
};

/*
 * Removes what the policy lets go and what earlier removals left half done, and writes what it did to the log. -1 when
 * it could not be looked at all: error.code EWOULDBLOCK when another process is at it. Otherwise the result tells.
 */
int retention_sweep(const char *state_dir, const struct retention_policy *policy, int64_t now_ms,
                    struct retention_result *result, struct error *error);

/*
 * Opens the log, locked, when nobody has looked within the last `interval_s` seconds; -1 when somebody has, is at it, or
 * the log cannot be written. The lock goes with the last copy of the descriptor. When the last look is further away than
 * RETENTION_DOUBT_S, the clock may be wrong, before it is set at the machine's start say: then that is noted, -1 returned, and
 * the next look is the one that counts.
 */
#define RETENTION_DOUBT_S (14 * 86400.0)
int retention_claim(const char *state_dir, int64_t now_ms, double interval_s);
/* retention_sweep for who has the lock. Does not close the log. */
int retention_sweep_locked(int log, const char *state_dir, const struct retention_policy *policy,
                           int64_t now_ms, struct retention_result *result, struct error *error);

/* The last line of the log as an object {at, id, name, ended_at, bytes, reason: "age" | "size"}, which the caller owns;
 * NULL when there is none. *looked_ms: when it was last looked, 0: never. */
json_t *retention_last(const char *state_dir, int64_t *looked_ms);

/* Removes the folders STATE/sessions/.UUID.removed that a removal left when it was killed. Returns how many; those that
 * could not be are counted in *failed (may be NULL), the last reason in `error`. */
unsigned retention_remove_leftovers(const char *state_dir, unsigned *failed, struct error *error);
/* How many there are. */
unsigned retention_count_leftovers(const char *state_dir);

/* Bytes on the disk of what is in the folder, which is not followed out of. */
uint64_t session_bytes(const char *state_dir, const char *uuid);
/* Whether the session has the file `keep`; sets or removes it. Returns 0 or -1. */
bool session_kept(const char *state_dir, const char *uuid);
int session_keep(const char *state_dir, const char *uuid, bool keep, struct error *error);

#endif
