#include <stdlib.h>

#include "policy/turn_time.h"
#include "scratch.h"
#include "test.h"

#define S INT64_C(1000)

static struct turn_times times_of(const char *text, bool tui)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "config.json", text, strlen(text));
    struct config *config = config_load(path, NULL);
    struct turn_times times;

    if (config == NULL)
        abort();
    turn_times_load(&times, config, tui);
    config_destroy(config);
    free(path);
    free(folder);
    return times;
}

static const struct turn_times usual = {120 * S, {1800 * S, 3000 * S}, 2, 3600 * S};
static const struct turn_times none = {0};
static const struct turn_times soft = {0, {10 * S}, 1, 0};
static const struct turn_times odd = {120 * S, {10 * S, 20 * S}, 2, 15 * S};

static const struct {
    const struct turn_times *times;
    int64_t age;
    bool answered;
    int warned;
    enum turn_due due;
    int64_t next;
} table[] = {
    {&usual, 0, false, 0, TURN_NOTHING, 120 * S},
    {&usual, 0, true, 0, TURN_NOTHING, 1800 * S},
    {&usual, 120 * S - 1, false, 0, TURN_NOTHING, 120 * S},
    {&usual, 120 * S, false, 0, TURN_CONNECT_OVER, 0},
    {&usual, 120 * S, true, 0, TURN_NOTHING, 1800 * S},
    {&usual, 1800 * S, true, 0, TURN_WARN, 3000 * S},
    {&usual, 1801 * S, true, 1, TURN_NOTHING, 3000 * S},
    {&usual, 3000 * S, true, 1, TURN_WARN, 3600 * S},
    {&usual, 3001 * S, true, 2, TURN_NOTHING, 3600 * S},
    {&usual, 3600 * S, true, 2, TURN_OVER, 0},
    /* Both warnings are due after a pause: one, and the other at once. */
    {&usual, 3100 * S, true, 0, TURN_WARN, 3000 * S},
    {&usual, 3100 * S, true, 1, TURN_WARN, 3600 * S},
    /* Over before all else. */
    {&usual, 99999 * S, false, 0, TURN_OVER, 0},
    {&usual, 5, true, 99, TURN_NOTHING, 3600 * S},
    {&usual, 5, true, -1, TURN_NOTHING, 1800 * S},
    {&usual, -7 * S, false, 0, TURN_NOTHING, 120 * S},
    {&none, 99999 * S, false, 0, TURN_NOTHING, 0},
    {&soft, 1, false, 0, TURN_NOTHING, 10 * S},
    {&soft, 10 * S, false, 0, TURN_WARN, 0},
    {&soft, 11 * S, false, 1, TURN_NOTHING, 0},
    /* A warning that lies after the end is never given. */
    {&odd, 10 * S, true, 0, TURN_WARN, 15 * S},
    {&odd, 20 * S, true, 1, TURN_OVER, 0},
};

TEST(each_age_has_what_is_due)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t next = -1;
        enum turn_due due =
            turn_time_due(table[i].times, table[i].age, table[i].answered, table[i].warned, &next);

        if (due != table[i].due || next != table[i].next)
            TEST_FAIL("row %zu: %d, next %lld", i, (int)due, (long long)next);
    }
}

TEST(numbers_come_from_the_configuration)
{
    struct turn_times times = times_of("{}", false);

    CHECK_NUMBER(times.connect_ms, 120 * S);
    CHECK_NUMBER(times.warn_count, 2);
    CHECK_NUMBER(times.warn_ms[1], 3000 * S);
    CHECK_NUMBER(times.hard_ms, 3600 * S);
    times =
        times_of("{\"timeouts\": {\"connect_s\": 0, \"warn_s\": [50, 0, 7.5, 50, 9], \"hard_s\": 0}}", false);
    CHECK_NUMBER(times.connect_ms, 0);
    CHECK_NUMBER(times.warn_count, 3);
    CHECK_NUMBER(times.warn_ms[0], 7500);
    CHECK_NUMBER(times.warn_ms[1], 9 * S);
    CHECK_NUMBER(times.warn_ms[2], 50 * S);
    CHECK_NUMBER(times.hard_ms, 0);
    times = times_of("{\"timeouts\": {\"warn_s\": [9, 8, 7, 6, 5, 4, 3, 2, 1]}}", false);
    CHECK_NUMBER(times.warn_count, TURN_WARNINGS_MAX);
    CHECK_NUMBER(times.warn_ms[0], 2 * S);
}

TEST(in_tui_mode_all_are_off_unless_wanted)
{
    struct turn_times times = times_of("{}", true);

    CHECK_NUMBER(times.connect_ms, 0);
    CHECK_NUMBER(times.warn_count, 0);
    CHECK_NUMBER(times.hard_ms, 0);
    times = times_of("{\"timeouts\": {\"tui\": true}}", true);
    CHECK_NUMBER(times.connect_ms, 120 * S);
    CHECK_NUMBER(times.warn_count, 2);
}

TEST_MAIN
