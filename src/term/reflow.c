#include "term/emulator.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct line {
    size_t start, count; /* in the pool */
    size_t rows;         /* at the new width */
};

struct lines {
    struct line *items;
    size_t count, capacity;
};

struct reflow {
    struct terminal *terminal;
    const struct grid *old;
    struct grid fresh;
    int cols, rows;
    struct cells pool;
    struct lines screen, history; /* history: from the scrollback, the latest first */
    size_t cursor_line, cursor_offset;
    int x, y; /* the cursor, in and out */
    bool pending;
    size_t emitted, top; /* rows so far; rows that go to the scrollback */
};

/* ---- gathering ---- */

/* Where the row of a line that begins at `from` ends: a wide glyph is never split. */
static size_t row_end(const struct reflow *reflow, const struct line *line, size_t from)
{
    size_t end = line->start + line->count, at = from + (size_t)reflow->cols;

    if (at >= end)
        return end;
    return reflow->pool.items[at].glyph == CELL_TAIL ? at - 1 : at;
}

static size_t add_line(struct reflow *reflow, struct lines *lines, size_t start)
{
    struct line line = {.start = start, .count = reflow->pool.count - start};

    for (size_t at = start; line.rows == 0 || at < start + line.count; line.rows++)
        at = row_end(reflow, &line, at);
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity == 0 ? 64 : lines->capacity * 2;
        lines->items = xreallocarray(lines->items, lines->capacity, sizeof *lines->items);
    }
    lines->items[lines->count++] = line;
    return line.rows;
}

/* Erased cells at the end are no part of a line; coloured ones would only wrap into rows of their own. */
static int content_width(const struct row *row, bool keep_colored)
{
    int used = row->used;

    while (used > 0 && row->cells[used - 1].glyph == 0 && !(keep_colored && row->cells[used - 1].style != 0))
        used--;
    return used;
}

static int used_rows(const struct reflow *reflow)
{
    int used = reflow->old->rows;

    while (used > reflow->y + 1 && content_width(&reflow->old->lines[used - 1], true) == 0)
        used--;
    return used;
}

static void append_row(struct reflow *reflow, int y, bool wrapped)
{
    const struct row *row = &reflow->old->lines[y];
    int count = wrapped ? reflow->old->cols : content_width(row, reflow->cols == reflow->old->cols);

    if (wrapped && row->cells[count - 1].glyph == 0 && row[1].cells[0].width == 2)
        count--;
    for (int x = 0; x < count; x++)
        cells_append(&reflow->pool, row->cells[x]);
}

/* The lines of the screen, the first with its part in the scrollback. Returns their rows. */
static size_t gather(struct reflow *reflow, int used)
{
    struct terminal *terminal = reflow->terminal;
    size_t start = 0, rows = 0;

    if (scrollback_is_open(terminal->scrollback))
        (void)scrollback_pop(terminal->scrollback, &terminal->intern, &reflow->pool);
    for (int y = 0; y < used; y++) {
        bool wrapped = reflow->old->lines[y].wrapped && y + 1 < used;
        if (y == reflow->y) {
            reflow->cursor_line = reflow->screen.count;
            reflow->cursor_offset = reflow->pool.count - start + (size_t)reflow->x + reflow->pending;
        }
        append_row(reflow, y, wrapped);
        if (!wrapped) {
            rows += add_line(reflow, &reflow->screen, start);
            start = reflow->pool.count;
        }
    }
    return rows;
}

static size_t pull_history(struct reflow *reflow, size_t missing)
{
    struct terminal *terminal = reflow->terminal;
    size_t rows = 0, start = reflow->pool.count;

    while (rows < missing && scrollback_pop(terminal->scrollback, &terminal->intern, &reflow->pool)) {
        rows += add_line(reflow, &reflow->history, start);
        start = reflow->pool.count;
    }
    return rows;
}

/* ---- laying out ---- */

/* The cursor's row among those of its line; its column is in reflow->x. */
static size_t place_in_line(struct reflow *reflow, const struct line *line)
{
    size_t at = line->start, offset = line->start + reflow->cursor_offset, row = 0;
    size_t column;

    for (;; row++) {
        size_t end = row_end(reflow, line, at);
        if (offset < end || row + 1 == line->rows)
            break;
        at = end;
    }
    column = offset - at;
    reflow->pending = column == (size_t)reflow->cols && reflow->pending;
    reflow->x = column < (size_t)reflow->cols ? (int)column : reflow->cols - 1;
    return row;
}

static size_t rows_before(const struct reflow *reflow, size_t line)
{
    size_t rows = 0;

    for (size_t i = 0; i < reflow->history.count; i++)
        rows += reflow->history.items[i].rows;
    for (size_t i = 0; i < line; i++)
        rows += reflow->screen.items[i].rows;
    return rows;
}

static void emit_row(struct reflow *reflow, const struct cell *cells, size_t count, bool wrapped)
{
    size_t at = reflow->emitted++;
    struct row *row;

    if (at < reflow->top) {
        scrollback_push(reflow->terminal->scrollback, cells, (int)count, wrapped, &reflow->terminal->intern);
        return;
    }
    at -= reflow->top;
    if (at >= (size_t)reflow->rows)
        return;
    row = &reflow->fresh.lines[at];
    if (count > 0)
        memcpy(row->cells, cells, count * sizeof *cells);
    row->used = (int)count;
    row->wrapped = wrapped && at + 1 < (size_t)reflow->rows;
}

static void emit_line(struct reflow *reflow, const struct line *line)
{
    size_t at = line->start;

    for (size_t i = 0; i < line->rows; i++) {
        size_t end = row_end(reflow, line, at);
        emit_row(reflow, reflow->pool.items == NULL ? NULL : reflow->pool.items + at, end - at,
                 i + 1 < line->rows);
        at = end;
    }
}

static void lay_out(struct reflow *reflow, size_t rows)
{
    size_t cursor_row = rows_before(reflow, reflow->cursor_line);

    cursor_row += place_in_line(reflow, &reflow->screen.items[reflow->cursor_line]);
    reflow->top = rows > (size_t)reflow->rows ? rows - (size_t)reflow->rows : 0;
    if (reflow->top > cursor_row)
        reflow->top = cursor_row;
    for (size_t i = reflow->history.count; i > 0; i--)
        emit_line(reflow, &reflow->history.items[i - 1]);
    for (size_t i = 0; i < reflow->screen.count; i++)
        emit_line(reflow, &reflow->screen.items[i]);
    reflow->y = (int)(cursor_row - reflow->top);
}

/* The primary screen and its scrollback; the cursor goes with the text. */
static void resize_primary(struct terminal *terminal, int cols, int rows, int *x, int *y, bool *pending)
{
    struct reflow reflow = {.terminal = terminal,
                            .old = &terminal->screens[0],
                            .cols = cols,
                            .rows = rows,
                            .x = *x,
                            .y = *y,
                            .pending = *pending};
    int used = used_rows(&reflow);
    size_t below = (size_t)(reflow.old->rows - used), total = gather(&reflow, used);

    if (total + below < (size_t)rows)
        total += pull_history(&reflow, (size_t)rows - total - below);
    grid_init(&reflow.fresh, cols, rows);
    lay_out(&reflow, total);
    grid_finish(&terminal->screens[0]);
    terminal->screens[0] = reflow.fresh;
    *x = reflow.x;
    *y = reflow.y;
    *pending = reflow.pending;
    free(reflow.pool.items);
    free(reflow.screen.items);
    free(reflow.history.items);
}

/* The alternate screen is cut or filled at the right and the bottom: its program draws it again. */
static void resize_alternate(struct grid *grid, int cols, int rows)
{
    struct grid fresh;

    if (grid->lines == NULL)
        return;
    grid_init(&fresh, cols, rows);
    for (int y = 0; y < rows && y < grid->rows; y++) {
        struct row *from = &grid->lines[y], *to = &fresh.lines[y];
        row_split(from, grid->cols, cols);
        to->used = from->used < cols ? from->used : cols;
        memcpy(to->cells, from->cells, (size_t)to->used * sizeof *to->cells);
        to->wrapped = from->wrapped && cols == grid->cols && y + 1 < rows;
    }
    grid_finish(grid);
    *grid = fresh;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void clamp_saved(struct saved_cursor *saved, int cols, int rows)
{
    saved->x = least(saved->x, cols - 1);
    saved->y = least(saved->y, rows - 1);
    saved->pending = saved->pending && saved->x == cols - 1;
    saved->origin = false;
}

void reflow_resize(struct terminal *terminal, int cols, int rows)
{
    struct saved_cursor *behind = &terminal->saved[0];

    if (terminal->alternate) {
        resize_primary(terminal, cols, rows, &behind->x, &behind->y, &behind->pending);
        terminal->x = least(terminal->x, cols - 1);
        terminal->y = least(terminal->y, rows - 1);
        terminal->pending = false;
    } else {
        resize_primary(terminal, cols, rows, &terminal->x, &terminal->y, &terminal->pending);
    }
    resize_alternate(&terminal->screens[1], cols, rows);
    terminal->cols = cols;
    terminal->rows = rows;
    clamp_saved(&terminal->saved[0], cols, rows);
    clamp_saved(&terminal->saved[1], cols, rows);
    terminal->margin_top = 0;
    terminal->margin_bottom = rows;
    terminal->modes &= ~(uint32_t)MODE_ORIGIN;
    terminal->last_code = 0;
    terminal->last_x = terminal->last_y = terminal->after_x = 0;
    terminal->cluster_live = false;
    terminal->grid = &terminal->screens[terminal->alternate];
    screen_restart_engine(terminal);
    screen_touch_all(terminal);
}
