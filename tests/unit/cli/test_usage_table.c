#include <stdlib.h>
#include <time.h>

#include "test.h"

#include "base/clock.h"
#include "cli/usage.h"

/* The date as a time in UTC, "-" for none; it is 2026-11-21T02:30Z, in a place seven hours behind. */
static const char *date(const char *text, bool end)
{
    static char out[CLOCK_RFC3339_SIZE];
    int64_t now_ms, time_ms;

    (void)setenv("TZ", "XXX7", 1);
    tzset();
    (void)clock_parse_rfc3339("2026-11-21T02:30:00Z", &now_ms);
    time_ms = usage_date(text, now_ms, end);
    if (time_ms < 0)
        return "-";
    clock_format_rfc3339(time_ms, out);
    return out;
}

TEST(dates)
{
    CHECK_STRING(date("2026-11-21", false), "2026-11-21T07:00:00.000Z");
    CHECK_STRING(date("2026-11-21", true), "2026-11-22T07:00:00.000Z");
    CHECK_STRING(date("2026-12-31", true), "2027-01-01T07:00:00.000Z");
    CHECK_STRING(date("today", false), "2026-11-20T07:00:00.000Z");
    CHECK_STRING(date("today", true), "2026-11-21T07:00:00.000Z");
    CHECK_STRING(date("yesterday", false), "2026-11-19T07:00:00.000Z");
    CHECK_STRING(date("7d", false), "2026-11-13T07:00:00.000Z");
    CHECK_STRING(date("12h", false), "2026-11-20T14:30:00.000Z");
    CHECK_STRING(date("2026-11-21T01:02:03Z", true), "2026-11-21T01:02:03.000Z");
}

TEST(what_is_no_date)
{
    static const char *const texts[] = {"",    "2026-02-30", "2026-13-01", "2026-11-21x", "7",         "7w",
                                        "-7d", "d",          "9999999d",   "tomorrow",    "0000-01-01"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK_STRING(date(texts[i], false), "-");
}

TEST(counts)
{
    static const struct {
        int64_t count;
        const char *text;
    } cases[] = {{0, "0"},
                 {999, "999"},
                 {1000, "1.00k"},
                 {9994, "9.99k"},
                 {9996, "10.0k"},
                 {999949, "999.9k"},
                 {999950, "1.00M"},
                 {12345678, "12.3M"},
                 {1500000000, "1.50G"},
                 {999999999999, "1.00T"},
                 {5000000000000000, "5000.0T"}};
    char text[USAGE_COUNT_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        usage_count(cases[i].count, text);
        CHECK_STRING(text, cases[i].text);
    }
}

static const char *cost(double dollars, const char *basis)
{
    static char text[USAGE_COST_SIZE];
    json_t *row = json_pack("{s:o, s:s?}", "cost_usd", dollars < 0 ? json_null() : json_real(dollars),
                            "cost_basis", basis);

    usage_cost(row, text);
    json_decref(row);
    return text;
}

TEST(costs)
{
    CHECK_STRING(cost(1.254, "reported"), "$1.25");
    CHECK_STRING(cost(1.254, "computed"), "~$1.25");
    CHECK_STRING(cost(0.0123, "subscription"), "~$0.0123");
    CHECK_STRING(cost(0, "reported"), "$0.00");
    CHECK_STRING(cost(-1, NULL), "-");
}

TEST(the_most_comes_first)
{
    json_t *list =
        json_pack("[{s:i}, {s:i}, {s:i}]", "total_tokens", 5, "total_tokens", 9, "total_tokens", 7);
    char *text;

    usage_sort(&list);
    text = json_dumps(list, JSON_COMPACT);
    CHECK_STRING(text, "[{\"total_tokens\":9},{\"total_tokens\":7},{\"total_tokens\":5}]");
    free(text);
    json_decref(list);
}

TEST_MAIN
