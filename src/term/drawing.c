/* The screen as a text that draws it. */
#include <stdio.h>

#include "term/emulator.h"

static void draw_rows(const struct terminal *terminal, struct buffer *out)
{
    for (int y = 0; y < terminal->rows; y++) {
        size_t before = out->length, start;
        buffer_printf(out, "\033[%d;1H", y + 1);
        start = out->length;
        snapshot_row(terminal, y, out);
        if (out->length == start)
            out->length = before;
    }
}

static void draw_pen(const struct style *pen, struct buffer *out)
{
    buffer_append_string(out, "\033[");
    pen_format(pen, out);
    buffer_append_char(out, 'm');
}

static void draw_charsets(const struct charsets *charsets, struct buffer *out)
{
    static const char designators[] = "()*+";

    for (int i = 0; i < 4; i++) {
        if (charsets->designated[i] != 'B')
            buffer_printf(out, "\033%c%c", designators[i], charsets->designated[i]);
    }
    if (charsets->active == 1)
        buffer_append_char(out, '\016');
}

/* Where DECSC was, so that DECRC goes there. */
static void draw_saved(const struct saved_cursor *saved, struct buffer *out)
{
    buffer_printf(out, "\033[%d;%dH", saved->y + 1, saved->x + 1);
    draw_pen(&saved->pen, out);
}

static void draw_tabs(const struct terminal *terminal, struct buffer *out)
{
    if (terminal->tabs_default)
        return;
    buffer_append_string(out, "\033[3g");
    for (int x = 0; x < terminal->cols; x++) {
        if (terminal->tabs[x >> 3] & 1 << (x & 7))
            buffer_printf(out, "\033[%dG\033H", x + 1);
    }
}

/* In a row that is full to the last column the next glyph wraps first: so it is printed again. */
static void draw_cursor(const struct terminal *terminal, struct buffer *out)
{
    int top = terminal->modes & MODE_ORIGIN ? terminal->margin_top : 0, y = terminal->y - top + 1;
    const struct cell *cells = terminal_row(terminal, terminal->y);
    int x = terminal->x;

    if (terminal->pending && x > 0 && cells[x].glyph == CELL_TAIL)
        x--;
    buffer_printf(out, "\033[%d;%dH", y, x + 1);
    if (terminal->pending)
        snapshot_cell(terminal, cells[x], out);
}

static void draw_modes(const struct terminal *terminal, struct buffer *out)
{
    static const struct {
        uint32_t mode;
        bool on; /* what is not the default */
        const char *sequence;
    } modes[] = {
        {MODE_REVERSE_SCREEN, true, "\033[?5h"},
        {MODE_AUTOWRAP, false, "\033[?7l"},
        {MODE_CURSOR_VISIBLE, false, "\033[?25l"},
        {MODE_INSERT, true, "\033[4h"},
        {MODE_NEWLINE, true, "\033[20h"},
        {MODE_ORIGIN, true, "\033[?6h"},
        {MODE_APPLICATION_CURSOR, true, "\033[?1h"},
        {MODE_APPLICATION_KEYPAD, true, "\033="},
        {MODE_BRACKETED_PASTE, true, "\033[?2004h"},
    };

    if (terminal->margin_top != 0 || terminal->margin_bottom != terminal->rows)
        buffer_printf(out, "\033[%d;%dr", terminal->margin_top + 1, terminal->margin_bottom);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (!!(terminal->modes & modes[i].mode) == modes[i].on)
            buffer_append_string(out, modes[i].sequence);
    }
    if (terminal->cursor_shape != 1 || !(terminal->modes & MODE_CURSOR_BLINK))
        buffer_printf(out, "\033[%d q",
                      terminal->cursor_shape * 2 - (terminal->modes & MODE_CURSOR_BLINK ? 1 : 0));
}

void terminal_drawing(const struct terminal *terminal, struct buffer *out)
{
    struct terminal primary = *terminal;

    primary.grid = &primary.screens[0];
    buffer_append_string(out, "\033[0m\033[r\033[H\033[2J");
    if (terminal->title != NULL && terminal->title[0] != '\0')
        buffer_printf(out, "\033]2;%s\033\\", terminal->title);
    draw_rows(&primary, out);
    if (terminal->saved[0].valid) {
        draw_saved(&terminal->saved[0], out);
        buffer_append_string(out, "\0337");
    }
    if (terminal->alternate) {
        buffer_append_string(out, "\033[?1049h\033[0m\033[2J");
        draw_rows(terminal, out);
        if (terminal->saved[1].valid) {
            draw_saved(&terminal->saved[1], out);
            buffer_append_string(out, "\0337");
        }
    }
    buffer_append_string(out, "\033[0m");
    draw_tabs(terminal, out);
    draw_modes(terminal, out);
    draw_cursor(terminal, out);
    draw_pen(&terminal->pen, out);
    draw_charsets(&terminal->charsets, out);
}
