#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/json.h"
#include "scratch.h"
#include "store/ledger_private.h"
#include "store/session_dir.h"
#include "test.h"

#define START INT64_C(1800000000000)
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

TEST(windows_are_made_sound)
{
    static const struct {
        const char *title;
        double percent;
        int64_t resets, observed; /* after START; 0: not known */
        bool sound;
        double expect_percent;
        int64_t expect_resets;
    } cases[] = {
        {"sound", 42.5, HOUR, -MINUTE, true, 42.5, HOUR},
        {"above 100", 130, HOUR, 0, true, 100, HOUR},
        {"no number", NAN, HOUR, 0, true, -1, HOUR},
        {"infinite", INFINITY, HOUR, 0, true, -1, HOUR},
        {"no reset", 10, 0, 0, true, 10, 0},
        {"reset far ahead", 10, 33 * DAY, 0, true, 10, 0},
        {"reset past when it was seen", 10, -HOUR, -MINUTE, true, 10, 0},
        {"reset past since it was seen", 10, -MINUTE, -HOUR, false, -1, 0},
        {"nothing", -1, 0, 0, false, -1, 0},
        {"nothing but a far reset", -3, 400 * DAY, 0, false, -1, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ledger_window window = {.account = "claude/",
                                       .window = "five_hour",
                                       .percent = cases[i].percent,
                                       .resets_at_ms = cases[i].resets == 0 ? 0 : START + cases[i].resets,
                                       .observed_at_ms = START + cases[i].observed};
        bool sound = ledger_window_normalise(&window, START);
        int64_t resets = cases[i].expect_resets == 0 ? 0 : START + cases[i].expect_resets;
        if (sound != cases[i].sound || fabs(window.percent - cases[i].expect_percent) > 0.001 ||
            window.resets_at_ms != resets)
            TEST_FAIL("%s: %d, %.1f, %lld", cases[i].title, sound, window.percent,
                      (long long)window.resets_at_ms);
    }
    struct ledger_window nameless = {.account = "claude/", .window = "", .percent = 1};
    CHECK(!ledger_window_normalise(&nameless, START));
}

static int put(struct ledger *ledger, double percent, int64_t resets, int64_t observed)
{
    const struct ledger_window window = {.account = "claude/work",
                                         .window = "five_hour",
                                         .percent = percent,
                                         .resets_at_ms = resets,
                                         .observed_at_ms = observed,
                                         .source = "status line"};

    return ledger_window_put(ledger, &window, observed, NULL);
}

/* The window of the only account; borrowed from *limits, which the caller frees. */
static const json_t *only_window(struct ledger *ledger, int64_t now, json_t **limits)
{
    *limits = ledger_limits(ledger, now, NULL);
    return json_array_get(json_object_get(json_array_get(*limits, 0), "windows"), 0);
}

TEST(the_newest_observation_wins)
{
    char *folder = scratch_folder();
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    json_t *limits;
    const json_t *window;

    CHECK_NUMBER(put(ledger, 10, START + HOUR, START), 0);
    CHECK_NUMBER(put(ledger, 12, START + HOUR, START + 2 * MINUTE), 0);
    CHECK_NUMBER(put(ledger, 50, START + 2 * HOUR, START + MINUTE), 0);
    window = only_window(ledger, START + 2 * MINUTE, &limits);
    CHECK_NUMBER(json_array_size(limits), 1);
    CHECK(fabs(json_member_number(window, "percent", -1) - 12) < 0.01);
    CHECK_STRING(json_member_string(window, "resets_at", ""), "2027-01-15T09:00:00.000Z");
    CHECK_STRING(json_member_string(window, "source", ""), "status line");
    CHECK(json_is_true(json_object_get(window, "estimate")));
    CHECK(json_is_false(json_object_get(window, "stale")));
    json_decref(limits);
    /* What is not told stays known. */
    CHECK_NUMBER(put(ledger, -1, START + HOUR, START + 3 * MINUTE), 0);
    CHECK_NUMBER(put(ledger, 13, 0, START + 4 * MINUTE), 0);
    CHECK_NUMBER(put(ledger, -1, START + HOUR, START + 5 * MINUTE), 0);
    window = only_window(ledger, START + 5 * MINUTE, &limits);
    CHECK(fabs(json_member_number(window, "percent", -1) - 13) < 0.01);
    CHECK_STRING(json_member_string(window, "resets_at", ""), "2027-01-15T09:00:00.000Z");
    json_decref(limits);
    /* After its reset a window is not told. */
    limits = ledger_limits(ledger, START + HOUR, NULL);
    CHECK_NUMBER(json_array_size(limits), 0);
    json_decref(limits);
    /* A clock that was far ahead for a while does not win for ever. */
    CHECK_NUMBER(put(ledger, 77, 0, START + 300 * DAY), 0);
    CHECK_NUMBER(put(ledger, 20, START + 3 * HOUR, START + 2 * HOUR), 0);
    window = only_window(ledger, START + 2 * HOUR, &limits);
    CHECK(fabs(json_member_number(window, "percent", -1) - 20) < 0.01);
    json_decref(limits);
    ledger_close(ledger);
    free(folder);
}

TEST(the_burn_rate_is_estimated)
{
    char *folder = scratch_folder();
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    int64_t count;
    json_t *limits;
    const json_t *window;

    CHECK_NUMBER(put(ledger, 90, START + MINUTE, START), 0);
    window = only_window(ledger, START, &limits);
    CHECK(json_is_null(json_object_get(window, "burn_pct_per_h")));
    CHECK(json_is_null(json_object_get(window, "exhausted_at")));
    json_decref(limits);
    /* Two hours at 30 % an hour, told each ten seconds. */
    for (int64_t at = 2 * MINUTE; at <= 2 * HOUR; at += 10000)
        CHECK_NUMBER(put(ledger, (double)at / HOUR * 30, START + 5 * HOUR, START + at), 0);
    CHECK_NUMBER(ledger_number(ledger, NULL, &count, "SELECT count(*) FROM limit_observation", ""), 0);
    CHECK_NUMBER(count, 64);
    window = only_window(ledger, START + 2 * HOUR, &limits);
    CHECK(fabs(json_member_number(window, "burn_pct_per_h", -1) - 30) < 0.2);
    CHECK(strncmp(json_member_string(window, "exhausted_at", ""), "2027-01-15T11:", 14) == 0);
    json_decref(limits);
    ledger_close(ledger);
    free(folder);
}

/* Holds the lock of a session, as its keeper does. Returns the descriptor. */
static int live(const char *folder, const char *uuid)
{
    char *session = session_dir_path(folder, uuid), *lock;
    int descriptor;

    if (path_make_dirs(session, 0700, NULL) < 0)
        abort();
    lock = scratch_file(session, SESSION_LOCK, "", 0);
    descriptor = open(lock, O_RDWR | O_CLOEXEC);
    if (descriptor < 0 || flock(descriptor, LOCK_EX) < 0)
        abort();
    free(lock);
    free(session);
    return descriptor;
}

TEST(limits_of_all_accounts)
{
    static const char *const uuids[] = {
        "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002",
        "00000000-0000-4000-8000-000000000003", "00000000-0000-4000-8000-000000000004"};
    char *folder = scratch_folder();
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    int locks[3];
    json_t *limits;
    const json_t *entry;

    for (int i = 0; i < 3; i++)
        locks[i] = live(folder, uuids[i]);
    for (int i = 0; i < 4; i++) {
        struct ledger_turn turn = {.account = i < 3 ? "codex/work" : "claude/",
                                   .session = uuids[i],
                                   .now_ms = START,
                                   .stagger_ms = MINUTE};
        struct ledger_permission permission;
        CHECK_NUMBER(ledger_turn_ask(ledger, &turn, &permission, NULL), 0);
        if (i == 0)
            CHECK_NUMBER(ledger_turn_refused(ledger, &turn, START + HOUR, NULL), 0);
    }
    limits = ledger_limits(ledger, START, NULL);
    /* The fourth is dead. */
    CHECK_NUMBER(json_array_size(limits), 1);
    entry = json_array_get(limits, 0);
    CHECK_STRING(json_member_string(entry, "agent", ""), "codex");
    CHECK_STRING(json_member_string(entry, "account", ""), "work");
    CHECK_STRING(json_member_string(entry, "key", ""), "codex/work");
    CHECK_STRING(json_member_string(entry, "limited_until", ""), "2027-01-15T09:00:00.000Z");
    CHECK_STRING(json_member_string(entry, "limited_since", ""), "2027-01-15T08:00:00.000Z");
    CHECK_STRING(json_member_string(entry, "next_release", ""), "2027-01-15T09:00:00.000Z");
    CHECK_NUMBER(json_member_integer(entry, "waiting", -1), 2);
    CHECK_NUMBER(json_member_integer(entry, "running", -1), 0);
    CHECK(json_is_null(json_object_get(entry, "probe")));
    json_decref(limits);
    for (int i = 0; i < 3; i++)
        close(locks[i]);
    ledger_close(ledger);
    free(folder);
}

TEST_MAIN
