#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "store/ledger_private.h"
#include "store/limit_burn.h"
#include "store/session_dir.h"

#define RESET_MAX_MS (32 * INT64_C(86400000))
#define NAME_MAX_BYTES 200
#define CLOCK_SLACK_MS 60000
#define STALE_MS 3600000         /* an older observation is shown as such */
#define UNBOUNDED_MS "604800000" /* a week, for which a window is shown whose reset is not known */
#define OBSERVATIONS_MAX 64
#define SPACING_MS 56000 /* so that these reach back an hour */

/* ---- windows as they come ---- */

static bool is_name(const char *text)
{
    return text != NULL && text[0] != '\0' && strlen(text) <= NAME_MAX_BYTES;
}

bool ledger_window_normalise(struct ledger_window *window, int64_t now_ms)
{
    if (window->observed_at_ms <= 0 || window->observed_at_ms > now_ms)
        window->observed_at_ms = now_ms;
    if (!isfinite(window->percent) || window->percent < 0)
        window->percent = -1;
    else if (window->percent > 100)
        window->percent = 100;
    if (window->resets_at_ms <= now_ms) {
        /* What was seen before a reset says nothing of the time after it. */
        if (window->resets_at_ms > window->observed_at_ms)
            window->percent = -1;
        window->resets_at_ms = 0;
    }
    if (window->resets_at_ms > now_ms + RESET_MAX_MS)
        window->resets_at_ms = 0;
    return is_name(window->account) && is_name(window->window) &&
           (window->percent >= 0 || window->resets_at_ms != 0);
}

/* ---- keeping them ---- */

struct putting {
    const struct ledger_window *window;
    int64_t now_ms;
};

/* What a newer observation does not tell is kept while its reset is ahead. */
static int put_window(struct ledger *ledger, const struct putting *putting, struct error *error)
{
    const struct ledger_window *window = putting->window;
    const char *sql =
        "INSERT INTO limit_window AS old (account, window, percent, resets_at, observed_at, source) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account, window) DO UPDATE SET "
        "percent = coalesce(excluded.percent, CASE WHEN old.resets_at > ?5 THEN old.percent END), "
        "resets_at = CASE WHEN excluded.resets_at = 0 AND old.resets_at > ?5 AND "
        "coalesce(excluded.percent >= old.percent - 1, 1) THEN old.resets_at ELSE excluded.resets_at END, "
        "observed_at = ?5, source = ?6 WHERE old.observed_at <= ?5 OR old.observed_at > ?7";
    int64_t future = putting->now_ms + CLOCK_SLACK_MS;
    const char *source = window->source != NULL ? window->source : "";

    if (window->percent < 0)
        return ledger_run(ledger, error, sql, "ttniiti", window->account, window->window,
                          window->resets_at_ms, window->observed_at_ms, source, future);
    return ledger_run(ledger, error, sql, "ttriiti", window->account, window->window, window->percent,
                      window->resets_at_ms, window->observed_at_ms, source, future);
}

static int put_observation(struct ledger *ledger, const struct putting *putting, struct error *error)
{
    const struct ledger_window *window = putting->window;
    int64_t close_by;

    if (window->percent < 0)
        return 0;
    if (ledger_number(
            ledger, error, &close_by,
            "SELECT 1 FROM limit_observation WHERE account = ? AND window = ? AND observed_at > ? AND "
            "observed_at <= ? AND percent <= ? LIMIT 1",
            "ttiir", window->account, window->window, window->observed_at_ms - SPACING_MS,
            window->observed_at_ms, window->percent) < 0)
        return -1;
    if (close_by == 0 &&
        ledger_run(
            ledger, error,
            "INSERT OR REPLACE INTO limit_observation (account, window, observed_at, percent, resets_at) "
            "VALUES (?, ?, ?, ?, ?)",
            "ttiri", window->account, window->window, window->observed_at_ms, window->percent,
            window->resets_at_ms) < 0)
        return -1;
    /* Those of an earlier period, those from a future that a clock made, and those too many. */
    return ledger_run(ledger, error,
                      "DELETE FROM limit_observation WHERE account = ?1 AND window = ?2 AND "
                      "((resets_at > 0 AND resets_at <= ?3) OR observed_at > ?4 OR observed_at < "
                      "(SELECT observed_at FROM limit_observation WHERE account = ?1 AND window = ?2 "
                      "ORDER BY observed_at DESC LIMIT 1 OFFSET ?5))",
                      "ttiii", window->account, window->window, window->observed_at_ms,
                      putting->now_ms + CLOCK_SLACK_MS, (int64_t)OBSERVATIONS_MAX - 1);
}

static int put(struct ledger *ledger, void *argument, struct error *error)
{
    return put_window(ledger, argument, error) < 0 ? -1 : put_observation(ledger, argument, error);
}

int ledger_window_put(struct ledger *ledger, const struct ledger_window *window, int64_t now_ms,
                      struct error *error)
{
    struct ledger_window sound = *window;
    struct putting putting = {&sound, now_ms};

    return ledger_window_normalise(&sound, now_ms) ? ledger_transaction(ledger, put, &putting, error) : 0;
}

/* ---- what is known of all accounts ---- */

struct listing {
    json_t *entries; /* array, by key */
    json_t *by_key;  /* the same entries */
    int64_t now_ms;
};

static json_t *entry_of(struct listing *listing, const char *key)
{
    json_t *entry = json_object_get(listing->by_key, key);
    const char *slash = strchr(key, '/');
    char *agent;

    if (entry != NULL)
        return entry;
    agent = xstrndup(key, slash != NULL ? (size_t)(slash - key) : strlen(key));
    entry = json_pack("{so so so sn sn si si sn sn s[]}", "account",
                      json_string_or_null(ledger_account_name(key)), "agent", json_string_or_null(agent),
                      "key", json_string_or_null(key), "limited_until", "limited_since", "waiting", 0,
                      "running", 0, "next_release", "probe", "windows");
    free(agent);
    json_object_set_new(listing->by_key, key, entry);
    json_array_append(listing->entries, entry);
    return entry;
}

/* Runs a query and gives each row to `take`. */
static int each_row(struct ledger *ledger, struct listing *listing, struct error *error, const char *sql,
                    void (*take)(struct ledger *ledger, struct listing *listing, sqlite3_stmt *row))
{
    sqlite3_stmt *rows = ledger_query(ledger, error, sql, "i", listing->now_ms);
    int found = -1;

    while (rows != NULL && (found = ledger_step(ledger, error, rows)) > 0)
        take(ledger, listing, rows);
    (void)sqlite3_finalize(rows);
    return found;
}

static void take_key(struct ledger *ledger, struct listing *listing, sqlite3_stmt *row)
{
    (void)ledger;
    (void)entry_of(listing, ledger_text(row, 0));
}

static void take_account(struct ledger *ledger, struct listing *listing, sqlite3_stmt *row)
{
    json_t *entry = entry_of(listing, ledger_text(row, 0));

    (void)ledger;
    json_object_set_new(entry, "limited_since", json_time_or_null(sqlite3_column_int64(row, 1)));
    json_object_set_new(entry, "limited_until", json_time_or_null(sqlite3_column_int64(row, 2)));
    json_object_set_new(entry, "probe", json_string_or_null(ledger_text(row, 3)));
}

static void take_turn(struct ledger *ledger, struct listing *listing, sqlite3_stmt *row)
{
    json_t *entry = entry_of(listing, ledger_text(row, 0));
    const char *session = ledger_text(row, 1);
    const char *kind = sqlite3_column_int(row, 2) != 0 ? "running" : "waiting";

    if (session_dir_alive(ledger->state_dir, session, NULL) == 0) {
        if (strcmp(session, json_member_string(entry, "probe", "")) == 0)
            json_object_set_new(entry, "probe", json_null());
        return;
    }
    json_object_set_new(entry, kind, json_integer(json_member_integer(entry, kind, 0) + 1));
    /* They come by the time of their release. */
    if (*kind == 'w' && json_is_null(json_object_get(entry, "next_release")))
        json_object_set_new(entry, "next_release", json_time_or_null(sqlite3_column_int64(row, 3)));
}

/* ---- windows ---- */

static json_t *number_or_null(bool known, double number)
{
    return known ? json_real((double)(int64_t)(number * 10 + 0.5) / 10) : json_null();
}

/* The observations of a window by time, and its present value as the newest. Returns how many. */
static size_t load_observations(struct ledger *ledger, sqlite3_stmt *row, struct limit_observation *seen)
{
    const struct limit_observation newest = {.at_ms = sqlite3_column_int64(row, 4),
                                             .percent = sqlite3_column_double(row, 2),
                                             .resets_at_ms = sqlite3_column_int64(row, 3)};
    sqlite3_stmt *rows = ledger_query(
        ledger, NULL,
        "SELECT observed_at, percent, resets_at FROM limit_observation WHERE "
        "account = ? AND window = ? AND observed_at < ? ORDER BY observed_at LIMIT ?",
        "ttii", ledger_text(row, 0), ledger_text(row, 1), newest.at_ms, (int64_t)OBSERVATIONS_MAX);
    size_t count = 0;

    while (rows != NULL && count < OBSERVATIONS_MAX && ledger_step(ledger, NULL, rows) > 0)
        seen[count++] = (struct limit_observation){.at_ms = sqlite3_column_int64(rows, 0),
                                                   .percent = sqlite3_column_double(rows, 1),
                                                   .resets_at_ms = sqlite3_column_int64(rows, 2)};
    (void)sqlite3_finalize(rows);
    seen[count++] = newest;
    return count;
}

static void take_window(struct ledger *ledger, struct listing *listing, sqlite3_stmt *row)
{
    struct limit_observation seen[OBSERVATIONS_MAX + 1];
    bool known = sqlite3_column_type(row, 2) != SQLITE_NULL;
    size_t count = known ? load_observations(ledger, row, seen) : 0;
    int64_t observed_at = sqlite3_column_int64(row, 4);
    double rate = 0;
    bool burns = known && limit_burn_rate(seen, count, listing->now_ms, &rate);
    json_t *window = json_pack(
        "{so so so so so sb so so sb}", "window", json_string_or_null(ledger_text(row, 1)), "percent",
        number_or_null(known, sqlite3_column_double(row, 2)), "resets_at",
        json_time_or_null(sqlite3_column_int64(row, 3)), "observed_at", json_time_or_null(observed_at),
        "source", json_string_or_null(ledger_text(row, 5)), "stale", observed_at < listing->now_ms - STALE_MS,
        "burn_pct_per_h", number_or_null(burns, rate), "exhausted_at",
        json_time_or_null(burns ? limit_burn_exhausted(&seen[count - 1], rate) : 0), "estimate", 1);

    json_array_append_new(json_object_get(entry_of(listing, ledger_text(row, 0)), "windows"), window);
}

static int list(struct ledger *ledger, struct listing *listing, struct error *error)
{
    /* The first only gives the entries their order; each has the time as its parameter. */
    if (each_row(ledger, listing, error,
                 "SELECT key, ?1 FROM account UNION SELECT account, ?1 FROM limit_window UNION "
                 "SELECT account, ?1 FROM turn ORDER BY 1",
                 take_key) < 0 ||
        each_row(ledger, listing, error,
                 "SELECT key, iif(limited_until > ?1, limited_since, 0), "
                 "iif(limited_until > ?1, limited_until, 0), probe FROM account",
                 take_account) < 0 ||
        each_row(ledger, listing, error,
                 "SELECT account, session, running, release_at FROM turn WHERE ?1 ORDER BY release_at",
                 take_turn) < 0)
        return -1;
    return each_row(ledger, listing, error,
                    "SELECT account, window, percent, resets_at, observed_at, source FROM limit_window "
                    "WHERE resets_at > ?1 OR (resets_at = 0 AND observed_at > ?1 - " UNBOUNDED_MS ") "
                    "ORDER BY account, window",
                    take_window);
}

static bool tells_something(const json_t *entry)
{
    return json_array_size(json_object_get(entry, "windows")) > 0 ||
           !json_is_null(json_object_get(entry, "limited_until")) ||
           json_member_integer(entry, "waiting", 0) > 0 || json_member_integer(entry, "running", 0) > 0;
}

json_t *ledger_limits(struct ledger *ledger, int64_t now_ms, struct error *error)
{
    struct listing listing = {json_array(), json_object(), now_ms};
    int result = -1;

    /* One snapshot for all of it. */
    if (ledger_run(ledger, error, "BEGIN", "") == 0) {
        result = list(ledger, &listing, error);
        (void)sqlite3_exec(ledger->database, "COMMIT", NULL, NULL, NULL);
    }
    json_decref(listing.by_key);
    for (size_t i = json_array_size(listing.entries); i > 0; i--) {
        if (!tells_something(json_array_get(listing.entries, i - 1)))
            json_array_remove(listing.entries, i - 1);
    }
    if (result == 0)
        return listing.entries;
    json_decref(listing.entries);
    return NULL;
}
