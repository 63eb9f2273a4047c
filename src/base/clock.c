#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t (*injected_realtime)(void);
static int64_t (*injected_monotonic)(void);

static int64_t read_ns(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_realtime_ms(void)
{
    return injected_realtime != NULL ? injected_realtime() : read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_monotonic_ns(void)
{
    return injected_monotonic != NULL ? injected_monotonic() : read_ns(CLOCK_MONOTONIC);
}

void clock_inject(int64_t (*realtime_ms)(void), int64_t (*monotonic_ns)(void))
{
    injected_realtime = realtime_ms;
    injected_monotonic = monotonic_ns;
}

void clock_format_rfc3339(int64_t realtime_ms, char out[CLOCK_RFC3339_SIZE])
{
    time_t seconds = (time_t)(realtime_ms / 1000);
    struct tm utc;

    if (realtime_ms < 0 || realtime_ms > 253402300799999 || gmtime_r(&seconds, &utc) == NULL) {
        memcpy(out, "1970-01-01T00:00:00.000Z", CLOCK_RFC3339_SIZE);
        return;
    }
    (void)strftime(out, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + 19, CLOCK_RFC3339_SIZE - 19, ".%03uZ", (unsigned)(realtime_ms % 1000) % 1000u);
}

int clock_parse_rfc3339(const char *text, int64_t *realtime_ms)
{
    struct tm utc = {0};
    char again[CLOCK_RFC3339_SIZE];
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    int fraction = 0, weight = 100;
    int64_t seconds;

    if (rest == NULL)
        return -1;
    /* strptime takes less than the full form, and days that the month does not have. */
    seconds = (int64_t)timegm(&utc);
    clock_format_rfc3339(seconds * 1000, again);
    if (strncmp(text, again, 19) != 0)
        return -1;
    if (rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9') {
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, weight /= 10)
            fraction += (*rest - '0') * weight;
    }
    if (strcmp(rest, "Z") != 0)
        return -1;
    *realtime_ms = seconds * 1000 + fraction;
    return 0;
}

void clock_format_duration_ms(int64_t ms, char *out, size_t size)
{
    if (ms > 0 && ms < 100)
        (void)snprintf(out, size, "<0.1s");
    else if (ms > 0 && ms < 1000)
        (void)snprintf(out, size, "0.%ds", (int)(ms / 100));
    else
        clock_format_duration(ms / 1000, out, size);
}

void clock_format_duration(int64_t seconds, char *out, size_t size)
{
    if (seconds < 0)
        seconds = 0;
    if (seconds < 60)
        (void)snprintf(out, size, "%ds", (int)seconds);
    else if (seconds < 3600)
        (void)snprintf(out, size, "%dm%02ds", (int)(seconds / 60), (int)(seconds % 60));
    else if (seconds < 360000)
        (void)snprintf(out, size, "%dh%02dm", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    else
        (void)snprintf(out, size, "%dd", seconds / 86400 > 999999 ? 999999 : (int)(seconds / 86400));
}
