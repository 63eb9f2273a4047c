#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tests/simulation/world.h"

/* What an account may lie idle for while a session waits: the jitter and an answer of the one that goes first; after a death, a
 * step of the clock or a limit without reset, until the others no longer wait for its word. */
#define IDLE_MS (30000 + 6000)
#define DISTURBED_FOR_MS (5 * MINUTE_MS)
/* The turns that run when the limit is hit, and then one at a time: for the week's limit after the five hours', for a clock
 * that is fast, and for limits that are told without their reset. */
#define IN_A_ROW_MAX(cap) (2 * (int64_t)(cap) + 12)

static int failures;

#define EXPECT(condition, ...)                                                                               \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            failures++;                                                                                      \
            (void)fprintf(stderr, "not as it must be: " __VA_ARGS__);                                        \
            (void)fputc('\n', stderr);                                                                       \
        }                                                                                                    \
    } while (0)

/* ---- between ticks ---- */

static int64_t waits_since(int account)
{
    int64_t since = NEVER;

    for (int i = 0; i < world->options.sessions; i++) {
        const struct session *session = &world->sessions[i];

        if (session->account == account && session->alive && session->state == STATE_ASKING &&
            session->held && session->held_since_ms < since)
            since = session->held_since_ms;
    }
    return since;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void watch_account(int index)
{
    const struct account *account = &world->accounts[index];
    int64_t since = waits_since(index), *longest;

    if (since == NEVER || vendor_usable_from(account) > world->now_ms ||
        (world->options.cap > 0 && account->running >= (int)world->options.cap))
        return;
    since = later(later(since, account_over_ms(account)), account->last_change_ms);
    longest = account->disturbed_ms + DISTURBED_FOR_MS > since ? &world->figures.idle_disturbed_max_ms
                                                               : &world->figures.idle_max_ms;
    if (world->now_ms - since > *longest)
        *longest = world->now_ms - since;
}

void checks_watch(void)
{
    for (int i = 0; i < world->options.accounts; i++)
        watch_account(i);
}

int checks_unfinished(void)
{
    int count = 0;

    for (int i = 0; i < world->options.sessions; i++)
        count += world->sessions[i].state != STATE_DONE && world->sessions[i].state != STATE_GONE;
    return count;
}

/* ---- at the end ---- */

static void check_prompt(const struct session *session, int prompt, int64_t *fates)
{
    const unsigned char *accepted = session->accepted[prompt];
    enum fate fate = session->fate[prompt];

    fates[fate]++;
    for (int step = 0; step < STEPS_MAX; step++)
        EXPECT(accepted[step] <= 1, "session %s sent prompt %d, step %d, %d times", session->uuid, prompt,
               step, accepted[step]);
    if (fate == FATE_DONE || fate == FATE_UNCERTAIN)
        EXPECT(accepted[0] == 1, "session %s never sent prompt %d", session->uuid, prompt);
    EXPECT(fate != FATE_WAITING, "session %s lost prompt %d", session->uuid, prompt);
}

static int compare(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static json_t *waits_json(struct waits *waits)
{
    int count = waits->count;

    qsort(waits->ms, (size_t)count, sizeof waits->ms[0], compare);
    if (count == 0)
        return json_pack("{s:i}", "resets", 0);
    return json_pack("{s:i,s:f,s:f,s:f}", "resets", count, "median_s", waits->ms[count / 2] / 1000.0, "p95_s",
                     waits->ms[(count * 95) / 100] / 1000.0, "max_s", waits->ms[count - 1] / 1000.0);
}

static json_t *accounts_json(void)
{
    json_t *list = json_array();

    for (int i = 0; i < world->options.accounts; i++) {
        const struct account *account = &world->accounts[i];
        double gap = account->least_gap_ms == NEVER ? -1 : (double)account->least_gap_ms / 1000.0;

        (void)json_array_append_new(list, json_pack("{s:s,s:i,s:I,s:f,s:I,s:i}", "account", account->key,
                                                    "turns_at_once_max", account->running_max,
                                                    "times_exhausted", (json_int_t)account->limits,
                                                    "least_s_between_releases", gap, "refused_in_a_row_max",
                                                    (json_int_t)account->refused_in_a_row_max,
                                                    "probes_at_once_max", account->probing_max));
        EXPECT(world->options.cap == 0 || account->running_max <= (int)world->options.cap,
               "%s had %d turns at once", account->key, account->running_max);
        EXPECT(account->least_gap_ms >= world->rules.stagger_ms,
               "%s released two sessions within %" PRId64 " ms", account->key, account->least_gap_ms);
        EXPECT(world->options.cap == 0 || account->refused_in_a_row_max <= IN_A_ROW_MAX(world->options.cap),
               "%s refused %" PRId64 " requests in a row", account->key, account->refused_in_a_row_max);
        /* Two: the limit is told over at the moment in which another is noted. */
        EXPECT(account->probing_max <= 2, "%s was tried by %d at once after a limit", account->key,
               account->probing_max);
        EXPECT(account->running == 0, "%s has %d turns at the end", account->key, account->running);
    }
    return list;
}

static json_t *prompts_json(void)
{
    int64_t fates[4] = {0};

    for (int i = 0; i < world->options.sessions; i++) {
        for (int k = 0; k < world->options.prompts; k++)
            check_prompt(&world->sessions[i], k, fates);
    }
    return json_pack("{s:I,s:I,s:I,s:I}", "done", (json_int_t)fates[FATE_DONE], "uncertain",
                     (json_int_t)fates[FATE_UNCERTAIN], "of_dead_sessions", (json_int_t)fates[FATE_ABANDONED],
                     "lost", (json_int_t)fates[FATE_WAITING]);
}

static json_t *counts_json(void)
{
    const struct figures *f = &world->figures;

    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "requests",
                     (json_int_t)f->requests, "accepted", (json_int_t)f->accepted, "refused",
                     (json_int_t)f->limited, "refused_without_reset", (json_int_t)f->limited_untold,
                     "overloaded", (json_int_t)f->overloaded, "unauthorized", (json_int_t)f->unauthorized,
                     "broken_by_sleep", (json_int_t)f->broken, "turns", (json_int_t)f->grants, "released",
                     (json_int_t)f->releases, "deaths", (json_int_t)f->deaths, "killed_while_asking",
                     (json_int_t)f->killed, "moved_to_another_account", (json_int_t)f->rotations,
                     "stopped_for_a_person", (json_int_t)f->stops);
}

static void check_figures(void)
{
    const struct figures *f = &world->figures;

    EXPECT(f->ledger_errors == 0, "the ledger failed %" PRId64 " times: %s", f->ledger_errors,
           f->first_ledger_error);
    EXPECT(f->idle_max_ms <= IDLE_MS, "an account lay idle for %" PRId64 " ms", f->idle_max_ms);
    EXPECT(f->idle_disturbed_max_ms <= IDLE_MS + world->rules.probe_ms,
           "after a disturbance an account lay idle for %" PRId64 " ms", f->idle_disturbed_max_ms);
    EXPECT(checks_unfinished() == 0, "%d sessions hang", checks_unfinished());
}

static void check_ledger(void)
{
    struct error error = {.code = 0};
    struct ledger *ledger = ledger_open(world->options.state_dir, LEDGER_READ, &error);

    EXPECT(ledger != NULL && ledger_check(ledger, &error) == 0, "the ledger: %s", error.text);
    ledger_close(ledger);
}

int checks_report(void)
{
    const struct figures *f = &world->figures;
    double operations = f->operations > 0 ? (double)f->operations : 1;
    json_t *report = json_pack(
        "{s:{s:i,s:i,s:i,s:i,s:I,s:I},s:f,s:o,s:o,s:o,s:o,s:f,s:f,s:{s:I,s:I,s:f,s:f}}", "simulated",
        "sessions", world->options.sessions, "accounts", world->options.accounts, "processes",
        world->options.workers, "turns_per_account", (int)world->options.cap, "days",
        (json_int_t)world->options.days, "seed", (json_int_t)world->options.seed, "days_until_all_was_done",
        (double)(world->now_ms - world->begin_ms) / (double)DAY_MS, "prompts", prompts_json(), "counts",
        counts_json(), "accounts", accounts_json(), "from_reset_to_first_turn",
        waits_json(&world->figures.first), "idle_while_one_waits_max_s", (double)f->idle_max_ms / 1000.0,
        "idle_after_disturbance_max_s", (double)f->idle_disturbed_max_ms / 1000.0, "ledger", "operations",
        (json_int_t)f->operations, "errors", (json_int_t)f->ledger_errors, "mean_ms",
        (double)f->busy_us / operations / 1000.0, "slowest_ms", (double)f->slowest_operation_us / 1000.0);

    check_figures();
    check_ledger();
    (void)json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    (void)puts("");
    json_decref(report);
    return failures;
}
