#include "term/grid.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void fill(struct cell *cells, int from, int to, uint32_t style)
{
    struct cell blank = cell_blank(style);

    for (int x = from; x < to; x++)
        cells[x] = blank;
}

void grid_init(struct grid *grid, int cols, int rows)
{
    grid->cols = cols;
    grid->rows = rows;
    grid->slab = xmalloc((size_t)cols * (size_t)rows * sizeof *grid->slab);
    grid->lines = xcalloc((size_t)rows, sizeof *grid->lines);
    grid->moved = xcalloc((size_t)rows, sizeof *grid->moved);
    for (int y = 0; y < rows; y++) {
        grid->lines[y].cells = grid->slab + (size_t)y * (size_t)cols;
        fill(grid->lines[y].cells, 0, cols, 0);
    }
}

void grid_finish(struct grid *grid)
{
    free(grid->slab);
    free(grid->lines);
    free(grid->moved);
    *grid = (struct grid){0};
}

size_t grid_memory(const struct grid *grid)
{
    return (size_t)grid->rows *
           ((size_t)grid->cols * sizeof *grid->slab + sizeof *grid->lines + sizeof *grid->moved);
}

void row_split(struct row *row, int cols, int x)
{
    if (x <= 0 || x >= cols || row->cells[x].glyph != CELL_TAIL)
        return;
    row->cells[x - 1] = cell_blank(row->cells[x - 1].style);
    row->cells[x] = cell_blank(row->cells[x].style);
}

static void row_set_used(struct row *row, int used)
{
    if (used > row->used)
        row->used = used;
}

void row_erase(struct row *row, int cols, int left, int right, uint32_t style)
{
    row_split(row, cols, left);
    row_split(row, cols, right);
    if (style == 0) {
        fill(row->cells, left, right < row->used ? right : row->used, 0);
        if (right >= row->used && left < row->used)
            row->used = left;
    } else {
        fill(row->cells, left, right, style);
        row_set_used(row, right);
    }
}

void row_shift(struct row *row, int cols, int left, int right, int n, uint32_t style)
{
    int width = right - left;
    int count = n < 0 ? -n : n;

    if (count >= width) {
        row_erase(row, cols, left, right, style);
        return;
    }
    row_split(row, cols, left);
    row_split(row, cols, right);
    row->used = right > row->used ? right : row->used;
    if (n > 0) {
        row_split(row, cols, left + n);
        memmove(row->cells + left, row->cells + left + n, (size_t)(width - n) * sizeof *row->cells);
        fill(row->cells, right - n, right, style);
    } else {
        row_split(row, cols, right - count);
        memmove(row->cells + left + count, row->cells + left, (size_t)(width - count) * sizeof *row->cells);
        fill(row->cells, left, left + count, style);
    }
}

static void row_clear(struct row *row, int cols, uint32_t style, uint64_t version)
{
    row_erase(row, cols, 0, cols, style);
    row->wrapped = false;
    row->version = version;
}

static void reverse(struct row *lines, int from, int to)
{
    for (to--; from < to; from++, to--) {
        struct row swap = lines[from];
        lines[from] = lines[to];
        lines[to] = swap;
    }
}

/* Moves rows [top, bottom) up by n, the first n to the end. */
static void rotate(struct row *lines, int top, int bottom, int n)
{
    if (n == 1) {
        struct row first = lines[top];
        memmove(lines + top, lines + top + 1, (size_t)(bottom - top - 1) * sizeof *lines);
        lines[bottom - 1] = first;
        return;
    }
    reverse(lines, top, top + n);
    reverse(lines, top + n, bottom);
    reverse(lines, top, bottom);
}

void grid_scroll(struct grid *grid, int top, int bottom, int n, uint32_t style, uint64_t version)
{
    int height = bottom - top;
    int up = n > 0 ? n : height + n;

    if (n == 0)
        return;
    if (up > 0 && up < height)
        rotate(grid->lines, top, bottom, up);
    if (top > 0)
        grid->lines[top - 1].wrapped = false;
    if (n > 0) {
        for (int y = bottom - n; y < bottom; y++)
            row_clear(&grid->lines[y], grid->cols, style, version);
        if (bottom - n > top)
            grid->lines[bottom - n - 1].wrapped = false;
    } else {
        for (int y = top; y < top - n; y++)
            row_clear(&grid->lines[y], grid->cols, style, version);
        grid->lines[bottom - 1].wrapped = false;
    }
    for (int y = top; y < bottom; y++)
        grid->moved[y] = version;
}

void grid_touch_all(struct grid *grid, uint64_t version)
{
    for (int y = 0; y < grid->rows; y++)
        grid->lines[y].version = version;
}
