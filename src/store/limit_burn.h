/*
 * How fast a limit window is used up: an estimate from what was seen of it. Pure.
 *
 * Only what was seen since the window's present period began counts (a percentage that falls begins another), of that the last
 * hour. The rate is the median of the slopes between any two observations at least a minute apart, weighted by the time between
 * them: one wrong value, or percentages told in whole numbers, do not move it far.
 */
#ifndef STORE_LIMIT_BURN_H
#define STORE_LIMIT_BURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMIT_BURN_SPACING_MS 60000 /* between two observations of a slope, at least */
#define LIMIT_BURN_SPAN_MS 3600000  /* before the newest observation */
#define LIMIT_BURN_MAX 65           /* observations; of more the newest count */

struct limit_observation {
    int64_t at_ms;
    double percent;
    int64_t resets_at_ms; /* 0: not known */
};

/* Observations by time, the newest last. Percent an hour, 0 or above; false: cannot be told, also when the newest is more than
 * the span old. */
bool limit_burn_rate(const struct limit_observation *observations, size_t count, int64_t now_ms,
                     double *percent_per_hour);
/* When 100 % is reached at that rate; 0: not before the reset, or not within 32 days. */
int64_t limit_burn_exhausted(const struct limit_observation *newest, double percent_per_hour);

#endif
