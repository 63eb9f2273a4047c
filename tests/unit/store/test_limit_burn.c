#include "store/limit_burn.h"

#include <math.h>
#include <stdlib.h>

#include "test.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define START INT64_C(1800000000000)

/* Times are minutes since START. */
struct burn_case {
    const char *title;
    double now;
    struct {
        double at, percent, resets;
    } seen[12];       /* at 0 with percent 0 ends them */
    double rate;      /* -1: not told */
    double exhausted; /* minutes since START; 0: null */
};

static const struct burn_case cases[] = {
    {"nothing", 0, {{0, 0, 0}}, -1, 0},
    {"one observation", 1, {{1, 10, 300}}, -1, 0},
    {"too close together", 2, {{1, 10, 300}, {1.9, 12, 300}}, -1, 0},
    {"two a minute apart", 3, {{1, 10, 300}, {2, 11, 300}}, 60, 91},
    {"a straight line", 40, {{10, 10, 300}, {20, 15, 300}, {30, 20, 300}, {40, 25, 300}}, 30, 190},
    {"exhausted after the reset", 40, {{10, 10, 150}, {20, 15, 150}, {30, 20, 150}, {40, 25, 150}}, 30, 0},
    {"the reset is not known", 40, {{10, 10, 0}, {40, 25, 0}}, 30, 190},
    {"nothing is used", 40, {{10, 10, 300}, {20, 10, 300}, {40, 10, 300}}, 0, 0},
    {"one wrong value",
     50,
     {{10, 10, 300}, {20, 15, 300}, {30, 15.5, 300}, {40, 25, 300}, {50, 30, 300}},
     30,
     190},
    {"a fall begins another period", 40, {{10, 80, 300}, {20, 95, 300}, {30, 2, 300}, {40, 4, 300}}, 12, 0},
    {"only one since the fall", 40, {{10, 80, 300}, {20, 95, 300}, {40, 4, 300}}, -1, 0},
    {"rounding is no fall",
     40,
     {{10, 10.4, 300}, {20, 15, 300}, {30, 20.4, 300}, {30.5, 20, 300}, {40, 25, 300}},
     30,
     190},
    {"those before the reset", 60, {{10, 3, 20}, {15, 4, 20}, {50, 10, 400}, {60, 20, 400}}, 60, 140},
    {"more than an hour ago", 130, {{1, 1, 400}, {20, 2, 400}, {120, 30, 400}, {130, 35, 400}}, 30, 260},
    {"the newest is old", 200, {{100, 30, 400}, {110, 35, 400}}, -1, 0},
    {"used up", 20, {{10, 90, 300}, {20, 100, 300}}, 60, 20},
    {"so slow that it is never", 40, {{10, 1, 0}, {40, 1.01, 0}}, 0.02, 0},
};

static size_t fill(const struct burn_case *example, struct limit_observation *out)
{
    size_t count = 0;

    for (; count < 12 && (example->seen[count].at > 0 || example->seen[count].percent > 0); count++) {
        out[count].at_ms = START + (int64_t)(example->seen[count].at * MINUTE);
        out[count].percent = example->seen[count].percent;
        out[count].resets_at_ms =
            example->seen[count].resets > 0 ? START + (int64_t)(example->seen[count].resets * MINUTE) : 0;
    }
    return count;
}

TEST(rates_and_when_it_is_used_up)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct limit_observation seen[12];
        size_t count = fill(&cases[i], seen);
        double rate = -1;
        int64_t exhausted = 0;

        if (limit_burn_rate(seen, count, START + (int64_t)(cases[i].now * MINUTE), &rate))
            exhausted = limit_burn_exhausted(&seen[count - 1], rate);
        else
            rate = -1;
        if (exhausted != 0)
            exhausted = (exhausted - START + MINUTE / 2) / MINUTE;
        if (fabs(rate - cases[i].rate) > 1 || fabs((double)exhausted - cases[i].exhausted) > 5)
            TEST_FAIL("%s: %.2f, %lld", cases[i].title, rate, (long long)exhausted);
    }
}

TEST(whole_numbers_and_many_observations)
{
    struct limit_observation seen[200];
    double rate;

    /* 7 % an hour, told as whole numbers each minute. */
    for (int i = 0; i < 200; i++)
        seen[i] = (struct limit_observation){START + i * MINUTE, floor(i * 7.0 / 60), START + 500 * MINUTE};
    CHECK(limit_burn_rate(seen, 200, START + 200 * MINUTE, &rate));
    CHECK(fabs(rate - 7) < 1);
}

TEST_MAIN
