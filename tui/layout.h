/*
 * Where panes stand. Pure arithmetic on rectangles in columns and rows.
 */
#ifndef TUI_LAYOUT_H
#define TUI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

struct rectangle {
    int x, y, cols, rows;
};

enum layout_kind {
    LAYOUT_TILED,   /* a grid, as square as it goes */
    LAYOUT_MAIN,    /* the first large on the left, the others stacked on its right */
    LAYOUT_COLUMNS, /* side by side */
    LAYOUT_ROWS,    /* one above the other */
    LAYOUT_ZOOMED,  /* one at a time */
    LAYOUT_COUNT,
};

/* Smallest pane that is still worth showing beside others, its border included. */
#define LAYOUT_PANE_COLS 24
#define LAYOUT_PANE_ROWS 6
#define LAYOUT_PANES_MAX 64

/* "tiled", "main-and-stack", "columns", "rows", "zoomed"; layout_find returns -1 for another name. */
const char *layout_name(enum layout_kind kind);
int layout_find(const char *name);

/* How many panes of at least the smallest size fit; at least 1, at most LAYOUT_PANES_MAX. */
size_t layout_capacity(enum layout_kind kind, struct rectangle area);
/* Divides the area among `count` panes (at most the capacity) without gap or overlap. */
void layout_arrange(enum layout_kind kind, struct rectangle area, size_t count, struct rectangle *panes);

/* The dashboard's parts. A part that does not fit has no rows or columns. */
struct layout_parts {
    struct rectangle panes, panel, strip, status;
};
struct layout_parts layout_divide(int cols, int rows, bool panel);

/* The first row (or column) of a grid of `size` shown in `room`, so that `cursor` is seen and `offset`, the one before,
 * changes as little as possible. */
int layout_clip(int size, int room, int cursor, int offset);

bool layout_contains(struct rectangle area, int x, int y);

#endif
