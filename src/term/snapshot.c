#include "term/emulator.h"

#include "base/utf8.h"

static int content_width(const struct terminal *terminal, int y, bool keep_colored)
{
    const struct cell *cells = terminal_row(terminal, y);
    int width = terminal->cols;

    while (width > 0 && (cells[width - 1].glyph == 0 || cells[width - 1].glyph == ' ') &&
           !(keep_colored && cells[width - 1].style != 0))
        width--;
    return width;
}

static void append_glyph(const struct terminal *terminal, struct cell cell, struct buffer *out)
{
    char bytes[4];
    const char *cluster;
    size_t length;

    if (cell.glyph == CELL_TAIL)
        return;
    if (cell.glyph >= CELL_CLUSTER) {
        cluster = terminal_cluster(terminal, cell.glyph, &length);
        buffer_append(out, cluster, length);
    } else {
        length = (size_t)utf8_encode(cell.glyph == 0 ? ' ' : cell.glyph, bytes);
        buffer_append(out, bytes, length);
    }
}

void terminal_row_part(const struct terminal *terminal, int y, bool wrapped, struct buffer *out)
{
    int width = wrapped ? terminal->cols : content_width(terminal, y, false);
    const struct cell *cells = terminal_row(terminal, y);

    /* A wide glyph that did not fit left the last cell empty: it is no part of the line. */
    if (wrapped && cells[width - 1].glyph == 0 && terminal_row(terminal, y + 1)->width == 2)
        width--;
    for (int x = 0; x < width; x++)
        append_glyph(terminal, cells[x], out);
}

void terminal_row_text(const struct terminal *terminal, int y, struct buffer *out)
{
    terminal_row_part(terminal, y, false, out);
    buffer_append_char(out, '\n');
}

void terminal_text(const struct terminal *terminal, struct buffer *out)
{
    for (int y = 0; y < terminal->rows; y++)
        terminal_row_text(terminal, y, out);
}

static void append_style(const struct terminal *terminal, const struct style *from, const struct style *to,
                         struct buffer *out)
{
    if (from->link != to->link) {
        const char *uri = terminal_link(terminal, to->link);
        buffer_printf(out, "\033]8;;%s\033\\", uri == NULL ? "" : uri);
    }
    buffer_append_string(out, "\033[");
    pen_format(to, out);
    buffer_append_char(out, 'm');
}

void snapshot_cell(const struct terminal *terminal, struct cell cell, struct buffer *out)
{
    struct style style = terminal_style(terminal, cell.style);

    if (!style_equal(&style, &style_default))
        append_style(terminal, &style_default, &style, out);
    append_glyph(terminal, cell, out);
    if (!style_equal(&style, &style_default))
        append_style(terminal, &style, &style_default, out);
}

void snapshot_row(const struct terminal *terminal, int y, struct buffer *out)
{
    int width = content_width(terminal, y, true);
    const struct cell *cells = terminal_row(terminal, y);
    struct style style = style_default;

    for (int x = 0; x < width; x++) {
        struct style next = terminal_style(terminal, cells[x].style);
        if (!style_equal(&style, &next))
            append_style(terminal, &style, &next, out);
        style = next;
        append_glyph(terminal, cells[x], out);
    }
    if (!style_equal(&style, &style_default))
        append_style(terminal, &style, &style_default, out);
}

void terminal_ansi(const struct terminal *terminal, struct buffer *out)
{
    for (int y = 0; y < terminal->rows; y++) {
        snapshot_row(terminal, y, out);
        buffer_append_char(out, '\n');
    }
}
