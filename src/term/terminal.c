#include "term/terminal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "term/emulator.h"

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

struct terminal *terminal_allocate(const struct terminal_options *options)
{
    struct terminal *terminal = xcalloc(1, sizeof *terminal);

    if (options->calls != NULL)
        terminal->calls = *options->calls;
    terminal->argument = options->argument;
    terminal->clipboard = options->clipboard;
    terminal->quiet = options->quiet;
    terminal->cols = clamp(options->cols, TERMINAL_COLS_MIN, TERMINAL_COLS_MAX);
    terminal->rows = clamp(options->rows, TERMINAL_ROWS_MIN, TERMINAL_ROWS_MAX);
    terminal->margin_bottom = terminal->rows;
    terminal->scrollback_limit = options->scrollback_lines;
    terminal->title = xstrdup("");
    memset(terminal->tabs, 1, sizeof terminal->tabs);
    terminal->tabs_default = true;
    intern_init(&terminal->intern);
    palette_init(terminal->palette);
    modes_reset(terminal);
    terminal->epoch = (uint64_t)clock_monotonic_ns();
    terminal->version = 1;
    terminal->next_version = 2;
    return terminal;
}

struct terminal *terminal_create(const struct terminal_options *options)
{
    struct terminal *terminal = terminal_allocate(options);

    grid_init(&terminal->screens[0], terminal->cols, terminal->rows);
    terminal->grid = &terminal->screens[0];
    grid_touch_all(terminal->grid, terminal->version);
    terminal->scrollback = scrollback_create(terminal->scrollback_limit);
    screen_restart_engine(terminal);
    terminal->changed = false;
    return terminal;
}

void terminal_destroy(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    engine_destroy(terminal->engine);
    grid_finish(&terminal->screens[0]);
    grid_finish(&terminal->screens[1]);
    scrollback_destroy(terminal->scrollback);
    intern_finish(&terminal->intern);
    while (terminal->title_stack.depth > 0)
        free(terminal->title_stack.titles[--terminal->title_stack.depth]);
    free(terminal->title);
    buffer_finish(&terminal->notification);
    buffer_finish(&terminal->filter.string);
    free(terminal);
}

void terminal_set_quiet(struct terminal *terminal, bool quiet)
{
    terminal->quiet = quiet;
}

void terminal_set_palette(struct terminal *terminal, int index, uint32_t rgb)
{
    if (index >= -3 && index < 256)
        terminal->palette[index >= 0 ? index : 255 - index] = rgb & 0xFFFFFFu;
}

void terminal_write(struct terminal *terminal, const char *bytes, size_t length)
{
    int x = terminal->x, y = terminal->y;
    uint32_t modes = terminal->modes;

    terminal->next_version = terminal->version + 1;
    filter_write(terminal, bytes, length);
    if (terminal->changed || terminal->x != x || terminal->y != y || terminal->modes != modes)
        terminal->version = terminal->next_version;
    terminal->changed = false;
}

void terminal_resize(struct terminal *terminal, int cols, int rows)
{
    cols = clamp(cols, TERMINAL_COLS_MIN, TERMINAL_COLS_MAX);
    rows = clamp(rows, TERMINAL_ROWS_MIN, TERMINAL_ROWS_MAX);
    if (cols == terminal->cols && rows == terminal->rows)
        return;
    terminal->next_version = terminal->version + 1;
    reflow_resize(terminal, cols, rows);
    terminal->version = terminal->next_version;
    terminal->changed = false;
}

int terminal_cols(const struct terminal *terminal)
{
    return terminal->cols;
}

int terminal_rows(const struct terminal *terminal)
{
    return terminal->rows;
}

const struct cell *terminal_row(const struct terminal *terminal, int y)
{
    return terminal->grid->lines[clamp(y, 0, terminal->rows - 1)].cells;
}

bool terminal_row_wrapped(const struct terminal *terminal, int y)
{
    return y >= 0 && y < terminal->rows && terminal->grid->lines[y].wrapped;
}

struct style terminal_style(const struct terminal *terminal, uint32_t style)
{
    return intern_get_style(&terminal->intern, style);
}

const char *terminal_cluster(const struct terminal *terminal, uint32_t glyph, size_t *length)
{
    return intern_get_cluster(&terminal->intern, glyph, length);
}

const char *terminal_link(const struct terminal *terminal, uint16_t link)
{
    return intern_get_link(&terminal->intern, link);
}

struct terminal_cursor terminal_cursor(const struct terminal *terminal)
{
    return (struct terminal_cursor){
        .x = terminal->x,
        .y = terminal->y,
        .visible = (terminal->modes & MODE_CURSOR_VISIBLE) != 0,
        .blink = (terminal->modes & MODE_CURSOR_BLINK) != 0,
        .shape = terminal->cursor_shape,
    };
}

struct terminal_modes terminal_modes(const struct terminal *terminal)
{
    const struct keyboard *keyboard = &terminal->keyboards[terminal->alternate];

    return (struct terminal_modes){
        .input =
            {
                .application_cursor = (terminal->modes & MODE_APPLICATION_CURSOR) != 0,
                .application_keypad = (terminal->modes & MODE_APPLICATION_KEYPAD) != 0,
                .bracketed_paste = (terminal->modes & MODE_BRACKETED_PASTE) != 0,
                .focus_events = (terminal->modes & MODE_FOCUS) != 0,
                .modify_other_keys = terminal->modify_other_keys,
                .kitty_flags = keyboard->flags[keyboard->depth],
                .mouse_mode = terminal->mouse_mode,
                .mouse_encoding = terminal->mouse_encoding,
            },
        .alternate_screen = terminal->alternate,
        .synchronized = (terminal->modes & MODE_SYNCHRONIZED) != 0,
    };
}

const char *terminal_title(const struct terminal *terminal)
{
    return terminal->title;
}

bool terminal_at_ground(const struct terminal *terminal)
{
    return terminal->filter.state == FILTER_GROUND && terminal->filter.partial_length == 0;
}

size_t terminal_memory(const struct terminal *terminal)
{
    return sizeof *terminal + grid_memory(&terminal->screens[0]) + grid_memory(&terminal->screens[1]) +
           scrollback_memory(terminal->scrollback) + intern_memory(&terminal->intern) +
           terminal->filter.string.capacity;
}
