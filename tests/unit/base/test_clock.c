#include "base/clock.h"
#include "test.h"

static int64_t fixed_realtime(void)
{
    return 42;
}

static int64_t fixed_monotonic(void)
{
    return 43;
}

TEST(clocks_can_be_replaced)
{
    int64_t before = clock_monotonic_ns();

    clock_inject(fixed_realtime, fixed_monotonic);
    CHECK_NUMBER(clock_realtime_ms(), 42);
    CHECK_NUMBER(clock_monotonic_ns(), 43);
    clock_inject(NULL, NULL);
    CHECK(clock_monotonic_ns() >= before);
    CHECK(clock_realtime_ms() > 1700000000000);
}

TEST(times_as_text)
{
    static const struct {
        int64_t time;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {1795233491042, "2026-11-21T03:58:11.042Z"},
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    char text[CLOCK_RFC3339_SIZE];
    int64_t back;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        clock_format_rfc3339(cases[i].time, text);
        CHECK_STRING(text, cases[i].text);
        CHECK_NUMBER(clock_parse_rfc3339(text, &back), 0);
        CHECK_NUMBER(back, cases[i].time);
    }
    clock_format_rfc3339(-1, text);
    CHECK_STRING(text, "1970-01-01T00:00:00.000Z");
    clock_format_rfc3339(INT64_MAX, text);
    CHECK_STRING(text, "1970-01-01T00:00:00.000Z");
}

TEST(text_as_times)
{
    static const char *const bad[] = {"",
                                      "now",
                                      "2026-11-21",
                                      "2026-11-21T03:58:11",
                                      "2026-11-21T03:58:11+01:00",
                                      "2026-11-21T25:58:11Z",
                                      "2026-13-21T03:58:11Z",
                                      "2026-02-30T03:58:11Z",
                                      "2026-1-2T3:4:5Z",
                                      " 2026-11-21T03:58:11Z",
                                      "2026-11-21T03:58:11Z ",
                                      "2026-11-21T03:58:11.Z"};
    int64_t time;

    CHECK_NUMBER(clock_parse_rfc3339("2026-11-21T03:58:11Z", &time), 0);
    CHECK_NUMBER(time, 1795233491000);
    CHECK_NUMBER(clock_parse_rfc3339("2026-11-21T03:58:11.5Z", &time), 0);
    CHECK_NUMBER(time, 1795233491500);
    CHECK_NUMBER(clock_parse_rfc3339("2026-11-21T03:58:11.0429999999Z", &time), 0);
    CHECK_NUMBER(time, 1795233491042);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (clock_parse_rfc3339(bad[i], &time) == 0)
            TEST_FAIL("accepted: %s", bad[i]);
    }
}

TEST(durations)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{-5, "0s"},         {0, "0s"},        {59, "59s"},       {60, "1m00s"},
                 {185, "3m05s"},     {3599, "59m59s"}, {3600, "1h00m"},   {7620, "2h07m"},
                 {359999, "99h59m"}, {360000, "4d"},   {8640000, "100d"}, {INT64_MAX, "999999d"}};
    char text[32];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        clock_format_duration(cases[i].seconds, text, sizeof text);
        CHECK_STRING(text, cases[i].text);
        CHECK(strlen(text) <= 7);
    }
}

TEST(durations_below_a_second_have_tenths)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{-5, "0s"},    {0, "0s"},     {1, "<0.1s"}, {99, "<0.1s"},
                 {100, "0.1s"}, {999, "0.9s"}, {1000, "1s"}, {185000, "3m05s"}};
    char text[32];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        clock_format_duration_ms(cases[i].ms, text, sizeof text);
        CHECK_STRING(text, cases[i].text);
    }
}

TEST_MAIN
