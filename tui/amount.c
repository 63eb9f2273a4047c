#include "tui/amount.h"

#include <stdio.h>
#include <time.h>

#define DAY_S 86400

void amount_tokens(int64_t tokens, char out[AMOUNT_SIZE])
{
    static const char units[] = {'k', 'M', 'G', 'T'};
    double value = (double)tokens;
    int unit = -1;

    out[0] = '\0';
    if (tokens < 0)
        return;
    /* What would be rounded to a thousand of a unit is one of the next. */
    while ((unit < 0 ? value >= 1000 : value >= 999.5) && unit < 3) {
        value /= 1000;
        unit++;
    }
    if (unit < 0)
        (void)snprintf(out, AMOUNT_SIZE, "%d", (int)tokens);
    else
        (void)snprintf(out, AMOUNT_SIZE, value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

void amount_cost(double usd, bool estimate, char out[AMOUNT_SIZE])
{
    out[0] = '\0';
    if (!(usd >= 0))
        return;
    if (usd < 99.995)
        (void)snprintf(out, AMOUNT_SIZE, "%s$%.2f", estimate ? "~" : "", usd);
    else if (usd < 99999.5)
        (void)snprintf(out, AMOUNT_SIZE, "%s$%.0f", estimate ? "~" : "", usd);
    else
        (void)snprintf(out, AMOUNT_SIZE, "%s$%.3gk", estimate ? "~" : "", usd / 1000);
}

static long long seconds_of(int64_t left_ms)
{
    return left_ms > 0 ? (left_ms - 1) / 1000 + 1 : 0;
}

void amount_countdown(int64_t left_ms, char out[AMOUNT_SIZE])
{
    long long left = seconds_of(left_ms), hours = left % DAY_S / 3600, minutes = left / 60 % 60,
              seconds = left % 60;

    if (left >= DAY_S)
        (void)snprintf(out, AMOUNT_SIZE, "%lldd %lld:%02lld:%02lld", left / DAY_S, hours, minutes, seconds);
    else if (hours > 0)
        (void)snprintf(out, AMOUNT_SIZE, "%lld:%02lld:%02lld", hours, minutes, seconds);
    else
        (void)snprintf(out, AMOUNT_SIZE, "%lld:%02lld", minutes, seconds);
}

void amount_countdown_short(int64_t left_ms, char out[AMOUNT_SIZE])
{
    long long left = seconds_of(left_ms);

    if (left < DAY_S)
        amount_countdown(left_ms, out);
    else
        (void)snprintf(out, AMOUNT_SIZE, "%lldd %lldh", left / DAY_S, left % DAY_S / 3600);
}

void amount_moment(int64_t at_ms, int64_t now_ms, char out[AMOUNT_SIZE])
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm local;
    bool near = at_ms - now_ms < (int64_t)DAY_S * 1000;

    out[0] = '\0';
    if (localtime_r(&at, &local) != NULL)
        (void)strftime(out, AMOUNT_SIZE, near ? "%H:%M" : "%a %H:%M", &local);
}
