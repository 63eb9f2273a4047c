/* How long a turn may take: pure. Times are milliseconds since the turn began. */
#ifndef POLICY_TURN_TIME_H
#define POLICY_TURN_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

#define TURN_WARNINGS_MAX 8

struct turn_times {
    int64_t connect_ms;                 /* until the first sign of an answer; 0: for ever */
    int64_t warn_ms[TURN_WARNINGS_MAX]; /* ascending */
    int warn_count;
    int64_t hard_ms; /* 0: for ever */
};
/* From timeouts.*; `tui`: all off unless timeouts.tui says otherwise. */
void turn_times_load(struct turn_times *times, const struct config *config, bool tui);

enum turn_due { TURN_NOTHING, TURN_CONNECT_OVER, TURN_WARN, TURN_OVER };

/* What is due at that age. `answered`: something came back. `warned`: warnings given so far. `next_ms`: the age at which to
 * ask again, 0: never. */
enum turn_due turn_time_due(const struct turn_times *times, int64_t age_ms, bool answered, int warned,
                            int64_t *next_ms);

#endif
