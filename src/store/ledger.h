/*
 * What sessions share: which accounts are at their limit, their limit windows, who may go next, and usage. One SQLite file,
 * STATE/ledger.db (WAL), written by many hosts at once and read by dashboards; STATE/ledger.notify is touched after each
 * change that others wait for, so that nobody polls. It is opened for a transaction or a few and closed again: a host that
 * does not need it holds nothing.
 *
 * Times are milliseconds of the wall clock, 0: not known. An account is named by its key, "AGENT/NAME", or "AGENT/" for the
 * agent's own login. A ledger that is damaged, or of a newer ganger, is renamed (ledger.db.damaged-TIME, ledger.db.newer-TIME),
 * never overwritten; the next open begins another. On a network file system it is refused (WAL needs shared memory).
 */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LEDGER_FILE "ledger.db"
#define LEDGER_NOTIFY "ledger.notify"
#define LEDGER_BUSY_MS 5000 /* for which a writer waits for another */

struct ledger;

enum ledger_mode { LEDGER_READ, LEDGER_WRITE };

/* Opens the ledger; with LEDGER_WRITE it is made when missing and brought to the present version. NULL and the error, whose
 * code is ENOENT when there is none to read, EUCLEAN when it was set aside (the text says where; opening again begins
 * another), else an errno value: EROFS, ENOSPC, EACCES, EBUSY, EIO, ENOTSUP (network file system). */
struct ledger *ledger_open(const char *state_dir, enum ledger_mode mode, struct error *error);
void ledger_close(struct ledger *ledger);
/* PRAGMA integrity_check: 0, or -1 with what is wrong. */
int ledger_check(struct ledger *ledger, struct error *error);
/* Tells those who watch ledger.notify. The functions below that others wait for do so themselves. */
void ledger_notify(struct ledger *ledger);

/* ---- keys of accounts ---- */

/* "AGENT/NAME"; NAME may be NULL. Allocated. */
char *ledger_account_key(const char *agent, const char *name);
/* The name in a key, NULL for the agent's own login. Points into the key. */
const char *ledger_account_name(const char *key);

/* ---- limits (ledger_limits.c) ---- */

struct ledger_window {
    const char *account; /* key */
    const char *window;  /* "five_hour", "seven_day", "weekly", "5h"…: the agent's word */
    double percent;      /* used, 0 to 100; below 0: not known */
    int64_t resets_at_ms;
    int64_t observed_at_ms;
    const char *source; /* "status line", "stream", "transcript", "rollout", "app-server", "screen", "hook" */
};

/* A window as an agent told it, made sound: percent within 0 to 100, a reset that is past, or more than 32 days ahead, is
 * unknown; of what was seen before a reset that is past, nothing is known. False: nothing sound is left of it. Pure. */
bool ledger_window_normalise(struct ledger_window *window, int64_t now_ms);
/* Normalises it, and keeps it unless a newer observation of the same window is kept. What a newer one does not tell (percent or
 * reset) is kept from the one before while its reset is ahead. Nothing sound: nothing is done, 0. */
int ledger_window_put(struct ledger *ledger, const struct ledger_window *window, int64_t now_ms,
                      struct error *error);
/*
 * [{account, agent, key, limited_until, limited_since, waiting: sessions that wait for it, running: turns on it, next_release,
 *   probe, windows: [{window, percent, resets_at, observed_at, source, stale,
 *                     burn_pct_per_h, exhausted_at, estimate: true}]}]
 * by key; times RFC 3339, unknown values null. Windows whose reset has passed are left out, as are accounts of which there is
 * nothing to tell; stale: seen more than an hour ago. Sessions that are dead do not count.
 */
json_t *ledger_limits(struct ledger *ledger, int64_t now_ms, struct error *error);

/* ---- turns: who may go (ledger_turns.c) ---- */

struct ledger_turn {
    const char *account; /* key */
    const char *session; /* UUID */
    int64_t now_ms;
    int64_t jitter_ms;  /* after the reset, for this session */
    int64_t stagger_ms; /* least time between two releases of sessions that waited, per account */
    int64_t probe_ms;   /* how long others wait for word from the one that goes first after a limit */
    unsigned cap;       /* turns on the account at once; 0: no cap */
    /* Whether a session still lives: leases of the dead count no more. */
    bool (*alive)(void *argument, const char *session);
    void *argument;
};

enum ledger_wait {
    LEDGER_GO,      /* the turn may begin; its lease is taken */
    LEDGER_LIMITED, /* the account is limited: at `again_ms` at the earliest */
    LEDGER_TURN,    /* another is released before */
    LEDGER_PROBE,   /* one goes first after the limit; until its word or `again_ms` */
    LEDGER_FULL,    /* as many turns as the cap allows; until ledger.notify or `again_ms` */
};

struct ledger_permission {
    enum ledger_wait wait;
    int64_t again_ms; /* when to ask again at the latest; 0 with LEDGER_GO */
    bool probes;      /* this turn is the one that goes first */
};

/* One transaction (BEGIN IMMEDIATE): a place in the order of release is reserved and kept until the turn ends or the session
 * gives it back. Asking again changes nothing but what time has changed. */
int ledger_turn_ask(struct ledger *ledger, const struct ledger_turn *turn,
                    struct ledger_permission *permission, struct error *error);
/* The account answers this session: a limit that was noted is over, those who wait are released in their order. An answer to a
 * turn that began before the limit was noted changes nothing. */
int ledger_turn_through(struct ledger *ledger, const struct ledger_turn *turn, struct error *error);
/* The account refused the session's turn until `until_ms` (0: not known, then nothing is marked but that the next goes first
 * alone). The lease ends. Newest word wins, also when it is earlier than what was believed. */
int ledger_turn_refused(struct ledger *ledger, const struct ledger_turn *turn, int64_t until_ms,
                        struct error *error);
/* The turn ended, or is wanted no more: lease and place are given back. */
int ledger_turn_over(struct ledger *ledger, const struct ledger_turn *turn, struct error *error);
/* Whether nothing is noted of the account's limits, so that any turn may begin. True also when there is nothing to read. */
bool ledger_turn_free(struct ledger *ledger, const char *account);
/* 0 unless the account is limited at that moment. -1 on error. */
int64_t ledger_limited_until(struct ledger *ledger, const char *account, int64_t now_ms, struct error *error);

/* ---- usage (ledger_usage.c) ---- */

enum ledger_basis { LEDGER_UNPRICED, LEDGER_REPORTED, LEDGER_COMPUTED, LEDGER_SUBSCRIPTION };

/* What one answer of a model used. The same answer told twice counts once: `message` and `request` together name it. Of two
 * records the one that is no sidechain's counts, else the one with more tokens, else the earlier one; it stays its session's. A
 * sidechain's record matches on `message` alone. Tokens below 0: not told, counted as 0. */
struct ledger_usage {
    const char *agent, *account; /* account: key */
    const char *message;         /* the agent's id of the answer, unique among all of the agent's */
    const char *request;         /* or NULL */
    const char *conversation;    /* the agent's own session id, or NULL */
    const char *session;         /* UUID of ganger's session, or NULL: from before ganger */
    unsigned attempt;
    const char *model; /* or NULL */
    int64_t at_ms;
    bool sidechain;
    int64_t input_tokens; /* without those read from or written to a cache */
    int64_t output_tokens, cache_read_tokens, cache_write_tokens;
    double cost_usd; /* below 0: not known */
    enum ledger_basis basis;
};

/* All in one transaction. */
int ledger_usage_add(struct ledger *ledger, const struct ledger_usage *rows, size_t count,
                     struct error *error);
/* Before very many additions: takes more memory for them. */
void ledger_usage_bulk(struct ledger *ledger);
/* The number of answers that are known. */
int ledger_usage_count(struct ledger *ledger, int64_t *count, struct error *error);
/* How far a file was read, so that it is not read again: 0 when it is not known, or is another file by now. */
int64_t ledger_file_offset(struct ledger *ledger, const char *path, int64_t device, int64_t inode,
                           int64_t size);
int ledger_file_read(struct ledger *ledger, const char *path, int64_t device, int64_t inode, int64_t offset,
                     struct error *error);

enum ledger_usage_by { USAGE_BY_ACCOUNT, USAGE_BY_SESSION, USAGE_BY_MODEL, USAGE_BY_DAY };

struct ledger_usage_query {
    enum ledger_usage_by by;
    int64_t since_ms, until_ms;    /* 0: no bound; until is exclusive */
    const char *account, *session; /* key, UUID; NULL: all */
};
/* [{account|session|model|day, agent, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, total_tokens,
 *   cost_usd, cost_basis, messages}], days in local time. cost_basis is that of all its parts: null (no price is
 * known), "computed", "subscription", "reported"; "mixed" when they differ. `agent` is null when there are several. */
json_t *ledger_usage_sum(struct ledger *ledger, const struct ledger_usage_query *query, struct error *error);

#endif
