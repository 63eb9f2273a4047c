/*
 * The screen of one session as its host's frames describe it: a grid of cells, cursor, modes and title. Rows that
 * changed are marked until they are painted. Frames are applied in order; one on an unknown base is refused, and the
 * caller asks for a full one.
 */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "rpc/frame.h"

/* The bits of frame_style.attributes. */
enum style_attribute {
    STYLE_BOLD = 1 << 0,
    STYLE_DIM = 1 << 1,
    STYLE_ITALIC = 1 << 2,
    STYLE_BLINK = 1 << 3,
    STYLE_REVERSE = 1 << 4,
    STYLE_CONCEAL = 1 << 5,
    STYLE_STRIKE = 1 << 6,
    STYLE_OVERLINE = 1 << 7,
};

struct screen_style {
    uint32_t id;
    uint32_t foreground, background;
    uint16_t attributes;
    uint8_t underline; /* 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed */
};

/* `glyph` is a code point, 0 for an empty cell, or SCREEN_CLUSTER plus a number for screen_cluster(). A wide cell
 * (width 2) is followed by one of width 0. `style` is a place in screen.styles. */
#define SCREEN_CLUSTER 0x80000000u

struct screen_cell {
    uint32_t glyph;
    uint32_t style : 24;
    uint32_t width : 8;
};

struct screen_row {
    struct screen_cell *cells; /* screen.cols of them */
    bool wrapped;
    bool dirty;
};

struct screen {
    int cols, rows; /* 0: nothing was received */
    uint32_t attempt;
    uint64_t frame; /* the newest applied */
    bool complete;  /* no further part of it is to come */
    struct screen_row *grid;
    struct screen_style *styles; /* styles[0] is the default */
    size_t style_count, style_room;
    uint32_t *style_index; /* open addressing: place in styles plus one, by id */
    size_t index_room;
    char **clusters;
    size_t cluster_count, cluster_room;
    struct frame_cursor cursor;
    struct frame_modes modes;
    char *title; /* NULL: none was received */
    bool moved;  /* the cursor or the modes changed */
};

void screen_init(struct screen *screen);
void screen_finish(struct screen *screen);

/* Applies one `screen` line, which is changed in place. *changed is the number of rows it wrote or moved. Returns 0; 1
 * when its base is not the newest frame here: a full one is needed; -1 and the error when it is not a frame. */
int screen_read(struct screen *screen, char *line, size_t length, int *changed, struct error *error);
/* Shows a stored screen: an object of the shape of a full frame's params. Returns 0 or -1. */
int screen_load(struct screen *screen, const json_t *stored, struct error *error);
/* Every row is to be painted again. */
void screen_touch(struct screen *screen);

/* ---- for screens that are made by hand, of scrollback (page.c) ---- */

/* An empty grid, with the default style alone. */
void screen_make(struct screen *screen, int cols, int rows);
/* Adds or changes a style, by its id. */
void screen_style(struct screen *screen, const struct frame_style *style);
/* Writes text of a style id at *x in row *y, as a frame's run does, going on in the next row where one is full; stops
 * after the last. */
void screen_write(struct screen *screen, int *x, int *y, uint32_t style, int width, const char *text,
                  size_t length);
/* A copy that stays as it is. */
void screen_copy(struct screen *copy, const struct screen *screen);

/* The UTF-8 of a cluster glyph. */
const char *screen_cluster(const struct screen *screen, uint32_t glyph);

#endif
