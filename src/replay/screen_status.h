/*
 * The status row of the player: what it does, where it is, a bar with the marks of the recording, the last marker. And the help
 * over it.
 */
#ifndef REPLAY_SCREEN_STATUS_H
#define REPLAY_SCREEN_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "replay/markers.h"
#include "replay/screen_style.h"

struct status {
    const char *state; /* "playing", "paused", "end", "live", "seeking 40%" … */
    bool calm;         /* the state needs no eye-catching */
    double position, total;
    bool total_known;
    double speed;
    bool skipping; /* pauses are cut */
    const struct markers *markers;
    uint64_t event;     /* for the last marker */
    const char *notice; /* in place of the last marker; or NULL */
    bool notice_last;   /* the clock comes first, however little room is left */
    const char *prompt; /* a question in place of all of it, "search: "; or NULL */
    const char *answer; /* what was typed so far */
};

struct status_look {
    enum color_depth depth;
    bool ascii;
    int width;
};

/* Appends the row, exactly `width` columns wide at most, and clears its rest. Returns the column of the cursor in a prompt, or
 * -1. */
int status_draw(struct buffer *out, const struct status *status, const struct status_look *look);

/* How many rows the whole help takes, and one of them. */
int status_help_rows(int width);
void status_help_row(struct buffer *out, int row, const struct status_look *look);

#endif
