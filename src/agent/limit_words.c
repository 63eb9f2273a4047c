#include "agent/limit_words.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400
#define MINUTE_END_MS 59000
#define SHARE_MOST 10 /* above it is no share */

int64_t limit_epoch_ms(int64_t seconds)
{
    return seconds > 0 && seconds <= UINT32_MAX ? seconds * 1000 : 0;
}

double limit_percent(double share)
{
    if (!(share >= 0 && share <= SHARE_MOST))
        return -1;
    return share >= 1 ? 100 : share * 100;
}

const char *limit_window_in_text(const char *text)
{
    static const struct {
        const char *words, *name;
    } windows[] = {{"5-hour limit", "five_hour"},           {"weekly limit", "seven_day"},
                   {"weekly opus limit", "seven_day_opus"}, {"weekly sonnet limit", "seven_day_sonnet"},
                   {"opus limit", "seven_day_opus"},        {"sonnet limit", "seven_day_sonnet"}};

    for (size_t i = 0; text != NULL && i < sizeof windows / sizeof windows[0]; i++) {
        if (strcasestr(text, windows[i].words) != NULL)
            return windows[i].name;
    }
    return NULL;
}

/* ---- when ---- */

struct moment {
    bool has_date; /* day and month, perhaps a year */
    int weekday;   /* 0 to 6; -1: not told */
    struct tm at;
};

static bool is_local_zone(const char *zone, size_t length)
{
    const char *variable = getenv("TZ");
    char link[PATH_MAX];
    ssize_t got;
    size_t end;

    if (variable != NULL && *variable != '\0') {
        variable += *variable == ':';
        return strlen(variable) == length && memcmp(variable, zone, length) == 0;
    }
    got = readlink("/etc/localtime", link, sizeof link);
    end = got > 0 ? (size_t)got : 0;
    return end > length && link[end - length - 1] == '/' && memcmp(link + end - length, zone, length) == 0;
}

/* "(UTC)": 1 for UTC, 0 for this machine's zone, -1 for any other, or none. */
static int zone_of(const char *text)
{
    const char *begin = text + strspn(text, " "), *end = strchr(begin, ')');
    size_t length;

    if (*begin != '(' || end == NULL)
        return -1;
    length = (size_t)(end - ++begin);
    if ((length == 3 && (memcmp(begin, "UTC", 3) == 0 || memcmp(begin, "GMT", 3) == 0)) ||
        (length == 7 && memcmp(begin, "Etc/UTC", 7) == 0))
        return 1;
    return length > 0 && is_local_zone(begin, length) ? 0 : -1;
}

static const char *skip(const char *text, const char *set)
{
    return text + strspn(text, set);
}

/* "Mon ", "Nov 25, ", "Nov 25, 2026, " */
static const char *read_day(const char *text, const struct tm *today, struct moment *moment)
{
    struct tm read = *today;
    const char *rest = strptime(text, "%b %d", &read), *year;

    moment->weekday = -1;
    moment->has_date = rest != NULL;
    if (rest != NULL) {
        rest = skip(rest, ", ");
        year = strptime(rest, "%Y", &read);
        if (year != NULL && year - rest == 4 && *year == ',')
            rest = skip(year, ", ");
        else
            read.tm_year = today->tm_year;
    } else if ((rest = strptime(text, "%a", &read)) != NULL) {
        moment->weekday = read.tm_wday;
        rest = skip(rest, ", ");
    }
    moment->at = *today;
    if (moment->has_date) {
        moment->at.tm_year = read.tm_year;
        moment->at.tm_mon = read.tm_mon;
        moment->at.tm_mday = read.tm_mday;
    }
    if (rest == NULL)
        rest = text;
    return strncmp(rest, "at ", 3) == 0 ? rest + 3 : rest;
}

/* "4:21am", "4am", "16:21" */
static const char *read_time(const char *text, struct tm *at)
{
    static const char *const forms[] = {"%I:%M%p", "%I:%M %p", "%I%p", "%I %p", "%H:%M"};
    const char *rest = NULL;

    for (size_t i = 0; rest == NULL && i < sizeof forms / sizeof forms[0]; i++) {
        struct tm read = {.tm_hour = 0};
        rest = strptime(text, forms[i], &read);
        if (rest != NULL) {
            at->tm_hour = read.tm_hour;
            at->tm_min = read.tm_min;
            at->tm_sec = 0;
            at->tm_isdst = -1;
        }
    }
    return rest;
}

static int64_t moment_ms(const struct moment *moment, int64_t now_ms, bool utc)
{
    struct tm at = moment->at;
    time_t then;

    if (moment->weekday >= 0)
        at.tm_mday += (moment->weekday - at.tm_wday + 7) % 7;
    then = utc ? timegm(&at) : mktime(&at);
    if ((int64_t)then * 1000 + MINUTE_END_MS < now_ms && !moment->has_date) {
        at.tm_mday += moment->weekday >= 0 ? 7 : 1;
        at.tm_isdst = -1;
        then = utc ? timegm(&at) : mktime(&at);
    }
    return then > 0 ? (int64_t)then * 1000 + MINUTE_END_MS : 0;
}

int64_t limit_reset_in_text(const char *text, int64_t now_ms)
{
    static const char words[] = "resets ";
    const char *at = text != NULL ? strstr(text, words) : NULL, *window = limit_window_in_text(text);
    time_t now = (time_t)(now_ms / 1000);
    struct moment moment;
    struct tm today;
    const char *end;
    int64_t until, longest;
    int zone;

    if (at == NULL || (end = strchr(at, '(')) == NULL || (zone = zone_of(end)) < 0 ||
        (zone == 1 ? gmtime_r(&now, &today) : localtime_r(&now, &today)) == NULL)
        return 0;
    at = read_time(read_day(at + strlen(words), &today, &moment), &moment.at);
    if (at == NULL || skip(at, " ") != end)
        return 0;
    until = moment_ms(&moment, now_ms, zone == 1);
    longest = window != NULL && strcmp(window, "five_hour") == 0 ? 5 * 3600 : 8 * DAY_S;
    return until >= now_ms && until <= now_ms + longest * 1000 + 2 * MINUTE_END_MS ? until : 0;
}
