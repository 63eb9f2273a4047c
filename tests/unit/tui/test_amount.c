#include "tui/amount.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test.h"

TEST(tokens)
{
    static const struct {
        int64_t tokens;
        const char *text;
    } cases[] = {{-1, ""},
                 {0, "0"},
                 {812, "812"},
                 {999, "999"},
                 {1000, "1.0k"},
                 {12345, "12.3k"},
                 {99949, "99.9k"},
                 {99951, "100k"},
                 {412000, "412k"},
                 {999499, "999k"},
                 {999500, "1.0M"},
                 {4100000, "4.1M"},
                 {99960000, "100M"},
                 {999600000, "1.0G"},
                 {INT64_MAX, "9223372T"}};
    char text[AMOUNT_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        amount_tokens(cases[i].tokens, text);
        CHECK_STRING(text, cases[i].text);
    }
}

TEST(cost)
{
    static const struct {
        double usd;
        bool estimate;
        const char *text;
    } cases[] = {{-1, false, ""},        {0, false, "$0.00"},        {0.424, false, "$0.42"},
                 {3.21, true, "~$3.21"}, {99.994, true, "~$99.99"},  {99.996, false, "$100"},
                 {412.4, true, "~$412"}, {99999.4, false, "$99999"}, {123456, true, "~$123k"},
                 {0.0 / 0.0, false, ""}};
    char text[AMOUNT_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        amount_cost(cases[i].usd, cases[i].estimate, text);
        CHECK_STRING(text, cases[i].text);
    }
    amount_cost(1e300, true, text);
    CHECK(strlen(text) < AMOUNT_SIZE);
}

TEST(countdowns)
{
    static const struct {
        int64_t ms;
        const char *text, *brief;
    } cases[] = {{-5, "0:00", "0:00"},
                 {0, "0:00", "0:00"},
                 {1, "0:01", "0:01"},
                 {45000, "0:45", "0:45"},
                 {945000, "15:45", "15:45"},
                 {3599001, "1:00:00", "1:00:00"},
                 {5025000, "1:23:45", "1:23:45"},
                 {86399000, "23:59:59", "23:59:59"},
                 {86400000, "1d 0:00:00", "1d 0h"},
                 {529964000, "6d 3:12:44", "6d 3h"}};
    char text[AMOUNT_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        amount_countdown(cases[i].ms, text);
        CHECK_STRING(text, cases[i].text);
        amount_countdown_short(cases[i].ms, text);
        CHECK_STRING(text, cases[i].brief);
    }
    amount_countdown(INT64_MAX, text);
    CHECK(strlen(text) < AMOUNT_SIZE);
}

TEST(moments)
{
    char text[AMOUNT_SIZE];

    (void)setenv("TZ", "UTC", 1);
    tzset();
    amount_moment(1795270800000, 1795260000000, text);
    CHECK_STRING(text, "14:20");
    amount_moment(1795270800000, 1795100000000, text);
    CHECK_STRING(text, "Sat 14:20");
}

TEST_MAIN
