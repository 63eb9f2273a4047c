/*
 * What the user's terminal shows, row by row, so that only what differs is sent.
 */
#ifndef REPLAY_CANVAS_H
#define REPLAY_CANVAS_H

#include <stdbool.h>

#include "base/buffer.h"

struct canvas {
    int width, height;
    struct buffer *rows;    /* what each shows: the bytes that drew it */
    int cursor_x, cursor_y; /* -1: hidden */
    struct buffer out;      /* what is to be sent */
    struct buffer sent;     /* the last frame */
};

/* Empties it for a terminal of that size, which is cleared by what is sent next. */
void canvas_reset(struct canvas *canvas, int width, int height);
void canvas_finish(struct canvas *canvas);
/* The row is to show what these bytes draw from its first column on, rest of the row included. */
void canvas_row(struct canvas *canvas, int y, const struct buffer *bytes);
/* Where the cursor is to be; x below 0: nowhere. */
void canvas_cursor(struct canvas *canvas, int x, int y);
/* What is to be sent for all that was said since the last time, as one frame; empty when nothing differs. Valid until the next
 * call of any function here. */
const struct buffer *canvas_frame(struct canvas *canvas);

#endif
