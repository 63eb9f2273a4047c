#include "replay/screen_row.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "term/width.h"

static void append_cluster(struct buffer *out, const struct terminal *terminal, uint32_t glyph)
{
    size_t length;
    const char *text = terminal_cluster(terminal, glyph, &length);

    for (size_t at = 0; at < length;) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code);
        if (used <= 0)
            return;
        if (!utf8_reorders(code))
            buffer_append(out, text + at, (size_t)used);
        at += (size_t)used;
    }
}

/* Appends the cell's text; returns whether terminals agree on its width. */
static bool append_glyph(struct buffer *out, const struct terminal *terminal, const struct cell *cell)
{
    if ((cell->glyph & CELL_CLUSTER) != 0) {
        append_cluster(out, terminal, cell->glyph);
        return false;
    }
    if (cell->glyph < 0x80) {
        buffer_append_char(out, cell->glyph < 0x20 || cell->glyph == 0x7F ? ' ' : (char)cell->glyph);
        return true;
    }
    if (width_of(cell->glyph) < 0 || utf8_reorders(cell->glyph)) {
        buffer_append_char(out, '?');
        return true;
    }
    out->length += (size_t)utf8_encode(cell->glyph, buffer_reserve(out, 4));
    return cell->width == 1 && cell->glyph < 0x1F000;
}

/* ---- matches ---- */

/* The columns whose text matches, one flag each, allocated; NULL when there are none. */
static bool *matches(const struct terminal *terminal, int y, const struct search *search)
{
    int cols = terminal_cols(terminal);
    const struct cell *cells = terminal_row(terminal, y);
    struct buffer text;
    int *starts = xreallocarray(NULL, (size_t)cols + 1, sizeof *starts);
    bool *marked = NULL;
    size_t from = 0;
    long found;

    buffer_init(&text);
    for (int x = 0; x < cols; x++) {
        starts[x] = (int)text.length;
        if (cells[x].glyph != CELL_TAIL)
            (void)append_glyph(&text, terminal, &cells[x]);
    }
    starts[cols] = (int)text.length;
    while ((found = search_in_row(search, text.bytes, text.length, from)) >= 0) {
        if (marked == NULL)
            marked = xcalloc((size_t)cols, sizeof *marked);
        for (int x = 0; x < cols; x++)
            marked[x] = marked[x] || (starts[x] >= found && starts[x] < found + (long)search->length);
        from = (size_t)found + search->length;
    }
    free(starts);
    buffer_finish(&text);
    return marked;
}

/* ---- drawing ---- */

static int used_cols(const struct terminal *terminal, const struct cell *cells, int end, const bool *marked)
{
    while (end > 0 && (cells[end - 1].glyph == 0 || cells[end - 1].glyph == ' ') &&
           (marked == NULL || !marked[end - 1])) {
        struct style style = terminal_style(terminal, cells[end - 1].style);
        if (style.background != COLOR_DEFAULT || style.underline != 0 ||
            (style.attributes & (STYLE_REVERSE | STYLE_STRIKE | STYLE_OVERLINE)) != 0)
            break;
        end--;
    }
    return end;
}

struct pen {
    struct buffer *out;
    const struct terminal *terminal;
    enum color_depth depth;
    uint32_t style;
    bool marked, set;
};

static void set_style(struct pen *pen, uint32_t number, bool marked)
{
    struct style style;

    if (pen->set && pen->style == number && pen->marked == marked)
        return;
    style = terminal_style(pen->terminal, number);
    if (marked)
        style.attributes = (uint16_t)(style.attributes ^ STYLE_REVERSE);
    style_sgr(pen->out, &style, pen->depth);
    pen->style = number;
    pen->marked = marked;
    pen->set = true;
}

static void draw_cell(struct pen *pen, const struct cell *cell, const struct row_look *look, int column,
                      int room)
{
    if (cell->glyph == CELL_TAIL || cell->width > room) {
        buffer_append_char(pen->out, ' ');
    } else if (look->ascii && cell->glyph >= 0x80) {
        buffer_append(pen->out, "??", cell->width == 2 ? 2 : 1);
    } else if (!append_glyph(pen->out, pen->terminal, cell) && room > cell->width) {
        buffer_printf(pen->out, "\033[%dG", column + cell->width + 1);
    }
}

void row_draw(struct buffer *out, const struct terminal *terminal, int y, const struct row_look *look)
{
    const struct cell *cells = terminal_row(terminal, y);
    bool *marked = look->search == NULL ? NULL : matches(terminal, y, look->search);
    int cols = terminal_cols(terminal),
        end = look->left + look->width < cols ? look->left + look->width : cols;
    struct pen pen = {.out = out, .terminal = terminal, .depth = look->depth};

    end = used_cols(terminal, cells, end, marked);
    for (int x = look->left; x < end; x++) {
        if (cells[x].glyph == CELL_TAIL && x > look->left)
            continue;
        set_style(&pen, cells[x].style, marked != NULL && marked[x]);
        draw_cell(&pen, &cells[x], look, x - look->left, end - x);
    }
    buffer_append_string(out, "\033[0m");
    if (end < look->left + look->width)
        buffer_append_string(out, "\033[K");
    free(marked);
}
