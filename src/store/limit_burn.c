#include "store/limit_burn.h"

#include <stdlib.h>

#include "base/memory.h"

#define ROUNDING 1.0 /* percent: one source tells whole numbers, another fractions */
#define HOUR_MS 3600000.0
#define FAR_MS (32 * INT64_C(86400000))

struct slope {
    double rate, weight;
};

static int compare_slopes(const void *a, const void *b)
{
    const struct slope *first = a, *second = b;

    return (first->rate > second->rate) - (first->rate < second->rate);
}

/* The index of the first observation that counts. */
static size_t period_start(const struct limit_observation *observations, size_t count)
{
    const struct limit_observation *newest = &observations[count - 1];
    double lowest = newest->percent;
    size_t start = count - 1;

    while (start > 0 && count - start < LIMIT_BURN_MAX) {
        const struct limit_observation *before = &observations[start - 1];
        if (before->percent > lowest + ROUNDING || before->at_ms < newest->at_ms - LIMIT_BURN_SPAN_MS ||
            (before->resets_at_ms != 0 && before->resets_at_ms <= newest->at_ms))
            break;
        if (before->percent < lowest)
            lowest = before->percent;
        start--;
    }
    return start;
}

static double weighted_median(struct slope *slopes, size_t count)
{
    double total = 0, sum = 0;
    size_t i;

    qsort(slopes, count, sizeof *slopes, compare_slopes);
    for (i = 0; i < count; i++)
        total += slopes[i].weight;
    for (i = 0; i + 1 < count; i++) {
        sum += slopes[i].weight;
        if (sum >= total / 2)
            break;
    }
    return slopes[i].rate;
}

/* Fills `slopes` and returns how many there are. */
static size_t collect_slopes(const struct limit_observation *observations, size_t count, struct slope *slopes)
{
    size_t collected = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            double apart = (double)(observations[j].at_ms - observations[i].at_ms);
            double rise = observations[j].percent - observations[i].percent;
            if (apart >= LIMIT_BURN_SPACING_MS)
                slopes[collected++] = (struct slope){rise / apart * HOUR_MS, apart};
        }
    }
    return collected;
}

bool limit_burn_rate(const struct limit_observation *observations, size_t count, int64_t now_ms,
                     double *percent_per_hour)
{
    struct slope *slopes;
    size_t start, slope_count;

    if (count < 2 || observations[count - 1].at_ms < now_ms - LIMIT_BURN_SPAN_MS)
        return false;
    start = period_start(observations, count);
    count -= start;
    slopes = xcalloc(count * count / 2 + 1, sizeof *slopes);
    slope_count = collect_slopes(observations + start, count, slopes);
    if (slope_count > 0)
        *percent_per_hour = weighted_median(slopes, slope_count);
    free(slopes);
    if (slope_count > 0 && *percent_per_hour < 0)
        *percent_per_hour = 0;
    return slope_count > 0;
}

int64_t limit_burn_exhausted(const struct limit_observation *newest, double percent_per_hour)
{
    double left = 100 - newest->percent, after;
    int64_t at;

    if (left <= 0)
        return newest->at_ms;
    if (percent_per_hour <= 0)
        return 0;
    after = left / percent_per_hour * HOUR_MS;
    if (after > (double)FAR_MS)
        return 0;
    at = newest->at_ms + (int64_t)after;
    return newest->resets_at_ms != 0 && at >= newest->resets_at_ms ? 0 : at;
}
