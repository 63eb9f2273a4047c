/*
 * Screen frames for clients: what changed since the last frame of each, when its policy lets it go. Sessions
 * that nobody looks at cost nothing here.
 */
#ifndef HOST_FRAMES_H
#define HOST_FRAMES_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/frame_policy.h"
#include "rpc/frame.h"
#include "term/terminal.h"

struct host;

/* For all clients together. */
struct frames {
    int64_t held_since;
    struct event *hold;
};

/* What one client has on its screen. */
struct screen {
    bool on;
    bool whole; /* the next frame is a full one */
    struct frame_policy policy;
    uint64_t version, epoch;
    uint32_t attempt;
    int cols, rows;
    unsigned char *styles; /* a bit for each style it has */
    size_t styles_size;
    struct frame_modes modes;
    char *title;
    struct event *timer;
};

void frames_init(struct host *host);
void frames_finish(struct host *host);
/* Offers frames to all clients that look at the screen. */
void frames_update(struct host *host);
/* The screen of a client that subscribed (again): begins with a full frame. */
void screen_start(struct screen *screen);
void screen_finish(struct screen *screen);
/* Appends a full frame's line for whoever asks (frame number 0). */
void frames_snapshot(struct host *host, struct buffer *out);

/* One row as runs of a line that was begun; the style numbers are the terminal's. */
void frames_row(struct frame_writer *writer, const struct terminal *terminal, int y);
/* Text of one style, its runs split by column width. */
void frames_text(struct frame_writer *writer, uint32_t style, const char *text, size_t length);

#endif
