#include "agent/limit_words.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/test.h"

#define SECOND ((int64_t)1000)
#define MINUTE_END (59 * SECOND)
#define NOW (1795255200 * SECOND) /* Saturday, 2026-11-21 10:00:00 UTC */

TEST(units_are_common)
{
    CHECK_NUMBER(limit_epoch_ms(1795255200), NOW);
    CHECK_NUMBER(limit_epoch_ms(0), 0);
    CHECK_NUMBER(limit_epoch_ms(-5), 0);
    CHECK_NUMBER(limit_epoch_ms(INT64_MAX), 0);
    CHECK_NUMBER(limit_epoch_ms(NOW), 0);
    CHECK(limit_percent(0.425) > 42.49 && limit_percent(0.425) < 42.51);
    CHECK_NUMBER(limit_percent(1.07), 100);
    CHECK_NUMBER(limit_percent(0), 0);
    CHECK_NUMBER(limit_percent(-1), -1);
    CHECK_NUMBER(limit_percent((double)NAN), -1);
    CHECK_NUMBER(limit_percent(42), -1);
}

TEST(a_reset_with_a_zone_is_the_end_of_its_minute)
{
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 11:30am (UTC)", NOW),
                 NOW + 5400 * SECOND + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 1pm (UTC)", NOW),
                 NOW + 10800 * SECOND + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 13:00 (UTC)", NOW),
                 NOW + 10800 * SECOND + MINUTE_END);
    CHECK_NUMBER(
        limit_reset_in_text("You've hit your 5-hour limit · resets 10:00am (UTC)", NOW + 30 * SECOND),
        NOW + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your weekly limit · resets 9:00am (UTC)", NOW),
                 NOW + 82800 * SECOND + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your weekly limit · resets Mon 12:00am (UTC)", NOW),
                 NOW + 38 * 3600 * SECOND + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your weekly limit · resets Sat 9am (UTC)", NOW),
                 NOW + (7 * 24 - 1) * 3600 * SECOND + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your weekly limit · resets Nov 25, 10am (UTC)", NOW),
                 NOW + 4 * 86400 * SECOND + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your weekly limit · resets Nov 25, 2026, 10am (UTC)", NOW),
                 NOW + 4 * 86400 * SECOND + MINUTE_END);
}

TEST(a_reset_is_never_invented)
{
    CHECK_NUMBER(limit_reset_in_text(NULL, NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("resets ", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("resets (UTC)", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 11:30am", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 11:30am (Mars/Olympus)", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 9:00am (UTC)", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("You've hit your weekly limit · resets Nov 20, 10am (UTC)", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("You've hit your weekly limit · resets Dec 24, 10am (UTC)", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("resets soon (UTC)", NOW), 0);
    CHECK_NUMBER(limit_reset_in_text("resets 25:99 (UTC)", NOW), 0);
}

TEST(the_zone_may_be_this_machines)
{
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 12:30pm (Europe/Berlin)", NOW),
                 NOW + 5400 * SECOND + MINUTE_END);
    CHECK_NUMBER(limit_reset_in_text("You've hit your 5-hour limit · resets 11:30am (UTC)", NOW),
                 NOW + 5400 * SECOND + MINUTE_END);
    unsetenv("TZ");
    tzset();
}

TEST(windows_are_named)
{
    CHECK_STRING(limit_window_in_text("You've hit your 5-hour limit · resets 1pm"), "five_hour");
    CHECK_STRING(limit_window_in_text("You've hit your weekly limit"), "seven_day");
    CHECK_STRING(limit_window_in_text("You've reached your Opus limit"), "seven_day_opus");
    CHECK(limit_window_in_text("You're out of usage credits") == NULL);
}

TEST_MAIN
