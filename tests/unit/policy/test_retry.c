#include <stdlib.h>

#include "policy/retry.h"
#include "scratch.h"
#include "test.h"

#define NOW INT64_C(1795000000000)
#define S INT64_C(1000)
#define HOUR (3600 * S)
#define DAY (24 * HOUR)

static struct retry_rules rules_of(const char *text)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "config.json", text, strlen(text));
    struct config *config = config_load(path, NULL);
    struct retry_rules rules;

    if (config == NULL)
        abort();
    retry_rules_load(&rules, config);
    config_destroy(config);
    free(path);
    free(folder);
    return rules;
}

/* Times are after NOW; resets 0: not told, RESET_NEVER: far from what an integer holds. */
#define RESET_NEVER INT64_MAX
static const struct {
    const char *class;
    int64_t reset, after;
    int tries;
    int64_t failing;
    double random;
    enum retry_action action;
    int64_t at, jitter;
} table[] = {
    /* A known reset, whatever the tries, with jitter from 5 to 30 s. */
    {"rate_limit", 20 * S, 0, 1, 0, 0, RETRY_LIMITED, 20 * S, 5 * S},
    {"rate_limit", 20 * S, 0, 1, 0, 0.5, RETRY_LIMITED, 20 * S, 17500},
    {"rate_limit", 5 * HOUR, 0, 3, DAY, 0.9999, RETRY_LIMITED, 5 * HOUR, 29997},
    {"rate_limit", 7 * DAY, 0, 9, 9 * DAY, 0, RETRY_LIMITED, 7 * DAY, 5 * S},
    {"rate_limit", 5 * HOUR, 60 * S, 1, 0, 0, RETRY_LIMITED, 5 * HOUR, 5 * S},
    /* Resets that never hold: at most one try a minute. */
    {"rate_limit", 1 * S, 0, 3, 0, 0, RETRY_LIMITED, 1 * S, 5 * S},
    {"rate_limit", 1 * S, 0, 4, 0, 0, RETRY_LIMITED, 1 * S, 59 * S},
    {"rate_limit", 40 * S, 0, 4, 0, 0.99, RETRY_LIMITED, 40 * S, 29750},
    {"rate_limit", 1, 0, 90000, 0, 0, RETRY_LIMITED, 1, 60 * S - 1},
    /* Beyond the longest wait, 8 days. */
    {"rate_limit", 8 * DAY, 0, 1, 0, 0, RETRY_LIMITED, 8 * DAY, 5 * S},
    {"rate_limit", 8 * DAY + 1, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"rate_limit", 32 * DAY, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    /* More than 32 days ahead, before 1970 or without one: not known. */
    {"rate_limit", 32 * DAY + 1, 0, 1, 0, 0, RETRY_WAIT, 15 * S, 0},
    {"rate_limit", RESET_NEVER, 0, 1, 0, 0, RETRY_WAIT, 15 * S, 0},
    {"rate_limit", INT64_MIN + NOW, 0, 1, 0, 0, RETRY_WAIT, 15 * S, 0},
    {"rate_limit", 0, 0, 1, 0, 0.5, RETRY_WAIT, 15 * S, 0},
    {"rate_limit", 0, 0, 2, 0, 0.5, RETRY_WAIT, 30 * S, 0},
    {"rate_limit", 0, 0, 3, 0, 0.5, RETRY_WAIT, 60 * S, 0},
    {"rate_limit", 0, 0, 4, 0, 0.5, RETRY_STOP, 0, 0},
    {"rate_limit", 0, 0, -5, 0, 0.5, RETRY_WAIT, 15 * S, 0},
    /* A reset that has passed: the limit is over. Told again and again, it counts as not known. */
    {"rate_limit", -1, 0, 1, 0, 0, RETRY_WAIT, 5 * S, 0},
    {"rate_limit", -DAY, 0, 1, 0, 0.5, RETRY_WAIT, 17500, 0},
    {"rate_limit", -DAY, 0, 2, 0, 0, RETRY_WAIT, 30 * S, 0},
    {"rate_limit", -DAY, 0, 4, 0, 0, RETRY_STOP, 0, 0},
    /* What the server said. */
    {"rate_limit", 0, 7 * S, 1, 0, 0, RETRY_WAIT, 7 * S, 0},
    {"rate_limit", 0, 7 * S, 3, 0, 0, RETRY_WAIT, 7 * S, 0},
    {"rate_limit", 0, 7 * S, 4, 0, 0, RETRY_STOP, 0, 0},
    {"rate_limit", 0, 9 * DAY, 1, 0, 0, RETRY_STOP, 0, 0},
    {"rate_limit", 0, INT64_MAX, 1, 0, 0, RETRY_WAIT, 15 * S, 0},
    {"rate_limit", 0, -3, 1, 0, 0, RETRY_WAIT, 15 * S, 0},
    /* Transient: 1, 2, 4 … 30 s with full jitter, two minutes in all. */
    {"overloaded", 0, 0, 1, 0, 0.5, RETRY_WAIT, 500, 0},
    {"server_error", 0, 0, 2, 1 * S, 0.5, RETRY_WAIT, 1 * S, 0},
    {"network", 0, 0, 3, 2 * S, 0.5, RETRY_WAIT, 2 * S, 0},
    {"connect_timeout", 0, 0, 5, 2 * S, 0.5, RETRY_WAIT, 8 * S, 0},
    {"overloaded", 0, 0, 6, 20 * S, 0.5, RETRY_WAIT, 15 * S, 0},
    {"overloaded", 0, 0, 64, 20 * S, 0.5, RETRY_WAIT, 15 * S, 0},
    {"overloaded", 0, 0, 65, 0, 0.5, RETRY_STOP, 0, 0},
    {"overloaded", 0, 0, 6, 105 * S, 0.5, RETRY_WAIT, 15 * S, 0},
    {"overloaded", 0, 0, 6, 105 * S + 1, 0.5, RETRY_STOP, 0, 0},
    {"overloaded", 0, 0, 1, 0, 0, RETRY_WAIT, 100, 0},
    {"overloaded", 0, 0, 1, -DAY, 0, RETRY_WAIT, 100, 0},
    {"overloaded", 0, 0, 1, INT64_MAX, 0, RETRY_STOP, 0, 0},
    {"overloaded", 0, 20 * S, 1, 0, 0.5, RETRY_WAIT, 20 * S, 0},
    {"overloaded", 0, 121 * S, 1, 0, 0.5, RETRY_STOP, 0, 0},
    {"overloaded", 0, INT64_MAX, 1, 0, 0.5, RETRY_STOP, 0, 0},
    {"overloaded", 5 * HOUR, 0, 1, 0, 0.5, RETRY_WAIT, 500, 0},
    /* A random number that is none. */
    {"overloaded", 0, 0, 1, 0, 7, RETRY_WAIT, 1 * S, 0},
    {"overloaded", 0, 0, 1, 0, -7, RETRY_WAIT, 100, 0},
    /* The machine: ten times slower. */
    {"out_of_memory", 0, 0, 1, 0, 0.5, RETRY_WAIT, 5 * S, 0},
    {"too_many_files", 0, 0, 20, 0, 0.5, RETRY_WAIT, 150 * S, 0},
    {"disk_full", 0, 0, 3, 19 * 60 * S, 0.5, RETRY_WAIT, 20 * S, 0},
    {"disk_full", 0, 0, 3, 20 * 60 * S, 0.5, RETRY_STOP, 0, 0},
    /* Never again by itself. */
    {"authentication", 0, 0, 1, 0, 0, RETRY_LOGIN, 0, 0},
    {"billing", 5 * HOUR, 7 * S, 1, 0, 0, RETRY_STOP, 0, 0},
    {"permission", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"not_found", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"invalid_request", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"cancelled", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"timeout", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"context_window", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"max_turns", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"budget", 0, 0, 1, 0, 0, RETRY_STOP, 0, 0},
    {"no such class", 5 * HOUR, 7 * S, 1, 0, 0, RETRY_STOP, 0, 0},
    {NULL, 5 * HOUR, 7 * S, 1, 0, 0, RETRY_STOP, 0, 0},
};

static struct retry_case case_of(size_t i)
{
    int64_t reset = table[i].reset;

    return (struct retry_case){.class = table[i].class,
                               .resets_at_ms = reset == 0 || reset == RESET_NEVER ? reset : NOW + reset,
                               .retry_after_ms = table[i].after,
                               .now_ms = NOW,
                               .tries = table[i].tries,
                               .failing_ms = table[i].failing,
                               .random = table[i].random};
}

TEST(each_failure_has_its_decision)
{
    struct retry_rules rules = rules_of("{}");

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct retry_case what = case_of(i);
        struct retry_decision decision = retry_decide(&rules, &what);
        bool resource = table[i].class != NULL &&
                        strstr("out_of_memory too_many_files disk_full", table[i].class) != NULL;

        if (decision.action != table[i].action || decision.reason == NULL)
            TEST_FAIL("row %zu: action %d", i, (int)decision.action);
        if (decision.at_ms != (table[i].at > 0 ? NOW + table[i].at : 0))
            TEST_FAIL("row %zu: at %lld", i, (long long)(decision.at_ms - NOW));
        if (decision.jitter_ms != table[i].jitter)
            TEST_FAIL("row %zu: jitter %lld", i, (long long)decision.jitter_ms);
        if (decision.fewer != resource)
            TEST_FAIL("row %zu: fewer", i);
    }
}

TEST(an_agent_that_goes_on_is_left_alone_whatever_happened)
{
    struct retry_rules rules = rules_of("{}");

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct retry_case what = case_of(i);
        struct retry_decision decision;

        what.agent_continues = true;
        decision = retry_decide(&rules, &what);
        CHECK_NUMBER(decision.action, RETRY_LEAVE);
    }
}

TEST(a_login_that_is_good_is_refused_only_once)
{
    struct retry_rules rules = rules_of("{}");
    struct retry_case what = {.class = "authentication", .now_ms = NOW, .tries = 1, .login_checked = true};

    CHECK_NUMBER(retry_decide(&rules, &what).action, RETRY_STOP);
}

/* Whatever is told and drawn: never in the past, never beyond the longest wait, and never for ever. */
TEST(any_case_ends_or_waits_a_bounded_time)
{
    static const int64_t times[] = {INT64_MIN, -DAY,    0,   1,         NOW - 1,        NOW,
                                    NOW + 1,   NOW + S, DAY, NOW + DAY, NOW + 40 * DAY, INT64_MAX};
    size_t count = sizeof times / sizeof times[0];
    struct retry_rules rules = rules_of("{}");

    for (size_t i = 0; i < count * count * count * 3; i++) {
        struct retry_case what = {.class = i % 3 == 0   ? "rate_limit"
                                           : i % 3 == 1 ? "network"
                                                        : "disk_full",
                                  .resets_at_ms = times[i / 3 % count],
                                  .retry_after_ms = times[i / 3 / count % count],
                                  .failing_ms = times[i / 3 / count / count],
                                  .now_ms = NOW,
                                  .tries = (int)(i % 7),
                                  .random = 0.3};
        struct retry_decision decision = retry_decide(&rules, &what);

        if (decision.action == RETRY_STOP)
            continue;
        CHECK(decision.at_ms > NOW);
        CHECK(decision.at_ms <= NOW + rules.max_wait_ms);
    }
}

TEST(numbers_come_from_the_configuration)
{
    struct retry_rules rules = rules_of(
        "{\"retry\": {\"rate_limit\": {\"delays_s\": [0.5, 2], \"max_attempts\": 9, \"max_wait_s\": 60,"
        "\"jitter_s\": [2, 1], \"stagger_s\": 3, \"probe_s\": 4},"
        "\"transient\": {\"initial_s\": 5, \"max_s\": 6, \"max_elapsed_s\": 7}}}");
    struct retry_case what = {.class = "rate_limit", .now_ms = NOW, .tries = 9};

    CHECK_NUMBER(rules.delay_count, 2);
    CHECK_NUMBER(rules.delays_ms[0], 500);
    CHECK_NUMBER(rules.max_attempts, 9);
    CHECK_NUMBER(rules.max_wait_ms, 60 * S);
    CHECK_NUMBER(rules.jitter_min_ms, 2 * S);
    CHECK_NUMBER(rules.jitter_max_ms, 2 * S);
    CHECK_NUMBER(rules.stagger_ms, 3 * S);
    CHECK_NUMBER(rules.probe_ms, 4 * S);
    CHECK_NUMBER(rules.initial_ms, 5 * S);
    CHECK_NUMBER(rules.max_ms, 6 * S);
    CHECK_NUMBER(rules.max_elapsed_ms, 7 * S);
    /* The last delay is repeated. */
    CHECK_NUMBER(retry_decide(&rules, &what).at_ms, NOW + 2 * S);
    what.resets_at_ms = NOW + 61 * S;
    CHECK_NUMBER(retry_decide(&rules, &what).action, RETRY_STOP);
}

TEST(more_delays_than_are_kept_are_cut)
{
    struct retry_rules rules =
        rules_of("{\"retry\": {\"rate_limit\": {\"delays_s\": [1, 2, 3, 4, 5, 6, 7, 8, "
                 "9, 10, 11, 12, 13, 14, 15, 16, 17, 18]}}}");

    CHECK_NUMBER(rules.delay_count, RETRY_DELAYS_MAX);
    CHECK_NUMBER(rules.delays_ms[RETRY_DELAYS_MAX - 1], 16 * S);
}

TEST_MAIN
