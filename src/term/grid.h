/*
 * A screen of cells as an array of rows; scrolling moves rows, not cells. Every row carries the version of its last
 * change and every position the version of the last scroll it took part in, which is what frames are made from.
 * Invariant: cells from `used` on are blank cells of style 0. A wide glyph is always followed by its CELL_TAIL.
 */
#ifndef TERM_GRID_H
#define TERM_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "term/terminal.h"

struct row {
    struct cell *cells;
    uint64_t version;
    int used;
    bool wrapped; /* goes on in the next row */
};

struct grid {
    int cols, rows;
    struct row *lines;
    uint64_t *moved; /* by position */
    struct cell *slab;
};

void grid_init(struct grid *grid, int cols, int rows);
void grid_finish(struct grid *grid);
size_t grid_memory(const struct grid *grid);

static inline struct cell cell_blank(uint32_t style)
{
    return (struct cell){.glyph = 0, .style = style & 0xFFFFFFu, .width = 1};
}

/* Blanks both halves of a wide glyph that straddles the left edge of column x. */
void row_split(struct row *row, int cols, int x);
/* Blanks columns [left, right) with the style. */
void row_erase(struct row *row, int cols, int left, int right, uint32_t style);
/* Moves the cells of [left, right) to the left by n (to the right when negative); what is freed is blanked. */
void row_shift(struct row *row, int cols, int left, int right, int n, uint32_t style);
/* Rows [top, bottom) move up by n (down when negative, never more than their number); freed rows are blanked. */
void grid_scroll(struct grid *grid, int top, int bottom, int n, uint32_t style, uint64_t version);
void grid_touch_all(struct grid *grid, uint64_t version);

#endif
