#include "replay/playback.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a pause ends early. */
static double due(const struct playback *playback, double last, double next)
{
    return playback->skipping && playback->idle > 0 && next - last > playback->idle ? last + playback->idle
                                                                                    : next;
}

double playback_advance(struct playback *playback, double elapsed, double last, double next)
{
    double end;

    if (!playback->playing || next < 0)
        return 0;
    end = due(playback, last, next);
    playback->position += elapsed * playback->speed;
    if (playback->position < end)
        return 0;
    elapsed = (playback->position - end) / playback->speed;
    playback->position = next;
    return elapsed;
}

double playback_wait(const struct playback *playback, double last, double next)
{
    double wait = (due(playback, last, next) - playback->position) / playback->speed;

    return wait > 0 ? wait : 0;
}

double playback_monotonic(double last, double seconds)
{
    if (!isfinite(seconds) || seconds < last)
        return last;
    return seconds > PLAYBACK_TIME_MAX ? PLAYBACK_TIME_MAX : seconds;
}

double playback_speed_step(double speed, int direction)
{
    double step = PLAYBACK_SPEED_MIN;

    if (direction > 0) {
        while (step <= speed && step < PLAYBACK_SPEED_MAX)
            step *= 2;
        return step > PLAYBACK_SPEED_MAX ? PLAYBACK_SPEED_MAX : step;
    }
    while (step * 2 < speed && step * 2 < PLAYBACK_SPEED_MAX)
        step *= 2;
    return step;
}

/* A number of digits with at most one point; *rest is what follows it. */
static int parse_number(const char *text, double *number, const char **rest)
{
    size_t digits = strspn(text, "0123456789"), more = 0;
    double scale = 1;

    *number = 0;
    for (size_t i = 0; i < digits; i++)
        *number = *number * 10 + (text[i] - '0');
    *rest = text + digits;
    if (**rest == '.') {
        more = strspn(++*rest, "0123456789");
        for (size_t i = 0; i < more; i++)
            *number += ((*rest)[i] - '0') * (scale /= 10);
        *rest += more;
    }
    return digits + more == 0 ? -1 : 0;
}

int playback_parse_time(const char *text, double now, double total, double *seconds)
{
    double sign = *text == '-' ? -1 : 1, value = 0, part;
    bool relative = *text == '-' || *text == '+';
    int parts = 0;

    text += relative;
    do {
        if (parts > 0)
            text++;
        if (parse_number(text, &part, &text) < 0 || ++parts > 3)
            return -1;
        if (parts > 1 && part >= 60)
            return -1;
        value = value * 60 + part;
    } while (*text == ':');
    if (*text == '%' && parts == 1) {
        value = total * value / 100;
        text++;
    }
    if (*text == 's' && parts == 1)
        text++;
    if (*text != '\0')
        return -1;
    value = relative ? now + sign * value : value;
    *seconds = value < 0 ? 0 : value > PLAYBACK_TIME_MAX ? PLAYBACK_TIME_MAX : value;
    return 0;
}

void playback_format_time(double seconds, char text[PLAYBACK_TIME_SIZE])
{
    unsigned long whole = seconds > 0 && seconds < 2 * PLAYBACK_TIME_MAX ? (unsigned long)seconds : 0;

    if (whole >= 3600)
        (void)snprintf(text, PLAYBACK_TIME_SIZE, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60,
                       whole % 60);
    else
        (void)snprintf(text, PLAYBACK_TIME_SIZE, "%lu:%02lu", whole / 60, whole % 60);
}

void playback_format_speed(double speed, char text[PLAYBACK_SPEED_SIZE])
{
    (void)snprintf(text, PLAYBACK_SPEED_SIZE, "%.4gx", speed);
}
