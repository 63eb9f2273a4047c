#include "term/emulator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- what the engine reports ---- */

static void on_move(void *argument, int x, int y)
{
    struct terminal *terminal = argument;

    terminal->engine_x = x;
    terminal->y = y;
}

static void log_scroll(struct terminal *terminal, int top, int bottom, int n)
{
    struct scroll_entry *last = &terminal->scroll_log[(terminal->scroll_count - 1) % SCROLL_LOG_SIZE];

    terminal->scrolls++;
    terminal->changed = true;
    if (terminal->scroll_count > 0 && last->version == terminal->next_version && last->top == top &&
        last->bottom == bottom) {
        last->n += n;
        return;
    }
    last = &terminal->scroll_log[terminal->scroll_count % SCROLL_LOG_SIZE];
    if (terminal->scroll_count >= SCROLL_LOG_SIZE && last->version > terminal->scroll_barrier)
        terminal->scroll_barrier = last->version;
    *last = (struct scroll_entry){.version = terminal->next_version, .top = top, .bottom = bottom, .n = n};
    terminal->scroll_count++;
    if (terminal->scroll_count == 2 * SCROLL_LOG_SIZE)
        terminal->scroll_count = SCROLL_LOG_SIZE;
}

static int trimmed(const struct row *row)
{
    int used = row->used;

    while (used > 0 && row->cells[used - 1].glyph == 0 && row->cells[used - 1].style == 0)
        used--;
    return used;
}

static void push_rows(struct terminal *terminal, int count)
{
    for (int y = 0; y < count; y++) {
        struct row *row = screen_row(terminal, y);
        int used = row->wrapped ? terminal->cols : trimmed(row);

        /* A wide glyph that did not fit left the last cell empty: it is no part of the line. */
        if (row->wrapped && row->cells[used - 1].glyph == 0 && y + 1 < terminal->rows &&
            screen_row(terminal, y + 1)->cells[0].width == 2)
            used--;
        scrollback_push(terminal->scrollback, row->cells, used, row->wrapped, &terminal->intern);
    }
}

static void on_scroll(void *argument, struct rect rect, int up, int left)
{
    struct terminal *terminal = argument;
    int height = rect.bottom - rect.top;

    screen_refresh_pen(terminal);
    if (left != 0) {
        for (int y = rect.top; y < rect.bottom; y++) {
            struct row *row = screen_row(terminal, y);
            row_shift(row, terminal->cols, rect.left, rect.right, left, terminal->blank_style);
            row->wrapped = false;
            screen_touch(terminal, row);
        }
        return;
    }
    up = up > height ? height : up < -height ? -height : up;
    if (up > 0 && rect.top == 0 && !terminal->alternate && !terminal->deleting)
        push_rows(terminal, up);
    grid_scroll(terminal->grid, rect.top, rect.bottom, up, terminal->blank_style, terminal->next_version);
    log_scroll(terminal, rect.top, rect.bottom, up);
}

static void on_erase(void *argument, struct rect rect)
{
    struct terminal *terminal = argument;

    screen_refresh_pen(terminal);
    for (int y = rect.top; y < rect.bottom; y++) {
        struct row *row = screen_row(terminal, y);
        row_erase(row, terminal->cols, rect.left, rect.right, terminal->blank_style);
        if (rect.right == terminal->cols)
            row->wrapped = false;
        if (rect.left == 0 && y > 0)
            screen_row(terminal, y - 1)->wrapped = false;
        screen_touch(terminal, row);
    }
}

const struct engine_calls screen_engine_calls = {.move = on_move, .scroll = on_scroll, .erase = on_erase};

/* ---- the cursor ---- */

static void hand_on(struct terminal *terminal)
{
    char bytes[16];
    int length;

    if (terminal->x == terminal->engine_x)
        return;
    length = snprintf(bytes, sizeof bytes, "\033[%dC", terminal->x - terminal->engine_x);
    engine_write(terminal->engine, bytes, (size_t)length);
}

void screen_control(struct terminal *terminal, const char *bytes, size_t length)
{
    hand_on(terminal);
    engine_write(terminal->engine, bytes, length);
    terminal->x = terminal->engine_x;
}

void screen_controlf(struct terminal *terminal, const char *format, ...)
{
    char bytes[64];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(bytes, sizeof bytes, format, args);
    va_end(args);
    if (length > 0 && (size_t)length < sizeof bytes)
        screen_control(terminal, bytes, (size_t)length);
}

void screen_place(struct terminal *terminal, int x, int y, bool pending)
{
    int top = terminal->modes & MODE_ORIGIN ? terminal->margin_top : 0;

    screen_controlf(terminal, "\033[%d;%dH", y - top + 1, x + 1);
    terminal->pending = pending && terminal->x == terminal->cols - 1;
}

static void line_feed(struct terminal *terminal)
{
    int x = terminal->x;

    engine_write(terminal->engine, "\n", 1);
    terminal->x = terminal->modes & MODE_NEWLINE ? terminal->engine_x : x;
    terminal->pending = false;
}

static void carriage_return(struct terminal *terminal)
{
    if (terminal->engine_x != 0)
        engine_write(terminal->engine, "\r", 1);
    terminal->x = 0;
    terminal->pending = false;
}

void screen_c0(struct terminal *terminal, unsigned char control)
{
    char byte = (char)control;

    switch (control) {
    case '\a':
        if (terminal_loud(terminal) && terminal->calls.bell != NULL)
            terminal->calls.bell(terminal->argument);
        break;
    case '\n':
    case '\v':
    case '\f':
        line_feed(terminal);
        break;
    case '\r':
        carriage_return(terminal);
        break;
    case '\b':
    case '\t':
        screen_control(terminal, &byte, 1);
        terminal->pending = false;
        break;
    case 0x0E:
        terminal->charsets.active = 1;
        break;
    case 0x0F:
        terminal->charsets.active = 0;
        break;
    default:
        break;
    }
}

void screen_index(struct terminal *terminal, char final)
{
    char bytes[2] = {'\033', final};

    screen_control(terminal, bytes, sizeof bytes);
    terminal->pending = false;
}

/* ---- the pen ---- */

void screen_refresh_pen(struct terminal *terminal)
{
    struct style blank = style_default;

    if (!terminal->pen_stale)
        return;
    if (intern_crowded(&terminal->intern))
        screen_collect(terminal);
    blank.background = terminal->pen.background;
    terminal->pen_style = intern_style(&terminal->intern, &terminal->pen);
    terminal->blank_style = intern_style(&terminal->intern, &blank);
    terminal->pen_stale = false;
}

struct renumbering {
    const struct intern *old;
    struct intern fresh;
    uint32_t *styles; /* by old number: the new one and 1 */
};

static uint16_t renumber_link(struct renumbering *renumbering, uint16_t link)
{
    const char *uri = link != 0 ? intern_get_link(renumbering->old, link) : NULL;

    return uri == NULL ? 0 : intern_link(&renumbering->fresh, uri, strlen(uri));
}

static void renumber_cell(struct renumbering *renumbering, struct cell *cell)
{
    uint32_t *style = &renumbering->styles[cell->style];

    if (*style == 0) {
        struct style copy = intern_get_style(renumbering->old, cell->style);
        copy.link = renumber_link(renumbering, copy.link);
        *style = intern_style(&renumbering->fresh, &copy) + 1;
    }
    cell->style = (*style - 1) & 0xFFFFFFu;
    if (cell->glyph >= CELL_CLUSTER) {
        size_t length;
        const char *text = intern_get_cluster(renumbering->old, cell->glyph, &length);
        cell->glyph = intern_cluster(&renumbering->fresh, text, length);
    }
}

static void renumber_grid(struct renumbering *renumbering, struct grid *grid)
{
    for (int y = 0; y < grid->rows; y++)
        for (int x = 0; x < grid->lines[y].used; x++)
            renumber_cell(renumbering, &grid->lines[y].cells[x]);
}

void screen_collect(struct terminal *terminal)
{
    struct renumbering renumbering = {.old = &terminal->intern};

    intern_init(&renumbering.fresh);
    renumbering.styles = xcalloc(terminal->intern.style_count, sizeof *renumbering.styles);
    renumber_grid(&renumbering, &terminal->screens[0]);
    renumber_grid(&renumbering, &terminal->screens[1]);
    terminal->pen.link = renumber_link(&renumbering, terminal->pen.link);
    for (int i = 0; i < 2; i++)
        terminal->saved[i].pen.link = renumber_link(&renumbering, terminal->saved[i].pen.link);
    free(renumbering.styles);
    intern_finish(&terminal->intern);
    terminal->intern = renumbering.fresh;
    intern_settle(&terminal->intern);
    terminal->pen_stale = true;
    terminal->epoch++;
    screen_touch_all(terminal);
}

/* ---- the whole screen ---- */

void screen_touch_all(struct terminal *terminal)
{
    grid_touch_all(terminal->grid, terminal->next_version);
    terminal->scroll_barrier = terminal->next_version;
    terminal->changed = true;
}

void screen_clear(struct terminal *terminal)
{
    on_erase(terminal, (struct rect){.bottom = terminal->rows, .right = terminal->cols});
}

void screen_switch(struct terminal *terminal, bool alternate, bool clear)
{
    struct grid *grid = &terminal->screens[alternate];

    if (terminal->alternate == alternate)
        return;
    if (grid->lines == NULL)
        grid_init(grid, terminal->cols, terminal->rows);
    terminal->grid = grid;
    terminal->alternate = alternate;
    terminal->last_code = 0;
    if (clear)
        screen_clear(terminal);
    screen_touch_all(terminal);
}

void screen_align(struct terminal *terminal)
{
    screen_controlf(terminal, "\033[?6l\033[r");
    terminal->modes &= ~(uint32_t)MODE_ORIGIN;
    terminal->margin_top = 0;
    terminal->margin_bottom = terminal->rows;
    for (int y = 0; y < terminal->rows; y++) {
        struct row *row = screen_row(terminal, y);
        for (int x = 0; x < terminal->cols; x++)
            row->cells[x] = (struct cell){.glyph = 'E', .style = 0, .width = 1};
        row->used = terminal->cols;
        row->wrapped = false;
        screen_touch(terminal, row);
    }
    screen_place(terminal, 0, 0, false);
}

static void restore_tabs(struct terminal *terminal)
{
    if (terminal->tabs_default)
        return;
    engine_write(terminal->engine, "\033[3g", 4);
    for (int x = 0; x < terminal->cols; x++) {
        char bytes[24];
        if (!(terminal->tabs[x >> 3] & 1 << (x & 7)))
            continue;
        engine_write(terminal->engine, bytes, (size_t)snprintf(bytes, sizeof bytes, "\033[%dG\033H", x + 1));
    }
}

void screen_restart_engine(struct terminal *terminal)
{
    int x = terminal->x, y = terminal->y;
    bool pending = terminal->pending;

    engine_destroy(terminal->engine);
    terminal->engine = engine_create(terminal->cols, terminal->rows, &screen_engine_calls, terminal);
    terminal->engine_x = terminal->x = 0;
    terminal->y = 0;
    restore_tabs(terminal);
    if (terminal->modes & MODE_NEWLINE)
        engine_write(terminal->engine, "\033[20h", 5);
    if (terminal->margin_top != 0 || terminal->margin_bottom != terminal->rows) {
        char bytes[32];
        engine_write(terminal->engine, bytes,
                     (size_t)snprintf(bytes, sizeof bytes, "\033[%d;%dr", terminal->margin_top + 1,
                                      terminal->margin_bottom));
    }
    if (terminal->modes & MODE_ORIGIN)
        engine_write(terminal->engine, "\033[?6h", 5);
    terminal->x = terminal->engine_x;
    screen_place(terminal, x, y, pending);
}
