/*
 * The clock of the player, and how people write times: pure functions over seconds. A position is a time of the recording;
 * it moves `speed` times as fast as the real clock, and over the rest of a pause that is longer than the longest allowed.
 */
#ifndef REPLAY_PLAYBACK_H
#define REPLAY_PLAYBACK_H

#include <stdbool.h>
#include <stddef.h>

#define PLAYBACK_SPEED_MIN 0.25
#define PLAYBACK_SPEED_MAX 1000.0
#define PLAYBACK_TIME_MAX 1e9 /* seconds; later times count as this one */

struct playback {
    double position; /* seconds */
    double speed;
    double idle;   /* the longest pause, in seconds of the recording; 0: pauses are played in full */
    bool skipping; /* whether `idle` counts */
    bool playing;
};

/*
 * Moves the position on after `elapsed` real seconds, between the events at `last` and `next` seconds (`next` below 0: there
 * is none that is known, the position stays). It never goes beyond `next`: what time is left over then is returned, for the
 * pause after it. 0 while it does not play.
 */
double playback_advance(struct playback *playback, double elapsed, double last, double next);
/* Real seconds until the event at `next` is due, after the one at `last`; at least 0. */
double playback_wait(const struct playback *playback, double last, double next);
/* The time of an event that says `seconds`, after one at `last`: never earlier, and bounded. */
double playback_monotonic(double last, double seconds);
/* The speed that follows in the row 0.25, 0.5, 1, 2, 4 … 512, 1000, up or down. */
double playback_speed_step(double speed, int direction);

/* "h:mm:ss", "mm:ss" or seconds, each with a fraction; "40%" of `total`; with a sign in front, counted from `now`; what follows a colon is below 60. Returns 0
 * and the time within 0 and PLAYBACK_TIME_MAX, or -1 when it is no time. */
int playback_parse_time(const char *text, double now, double total, double *seconds);

#define PLAYBACK_TIME_SIZE 24
/* "0:05", "12:05", "1:02:05". */
void playback_format_time(double seconds, char text[PLAYBACK_TIME_SIZE]);
/* "0.25x", "1x", "1000x". */
#define PLAYBACK_SPEED_SIZE 16
void playback_format_speed(double speed, char text[PLAYBACK_SPEED_SIZE]);

#endif
