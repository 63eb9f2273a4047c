/*
 * What agents tell about an account's limits, in common units: percent 0 to 100, wall clock in milliseconds, and the names of
 * windows: five_hour, seven_day, seven_day_opus …
 */
#ifndef AGENT_LIMIT_WORDS_H
#define AGENT_LIMIT_WORDS_H

#include <stdint.h>

/* Seconds since 1970, as agents write them; 0 for what is no time of this century. */
int64_t limit_epoch_ms(int64_t seconds);
/* Of a share 0 to 1, which may be a little above; -1: not known. */
double limit_percent(double share);
/* "You've hit your 5-hour limit · resets 4:21am (UTC)": when that minute is over. A weekday or a date may stand before
 * the time. 0 when the words leave more than one moment possible: without a time zone, or with one that is neither UTC nor
 * this machine's, or when the window is too short for it. */
int64_t limit_reset_in_text(const char *text, int64_t now_ms);
/* The window that the words name, or NULL. */
const char *limit_window_in_text(const char *text);

#endif
