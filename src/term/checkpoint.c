#include "term/emulator.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

/*
 * Numbers of variable length throughout; a magic number before them, a checksum behind. The engine is not saved: it is
 * created again from the size, margins, modes, tab stops and cursor kept beside it.
 */
#define CHECKPOINT_MAGIC "gangerT1"
#define CHECKPOINT_MAGIC_LENGTH 8
#define CHECKSUM_LENGTH 8

static uint64_t checksum(const char *bytes, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001B3u;
    return hash;
}

static void put_text(struct buffer *out, const char *text, size_t length)
{
    number_append(out, length);
    buffer_append(out, text, length);
}

/* ---- saving ---- */

static void save_style(const struct style *style, struct buffer *out)
{
    number_append(out, style->foreground);
    number_append(out, style->background);
    number_append(out, style->underline_color);
    number_append(out, style->attributes);
    number_append(out, style->underline);
    number_append(out, style->link);
}

static void save_strings(const struct intern_strings *strings, struct buffer *out)
{
    number_append(out, strings->count);
    for (uint32_t i = 0; i < strings->count; i++)
        put_text(out, strings->bytes.bytes + strings->items[i].offset, strings->items[i].length);
}

static void save_intern(const struct intern *intern, struct buffer *out)
{
    save_strings(&intern->links, out);
    save_strings(&intern->clusters, out);
    number_append(out, intern->style_count);
    for (uint32_t i = 0; i < intern->style_count; i++)
        save_style(&intern->styles[i], out);
}

/* Widths follow from the tails. */
static void save_grid(const struct grid *grid, struct buffer *out)
{
    for (int y = 0; y < grid->rows; y++) {
        const struct row *row = &grid->lines[y];
        number_append(out, (uint64_t)row->used);
        number_append(out, row->wrapped);
        for (int x = 0; x < row->used; x++) {
            number_append(out, row->cells[x].glyph);
            number_append(out, row->cells[x].style);
        }
    }
}

static void save_charsets(const struct charsets *charsets, struct buffer *out)
{
    buffer_append(out, charsets->designated, sizeof charsets->designated);
    number_append(out, charsets->active);
    number_append(out, charsets->single);
}

static void save_saved(const struct saved_cursor *saved, struct buffer *out)
{
    number_append(out, saved->valid);
    number_append(out, (uint64_t)saved->x);
    number_append(out, (uint64_t)saved->y);
    number_append(out, saved->pending);
    number_append(out, saved->origin);
    save_style(&saved->pen, out);
    save_charsets(&saved->charsets, out);
}

static void save_cursor(const struct terminal *terminal, struct buffer *out)
{
    number_append(out, (uint64_t)terminal->x);
    number_append(out, (uint64_t)terminal->y);
    number_append(out, terminal->pending);
    number_append(out, (uint64_t)terminal->margin_top);
    number_append(out, (uint64_t)terminal->margin_bottom);
    number_append(out, terminal->modes);
    number_append(out, terminal->mouse_mode);
    number_append(out, terminal->mouse_encoding);
    number_append(out, terminal->modify_other_keys);
    number_append(out, (uint64_t)terminal->cursor_shape);
    save_style(&terminal->pen, out);
    save_charsets(&terminal->charsets, out);
    for (int i = 0; i < 2; i++) {
        save_saved(&terminal->saved[i], out);
        buffer_append(out, terminal->keyboards[i].flags, KEYBOARD_STACK_MAX);
        number_append(out, terminal->keyboards[i].depth);
    }
    number_append(out, terminal->tabs_default);
    buffer_append(out, terminal->tabs, sizeof terminal->tabs);
}

/* What the next joining code point or REP needs. */
static void save_last(const struct terminal *terminal, struct buffer *out)
{
    bool current = terminal->scrolls == terminal->last_scrolls;

    number_append(out, (uint64_t)terminal->last_x);
    number_append(out, (uint64_t)terminal->last_y);
    number_append(out, (uint64_t)terminal->after_x);
    number_append(out, current);
    number_append(out, terminal->last_code);
    number_append(out, terminal->cluster_live);
    number_append(out, terminal->cluster.last);
    number_append(out, terminal->cluster.flags);
}

static void save_titles(const struct terminal *terminal, struct buffer *out)
{
    put_text(out, terminal->title, strlen(terminal->title));
    number_append(out, (uint64_t)terminal->title_stack.depth);
    for (int i = 0; i < terminal->title_stack.depth; i++)
        put_text(out, terminal->title_stack.titles[i], strlen(terminal->title_stack.titles[i]));
    put_text(out, terminal->notification.bytes, terminal->notification.length);
}

static void mask_since(const struct mask *mask, struct buffer *out, size_t start)
{
    (void)mask_text(mask, out->bytes + start, out->length - start);
}

void terminal_save_masked(const struct terminal *terminal, const struct mask *mask, struct buffer *out)
{
    size_t start = out->length, texts;
    uint64_t sum;

    buffer_append(out, CHECKPOINT_MAGIC, CHECKPOINT_MAGIC_LENGTH);
    number_append(out, (uint64_t)terminal->cols);
    number_append(out, (uint64_t)terminal->rows);
    number_append(out, terminal->alternate);
    texts = out->length;
    save_intern(&terminal->intern, out);
    mask_since(mask, out, texts);
    save_cursor(terminal, out);
    save_last(terminal, out);
    texts = out->length;
    save_titles(terminal, out);
    mask_since(mask, out, texts);
    save_grid(&terminal->screens[0], out);
    number_append(out, terminal->screens[1].lines != NULL);
    if (terminal->screens[1].lines != NULL)
        save_grid(&terminal->screens[1], out);
    scrollback_save(terminal->scrollback, mask, out);
    sum = checksum(out->bytes + start, out->length - start);
    for (int i = 0; i < CHECKSUM_LENGTH; i++)
        buffer_append_char(out, (char)(sum >> 8 * i));
}

void terminal_save(const struct terminal *terminal, struct buffer *out)
{
    terminal_save_masked(terminal, NULL, out);
}

/* ---- loading ---- */

struct reader {
    const char *at, *end;
    bool damaged;
};

/* A number below `limit`, else the reader is marked and 0 returned. */
static uint64_t take(struct reader *reader, uint64_t limit)
{
    uint64_t number;

    if (reader->damaged || !number_read(&reader->at, reader->end, &number) || number >= limit) {
        reader->damaged = true;
        return 0;
    }
    return number;
}

static const char *take_bytes(struct reader *reader, size_t length)
{
    const char *bytes = reader->at;

    if (reader->damaged || length > (size_t)(reader->end - reader->at)) {
        reader->damaged = true;
        return NULL;
    }
    reader->at += length;
    return bytes;
}

static void take_copy(struct reader *reader, void *out, size_t length)
{
    const char *bytes = take_bytes(reader, length);

    if (bytes != NULL)
        memcpy(out, bytes, length);
}

#define ANY UINT64_MAX
#define BOOLEAN 2

static struct style load_style(struct reader *reader)
{
    struct style style = {0};

    style.foreground = (uint32_t)take(reader, COLOR_DEFAULT + 1ull);
    style.background = (uint32_t)take(reader, COLOR_DEFAULT + 1ull);
    style.underline_color = (uint32_t)take(reader, COLOR_DEFAULT + 1ull);
    style.attributes = (uint16_t)take(reader, 1 << 8);
    style.underline = (uint8_t)take(reader, 6);
    style.link = (uint16_t)take(reader, 1 << 16);
    return style;
}

static void load_intern(struct reader *reader, struct intern *intern)
{
    uint64_t count = take(reader, 1 << 16), length;
    const char *text;

    for (uint64_t i = 0; i < count && !reader->damaged; i++) {
        length = take(reader, LINK_BYTES_MAX + 1);
        if ((text = take_bytes(reader, length)) != NULL && intern_link(intern, text, length) != i + 1)
            reader->damaged = true;
    }
    count = take(reader, 1u << 24);
    for (uint64_t i = 0; i < count && !reader->damaged; i++) {
        length = take(reader, CLUSTER_BYTES_MAX + 1);
        if ((text = take_bytes(reader, length)) != NULL &&
            (!utf8_valid(text, length) || intern_cluster(intern, text, length) != CELL_CLUSTER + i + 1))
            reader->damaged = true;
    }
    count = take(reader, 1u << 24);
    for (uint64_t i = 0; i < count && !reader->damaged; i++) {
        struct style style = load_style(reader);
        if (intern_style(intern, &style) != i)
            reader->damaged = true;
    }
    intern_settle(intern);
}

static bool glyph_valid(const struct intern *intern, uint32_t glyph)
{
    if (glyph == CELL_TAIL)
        return true;
    if (glyph >= CELL_CLUSTER)
        return glyph > CELL_CLUSTER && glyph - CELL_CLUSTER <= intern->clusters.count;
    return glyph <= 0x10FFFF;
}

static void load_row(struct reader *reader, struct row *row, int cols, const struct intern *intern)
{
    row->used = (int)take(reader, (uint64_t)cols + 1);
    row->wrapped = take(reader, BOOLEAN);
    for (int x = 0; x < row->used && !reader->damaged; x++) {
        uint32_t glyph = (uint32_t)take(reader, (uint64_t)1 << 32);
        uint32_t style = (uint32_t)take(reader, intern->style_count);
        bool tail = glyph == CELL_TAIL;
        if (!glyph_valid(intern, glyph) || (tail && (x == 0 || row->cells[x - 1].width != 1))) {
            reader->damaged = true;
            return;
        }
        row->cells[x] = (struct cell){.glyph = glyph, .style = style & 0xFFFFFFu, .width = tail ? 0 : 1};
        if (tail)
            row->cells[x - 1].width = 2;
    }
}

static void load_grid(struct reader *reader, struct terminal *terminal, struct grid *grid)
{
    grid_init(grid, terminal->cols, terminal->rows);
    for (int y = 0; y < grid->rows && !reader->damaged; y++)
        load_row(reader, &grid->lines[y], grid->cols, &terminal->intern);
}

static void load_charsets(struct reader *reader, struct charsets *charsets)
{
    take_copy(reader, charsets->designated, sizeof charsets->designated);
    charsets->active = (uint8_t)take(reader, 4);
    charsets->single = (uint8_t)take(reader, 4);
}

static void load_saved(struct reader *reader, const struct terminal *terminal, struct saved_cursor *saved)
{
    saved->valid = take(reader, BOOLEAN);
    saved->x = (int)take(reader, (uint64_t)terminal->cols);
    saved->y = (int)take(reader, (uint64_t)terminal->rows);
    saved->pending = take(reader, BOOLEAN);
    saved->origin = take(reader, BOOLEAN);
    saved->pen = load_style(reader);
    load_charsets(reader, &saved->charsets);
}

static void load_cursor(struct reader *reader, struct terminal *terminal)
{
    terminal->x = (int)take(reader, (uint64_t)terminal->cols);
    terminal->y = (int)take(reader, (uint64_t)terminal->rows);
    terminal->pending = take(reader, BOOLEAN);
    terminal->margin_top = (int)take(reader, (uint64_t)terminal->rows);
    terminal->margin_bottom = (int)take(reader, (uint64_t)terminal->rows + 1);
    terminal->modes = (uint32_t)take(reader, 1 << 13);
    terminal->mouse_mode = (enum mouse_mode)take(reader, MOUSE_ANY + 1);
    terminal->mouse_encoding = (enum mouse_encoding)take(reader, MOUSE_ENCODING_SGR + 1);
    terminal->modify_other_keys = (unsigned)take(reader, 3);
    terminal->cursor_shape = (int)take(reader, 4);
    terminal->pen = load_style(reader);
    load_charsets(reader, &terminal->charsets);
    for (int i = 0; i < 2; i++) {
        load_saved(reader, terminal, &terminal->saved[i]);
        take_copy(reader, terminal->keyboards[i].flags, KEYBOARD_STACK_MAX);
        terminal->keyboards[i].depth = (uint8_t)take(reader, KEYBOARD_STACK_MAX);
    }
    terminal->tabs_default = take(reader, BOOLEAN);
    take_copy(reader, terminal->tabs, sizeof terminal->tabs);
    if (terminal->margin_bottom < terminal->margin_top + 2)
        reader->damaged = true;
}

static void load_last(struct reader *reader, struct terminal *terminal)
{
    terminal->last_x = (int)take(reader, (uint64_t)terminal->cols);
    terminal->last_y = (int)take(reader, (uint64_t)terminal->rows);
    terminal->after_x = (int)take(reader, (uint64_t)terminal->cols);
    terminal->last_scrolls = take(reader, BOOLEAN) ? terminal->scrolls : terminal->scrolls - 1;
    terminal->last_code = (uint32_t)take(reader, 0x110000);
    terminal->cluster_live = take(reader, BOOLEAN);
    terminal->cluster.last = (uint32_t)take(reader, (uint64_t)1 << 32);
    terminal->cluster.flags = (uint8_t)take(reader, 1 << 8);
}

static void load_titles(struct reader *reader, struct terminal *terminal)
{
    size_t length = take(reader, TITLE_BYTES_MAX + 1);
    const char *text = take_bytes(reader, length);
    uint64_t depth;

    if (text != NULL) {
        free(terminal->title);
        terminal->title = xstrndup(text, length);
    }
    depth = take(reader, TITLE_STACK_MAX + 1);
    for (uint64_t i = 0; i < depth && !reader->damaged; i++) {
        length = take(reader, TITLE_BYTES_MAX + 1);
        if ((text = take_bytes(reader, length)) != NULL)
            terminal->title_stack.titles[terminal->title_stack.depth++] = xstrndup(text, length);
    }
    length = take(reader, STRING_BYTES_MAX);
    text = take_bytes(reader, length);
    if (text != NULL && length > 0)
        buffer_append(&terminal->notification, text, length);
}

static void load_all(struct reader *reader, struct terminal *terminal)
{
    load_intern(reader, &terminal->intern);
    load_cursor(reader, terminal);
    load_last(reader, terminal);
    load_titles(reader, terminal);
    if (!reader->damaged)
        load_grid(reader, terminal, &terminal->screens[0]);
    if (take(reader, BOOLEAN) && !reader->damaged)
        load_grid(reader, terminal, &terminal->screens[1]);
    if (terminal->alternate && terminal->screens[1].lines == NULL)
        reader->damaged = true;
    if (!reader->damaged)
        terminal->scrollback = scrollback_load(terminal->scrollback_limit, &reader->at, reader->end);
    if (terminal->scrollback == NULL)
        reader->damaged = true;
}

static bool intact(const char *bytes, size_t length)
{
    uint64_t sum = 0;

    if (length < CHECKPOINT_MAGIC_LENGTH + CHECKSUM_LENGTH ||
        memcmp(bytes, CHECKPOINT_MAGIC, CHECKPOINT_MAGIC_LENGTH) != 0)
        return false;
    for (int i = 0; i < CHECKSUM_LENGTH; i++)
        sum |= (uint64_t)(unsigned char)bytes[length - CHECKSUM_LENGTH + (size_t)i] << 8 * i;
    return sum == checksum(bytes, length - CHECKSUM_LENGTH);
}

static void resume(struct terminal *terminal)
{
    terminal->grid = &terminal->screens[terminal->alternate];
    terminal->pen_stale = true;
    screen_restart_engine(terminal);
    screen_touch_all(terminal);
    terminal->version = terminal->next_version;
    terminal->changed = false;
    if (terminal->calls.title != NULL)
        terminal->calls.title(terminal->argument, terminal->title);
}

struct terminal *terminal_load(const struct terminal_options *options, const char *bytes, size_t length,
                               struct error *error)
{
    struct terminal_options sized = *options;
    struct terminal *terminal;
    struct reader reader = {.at = bytes + CHECKPOINT_MAGIC_LENGTH};

    if (!intact(bytes, length)) {
        (void)error_set(error, "terminal checkpoint: damaged or of another version");
        return NULL;
    }
    reader.end = bytes + length - CHECKSUM_LENGTH;
    sized.cols = (int)take(&reader, TERMINAL_COLS_MAX + 1);
    sized.rows = (int)take(&reader, TERMINAL_ROWS_MAX + 1);
    terminal = terminal_allocate(&sized);
    terminal->alternate = take(&reader, BOOLEAN);
    load_all(&reader, terminal);
    if (reader.damaged) {
        (void)error_set(error, "terminal checkpoint: damaged");
        terminal_destroy(terminal);
        return NULL;
    }
    resume(terminal);
    return terminal;
}
