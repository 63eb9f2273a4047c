#include "term/emulator.h"

#include <string.h>

#include "base/utf8.h"

/* Whether the code point may join what is before it, by itself; anything may after a joiner. */
static bool may_join(uint32_t code, int width)
{
    return width <= 0 || (code >= 0x1F1E6 && code <= 0x1F1FF) || (code >= 0x1F3FB && code <= 0x1F3FF);
}

static void wrap(struct terminal *terminal)
{
    int y = terminal->y;
    uint64_t scrolls = terminal->scrolls;

    engine_write(terminal->engine, "\033E", 2);
    terminal->x = terminal->engine_x;
    terminal->pending = false;
    if (terminal->y == y + 1)
        screen_row(terminal, y)->wrapped = true;
    else if (terminal->scrolls != scrolls && y > terminal->margin_top)
        screen_row(terminal, y - 1)->wrapped = true;
}

static void advance(struct terminal *terminal, int x)
{
    terminal->x = x;
    if (x >= terminal->cols) {
        terminal->x = terminal->cols - 1;
        terminal->pending = (terminal->modes & MODE_AUTOWRAP) != 0;
    }
}

/* The glyph at column x was printed and the cursor moved on. */
static void remember(struct terminal *terminal, int x, uint32_t code)
{
    terminal->last_x = x;
    terminal->last_y = terminal->y;
    terminal->after_x = terminal->x;
    terminal->last_scrolls = terminal->scrolls;
    terminal->last_code = code;
    terminal->cluster_live = false;
}

/* Makes [x, x + n) of the cursor's row ready to be overwritten. */
static struct row *open_cells(struct terminal *terminal, int x, int n)
{
    struct row *row = screen_row(terminal, terminal->y);

    if (terminal->modes & MODE_INSERT) {
        row_shift(row, terminal->cols, x, terminal->cols, -n, terminal->blank_style);
        row->wrapped = false;
    }
    row_split(row, terminal->cols, x);
    row_split(row, terminal->cols, x + n);
    if (row->used < x + n)
        row->used = x + n;
    screen_touch(terminal, row);
    return row;
}

static void write_ascii(struct terminal *terminal, int x, const char *bytes, int count)
{
    struct row *row = open_cells(terminal, x, count);
    struct cell pattern = {.glyph = 0, .style = terminal->pen_style & 0xFFFFFFu, .width = 1};
    struct cell *cells = row->cells + x;

    for (int i = 0; i < count; i++) {
        struct cell cell = pattern;
        cell.glyph = (unsigned char)bytes[i];
        cells[i] = cell;
    }
}

void print_ascii(struct terminal *terminal, const char *bytes, size_t length)
{
    int x = 0;

    screen_refresh_pen(terminal);
    for (size_t at = 0; at < length;) {
        size_t left = length - at;
        int room, count;

        if (terminal->pending)
            wrap(terminal);
        x = terminal->x;
        room = terminal->cols - x;
        count = left < (size_t)room ? (int)left : room;
        write_ascii(terminal, x, bytes + at, count);
        advance(terminal, x + count);
        x += count - 1;
        at += (size_t)count;
        /* Without wrapping each further character replaces the one in the last column. */
        if (at < length && !terminal->pending && x == terminal->cols - 1)
            at = length - 1;
    }
    remember(terminal, x, (unsigned char)bytes[length - 1]);
}

/* A wide glyph does not fit into the last column. */
static void avoid_edge(struct terminal *terminal)
{
    if (terminal->modes & MODE_AUTOWRAP) {
        struct row *row = screen_row(terminal, terminal->y);
        row_erase(row, terminal->cols, terminal->x, terminal->cols, 0);
        screen_touch(terminal, row);
        wrap(terminal);
    } else {
        screen_control(terminal, "\b", 1);
    }
}

static void set_tail(struct row *row, int x)
{
    struct cell tail = row->cells[x];

    tail.glyph = CELL_TAIL;
    tail.width = 0;
    row->cells[x + 1] = tail;
}

static void put(struct terminal *terminal, uint32_t code, int width)
{
    struct row *row;
    int x;

    screen_refresh_pen(terminal);
    if (terminal->pending)
        wrap(terminal);
    if (width == 2 && terminal->x == terminal->cols - 1)
        avoid_edge(terminal);
    x = terminal->x;
    row = open_cells(terminal, x, width);
    row->cells[x] =
        (struct cell){.glyph = code, .style = terminal->pen_style & 0xFFFFFFu, .width = (unsigned)width & 3u};
    if (width == 2)
        set_tail(row, x);
    advance(terminal, x + width);
    remember(terminal, x, code);
}

/* ---- clusters ---- */

/* The cell that the next code point may join, or NULL. */
static struct cell *joinable(struct terminal *terminal)
{
    struct cell *cell;

    if (terminal->last_code == 0 || terminal->x != terminal->after_x || terminal->y != terminal->last_y ||
        terminal->scrolls != terminal->last_scrolls || terminal->last_x >= terminal->cols)
        return NULL;
    cell = &screen_row(terminal, terminal->last_y)->cells[terminal->last_x];
    return cell->glyph == 0 || cell->glyph == CELL_TAIL ? NULL : cell;
}

static size_t glyph_text(const struct terminal *terminal, uint32_t glyph, char text[CLUSTER_BYTES_MAX])
{
    const char *cluster;
    size_t length;

    if (glyph < CELL_CLUSTER)
        return (size_t)utf8_encode(glyph, text);
    cluster = intern_get_cluster(&terminal->intern, glyph, &length);
    memcpy(text, cluster, length);
    return length;
}

static void widen(struct terminal *terminal, int x)
{
    struct row *row = screen_row(terminal, terminal->last_y);

    if (row->cells[x].width == 2 || x + 1 >= terminal->cols)
        return;
    if (terminal->modes & MODE_INSERT)
        row_shift(row, terminal->cols, x + 1, terminal->cols, -1, terminal->blank_style);
    row_split(row, terminal->cols, x + 2);
    row->cells[x].width = 2;
    set_tail(row, x);
    if (row->used < x + 2)
        row->used = x + 2;
    advance(terminal, x + 2);
    terminal->after_x = terminal->x;
}

static void join(struct terminal *terminal, uint32_t code, int width)
{
    struct row *row = screen_row(terminal, terminal->last_y);
    char text[CLUSTER_BYTES_MAX];
    size_t length;

    if (intern_crowded(&terminal->intern)) {
        screen_collect(terminal);
        screen_refresh_pen(terminal);
    }
    length = glyph_text(terminal, row->cells[terminal->last_x].glyph, text);
    screen_touch(terminal, row);
    if (length + 4 > sizeof text)
        return;
    length += (size_t)utf8_encode(code, text + length);
    row->cells[terminal->last_x].glyph = intern_cluster(&terminal->intern, text, length);
    if (width == 2)
        widen(terminal, terminal->last_x);
}

static bool try_join(struct terminal *terminal, uint32_t code)
{
    int width = 0;

    if (joinable(terminal) == NULL)
        return false;
    if (!terminal->cluster_live) {
        terminal->cluster = (struct cluster_state){0};
        (void)cluster_extend(&terminal->cluster, terminal->last_code, &width);
        terminal->cluster_live = true;
    }
    if (!cluster_extend(&terminal->cluster, code, &width))
        return false;
    join(terminal, code, width);
    return true;
}

void print_code(struct terminal *terminal, uint32_t code)
{
    int width;

    if (charsets_active(&terminal->charsets))
        code = charsets_map(&terminal->charsets, code);
    width = width_of(code);
    if ((terminal->cluster_live || may_join(code, width)) && try_join(terminal, code))
        return;
    if (width > 0)
        put(terminal, code, width);
}

void print_again(struct terminal *terminal, int count)
{
    uint32_t code = terminal->last_code;

    if (code == 0)
        return;
    for (int i = 0; i < count && i < terminal->cols; i++)
        put(terminal, code, width_of(code));
}
