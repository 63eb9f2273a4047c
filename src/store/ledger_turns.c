#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/ledger_private.h"
#include "store/turn_order.h"

/* A transaction on one account. */
struct turn_work {
    const struct ledger_turn *turn;
    struct turn_order order;
    struct ledger_permission *permission;
    int64_t until_ms;
    bool notify; /* others have something to gain from it */
};

/* ---- reading ---- */

static void copy_session(char out[TURN_SESSION_SIZE], const char *session)
{
    (void)strlcpy(out, session != NULL ? session : "", TURN_SESSION_SIZE);
}

static int load_account(struct ledger *ledger, struct turn_work *work, struct error *error)
{
    struct turn_order *order = &work->order;
    sqlite3_stmt *row = ledger_query(ledger, error,
                                     "SELECT limited_since, limited_until, recovering, probe, probe_at, "
                                     "released_at FROM account WHERE key = ?",
                                     "t", work->turn->account);
    int found = row == NULL ? -1 : ledger_step(ledger, error, row);

    if (found > 0) {
        order->limited_since = sqlite3_column_int64(row, 0);
        order->limited_until = sqlite3_column_int64(row, 1);
        order->recovering = sqlite3_column_int(row, 2) != 0;
        copy_session(order->probe, ledger_text(row, 3));
        order->probe_at = sqlite3_column_int64(row, 4);
        order->released_at = sqlite3_column_int64(row, 5);
    }
    (void)sqlite3_finalize(row);
    return found < 0 ? -1 : 0;
}

static int load_places(struct ledger *ledger, struct turn_work *work, struct error *error)
{
    struct turn_order *order = &work->order;
    sqlite3_stmt *rows = ledger_query(
        ledger, error, "SELECT session, running, release_at, since, asked FROM turn WHERE account = ?", "t",
        work->turn->account);
    size_t capacity = 8;
    int found = -1;

    order->places = xcalloc(capacity, sizeof *order->places);
    while (rows != NULL && (found = ledger_step(ledger, error, rows)) > 0) {
        struct turn_place *place;
        /* Room for one more, the session's own. */
        if (order->count + 2 > capacity)
            order->places = xreallocarray(order->places, capacity *= 2, sizeof *order->places);
        place = &order->places[order->count++];
        *place = (struct turn_place){.running = sqlite3_column_int(rows, 1) != 0,
                                     .release_at = sqlite3_column_int64(rows, 2),
                                     .since = sqlite3_column_int64(rows, 3),
                                     .asked = sqlite3_column_int64(rows, 4)};
        copy_session(place->session, ledger_text(rows, 0));
    }
    (void)sqlite3_finalize(rows);
    return found;
}

static int drop_place(struct ledger *ledger, const char *session, struct error *error)
{
    return ledger_run(ledger, error, "DELETE FROM turn WHERE session = ?", "t", session);
}

/* Leases and places of the dead count no more, nor does a probe that has no turn. */
static int drop_dead(struct ledger *ledger, struct turn_work *work, struct error *error)
{
    const struct ledger_turn *turn = work->turn;
    struct turn_order *order = &work->order;
    bool probes = false;
    size_t kept = 0;

    for (size_t i = 0; i < order->count; i++) {
        const struct turn_place *place = &order->places[i];
        if (strcmp(place->session, turn->session) != 0 && turn->alive != NULL &&
            !turn->alive(turn->argument, place->session)) {
            work->notify = true;
            if (drop_place(ledger, place->session, error) < 0)
                return -1;
            continue;
        }
        probes = probes || (place->running && strcmp(place->session, order->probe) == 0);
        order->places[kept++] = *place;
    }
    order->count = kept;
    if (!probes)
        order->probe[0] = '\0';
    return 0;
}

static int load(struct ledger *ledger, struct turn_work *work, struct error *error)
{
    return load_account(ledger, work, error) < 0 || load_places(ledger, work, error) < 0 ||
                   drop_dead(ledger, work, error) < 0
               ? -1
               : 0;
}

/* ---- writing ---- */

static int store(struct ledger *ledger, const struct turn_work *work, struct error *error)
{
    const struct turn_order *order = &work->order;

    for (size_t i = 0; i < order->count; i++) {
        const struct turn_place *place = &order->places[i];
        if (place->changed &&
            ledger_run(ledger, error,
                       "INSERT OR REPLACE INTO turn (session, account, running, release_at, since, asked) "
                       "VALUES (?, ?, ?, ?, ?, ?)",
                       "ttiiii", place->session, work->turn->account, (int64_t)place->running,
                       place->release_at, place->since, place->asked) < 0)
            return -1;
    }
    return ledger_run(ledger, error,
                      "INSERT OR REPLACE INTO account (key, limited_since, limited_until, recovering, probe, "
                      "probe_at, released_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                      "tiiitii", work->turn->account, order->limited_since, order->limited_until,
                      (int64_t)order->recovering, order->probe[0] == '\0' ? NULL : order->probe,
                      order->probe_at, order->released_at);
}

static int in_transaction(struct ledger *ledger, ledger_work_in *step, struct turn_work *work,
                          struct error *error)
{
    int result = ledger_transaction(ledger, step, work, error);

    free(work->order.places);
    if (result == 0 && work->notify)
        ledger_notify(ledger);
    return result;
}

/* Takes the session off an account: its lease or place, and that it is the probe. */
static int leave(struct ledger *ledger, struct turn_work *work, const char *session, const char *account,
                 struct error *error)
{
    int64_t others;

    if (drop_place(ledger, session, error) < 0 ||
        ledger_run(ledger, error, "UPDATE account SET probe = NULL, probe_at = 0 WHERE key = ? AND probe = ?",
                   "tt", account, session) < 0 ||
        ledger_number(ledger, error, &others, "SELECT count(*) FROM turn WHERE account = ? AND running = 0",
                      "t", account) < 0)
        return -1;
    work->notify = work->notify || others > 0;
    return 0;
}

/* Takes the session off every account but this one (NULL: off all). */
static int leave_others(struct ledger *ledger, struct turn_work *work, const char *keep, struct error *error)
{
    const char *session = work->turn->session;
    sqlite3_stmt *row =
        ledger_query(ledger, error, "SELECT account FROM turn WHERE session = ? AND account IS NOT ?", "tt",
                     session, keep);
    int found = row == NULL ? -1 : ledger_step(ledger, error, row);
    char *account = found > 0 ? xstrdup(ledger_text(row, 0)) : NULL;

    (void)sqlite3_finalize(row);
    if (found > 0 && leave(ledger, work, session, account, error) < 0)
        found = -1;
    free(account);
    return found < 0 ? -1 : 0;
}

/* ---- the steps ---- */

static int ask(struct ledger *ledger, void *argument, struct error *error)
{
    struct turn_work *work = argument;

    if (leave_others(ledger, work, work->turn->account, error) < 0 || load(ledger, work, error) < 0)
        return -1;
    turn_order_ask(&work->order, work->turn, work->permission);
    return store(ledger, work, error);
}

int ledger_turn_ask(struct ledger *ledger, const struct ledger_turn *turn,
                    struct ledger_permission *permission, struct error *error)
{
    struct turn_work work = {.turn = turn, .permission = permission};

    ledger_place_notify_file(ledger->state_dir);
    return in_transaction(ledger, ask, &work, error);
}

static int through(struct ledger *ledger, void *argument, struct error *error)
{
    struct turn_work *work = argument;

    if (load(ledger, work, error) < 0)
        return -1;
    if (!work->order.recovering && work->order.limited_until == 0)
        return 0;
    turn_order_through(&work->order, work->turn);
    work->notify = true;
    return store(ledger, work, error);
}

int ledger_turn_through(struct ledger *ledger, const struct ledger_turn *turn, struct error *error)
{
    struct turn_work work = {.turn = turn};
    int64_t noted;

    /* Nearly always there is nothing to end. */
    if (ledger_number(ledger, error, &noted,
                      "SELECT 1 FROM account WHERE key = ? AND (recovering OR limited_until)", "t",
                      turn->account) < 0)
        return -1;
    return noted == 0 ? 0 : in_transaction(ledger, through, &work, error);
}

static int refused(struct ledger *ledger, void *argument, struct error *error)
{
    struct turn_work *work = argument;

    if (leave_others(ledger, work, NULL, error) < 0 || load(ledger, work, error) < 0)
        return -1;
    turn_order_refused(&work->order, work->turn, work->until_ms);
    work->notify = true;
    return store(ledger, work, error);
}

int ledger_turn_refused(struct ledger *ledger, const struct ledger_turn *turn, int64_t until_ms,
                        struct error *error)
{
    struct turn_work work = {.turn = turn, .until_ms = until_ms};

    return in_transaction(ledger, refused, &work, error);
}

static int over(struct ledger *ledger, void *argument, struct error *error)
{
    return leave_others(ledger, argument, NULL, error);
}

int ledger_turn_over(struct ledger *ledger, const struct ledger_turn *turn, struct error *error)
{
    struct turn_work work = {.turn = turn};
    int64_t there;

    if (ledger_number(ledger, error, &there, "SELECT 1 FROM turn WHERE session = ?", "t", turn->session) < 0)
        return -1;
    return there == 0 ? 0 : in_transaction(ledger, over, &work, error);
}

bool ledger_turn_free(struct ledger *ledger, const char *account)
{
    int64_t noted;

    return ledger_number(ledger, NULL, &noted,
                         "SELECT 1 FROM account WHERE key = ? AND (recovering OR limited_until)", "t",
                         account) < 0 ||
           noted == 0;
}

int64_t ledger_limited_until(struct ledger *ledger, const char *account, int64_t now_ms, struct error *error)
{
    int64_t until;

    if (ledger_number(ledger, error, &until, "SELECT limited_until FROM account WHERE key = ?", "t",
                      account) < 0)
        return -1;
    return until > now_ms ? until : 0;
}
