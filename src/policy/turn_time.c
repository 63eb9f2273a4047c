#include "policy/turn_time.h"

#include <stddef.h>

static int64_t milliseconds(double seconds)
{
    return seconds > 0 ? (int64_t)(seconds * 1000 + 0.5) : 0;
}

/* Ascending, each once. */
static void add_warning(struct turn_times *times, int64_t ms)
{
    int at = times->warn_count;

    if (ms <= 0 || at == TURN_WARNINGS_MAX)
        return;
    while (at > 0 && times->warn_ms[at - 1] > ms)
        at--;
    if (at > 0 && times->warn_ms[at - 1] == ms)
        return;
    for (int i = times->warn_count++; i > at; i--)
        times->warn_ms[i] = times->warn_ms[i - 1];
    times->warn_ms[at] = ms;
}

void turn_times_load(struct turn_times *times, const struct config *config, bool tui)
{
    const json_t *warnings = config_value(config, "timeouts.warn_s"), *warning;
    size_t i;

    *times = (struct turn_times){.connect_ms = 0};
    if (tui && !config_bool(config, "timeouts.tui"))
        return;
    times->connect_ms = milliseconds(config_number(config, "timeouts.connect_s"));
    times->hard_ms = milliseconds(config_number(config, "timeouts.hard_s"));
    json_array_foreach(warnings, i, warning)
    {
        add_warning(times, milliseconds(json_number_value(warning)));
    }
}

/* The earlier of two ages, of which 0 is never. */
static int64_t earlier(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

enum turn_due turn_time_due(const struct turn_times *times, int64_t age_ms, bool answered, int warned,
                            int64_t *next_ms)
{
    int64_t connect_ms = answered ? 0 : times->connect_ms;
    bool warn;

    *next_ms = 0;
    if (warned < 0)
        warned = 0;
    if (times->hard_ms > 0 && age_ms >= times->hard_ms)
        return TURN_OVER;
    if (connect_ms > 0 && age_ms >= connect_ms)
        return TURN_CONNECT_OVER;
    warn = warned < times->warn_count && age_ms >= times->warn_ms[warned];
    if (warn)
        warned++;
    *next_ms = earlier(times->hard_ms, connect_ms);
    if (warned < times->warn_count)
        *next_ms = earlier(*next_ms, times->warn_ms[warned]);
    return warn ? TURN_WARN : TURN_NOTHING;
}
