#include "term/linepack.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "term/width.h"

/* URIs of one line; what is beyond it loses its links. */
#define LINE_LINK_BYTES_MAX 8192

enum run_flag {
    RUN_FOREGROUND = 1 << 0, /* 1: index, 2: RGB; two bits each */
    RUN_BACKGROUND = 1 << 2,
    RUN_UNDERLINE_COLOR = 1 << 4,
    RUN_ATTRIBUTES = 1 << 6,
    RUN_UNDERLINE = 1 << 7,
    RUN_LINK = 1 << 8,
};

void number_append(struct buffer *out, uint64_t number)
{
    while (number >= 0x80) {
        buffer_append_char(out, (char)(number | 0x80));
        number >>= 7;
    }
    buffer_append_char(out, (char)number);
}

bool number_read(const char **at, const char *end, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; *at < end && shift < 63; shift += 7) {
        unsigned char byte = (unsigned char)*(*at)++;
        *number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

void line_builder_clear(struct line_builder *builder)
{
    buffer_clear(&builder->text);
    buffer_clear(&builder->runs);
    builder->style = style_default;
    builder->run_start = 0;
    builder->link_bytes = 0;
}

void line_builder_finish(struct line_builder *builder)
{
    buffer_finish(&builder->text);
    buffer_finish(&builder->runs);
}

/* ---- runs ---- */

static unsigned color_kind(uint32_t color)
{
    return color == COLOR_DEFAULT ? 0 : color & COLOR_RGB ? 2 : 1;
}

static void color_append(struct buffer *out, uint32_t color)
{
    char bytes[3] = {(char)color, (char)(color >> 8), (char)(color >> 16)};

    if (color != COLOR_DEFAULT)
        buffer_append(out, bytes, color & COLOR_RGB ? 3 : 1);
}

static bool color_read(const char **at, const char *end, unsigned kind, uint32_t *color)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    long need = kind == 2 ? 3 : (long)kind;

    if (kind == 3 || end - *at < need)
        return false;
    if (kind == 0)
        *color = COLOR_DEFAULT;
    else if (kind == 1)
        *color = bytes[0];
    else
        *color = COLOR_RGB | bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    *at += need;
    return true;
}

/* The style's link is a number of the table in use, which a line outlives: the URI itself is kept. */
static void run_append(struct line_builder *builder, const struct style *style, size_t length,
                       const char *uri)
{
    struct buffer *out = &builder->runs;
    uint64_t flags =
        color_kind(style->foreground) * RUN_FOREGROUND | color_kind(style->background) * RUN_BACKGROUND |
        color_kind(style->underline_color) * RUN_UNDERLINE_COLOR |
        (style->attributes != 0 ? RUN_ATTRIBUTES : 0u) | (style->underline != 0 ? RUN_UNDERLINE : 0u);

    if (uri != NULL && builder->link_bytes + strlen(uri) <= LINE_LINK_BYTES_MAX)
        flags |= RUN_LINK;
    number_append(out, length);
    number_append(out, flags);
    color_append(out, style->foreground);
    color_append(out, style->background);
    color_append(out, style->underline_color);
    if (flags & RUN_ATTRIBUTES)
        number_append(out, style->attributes);
    if (flags & RUN_UNDERLINE)
        number_append(out, style->underline);
    if (flags & RUN_LINK) {
        number_append(out, strlen(uri));
        buffer_append_string(out, uri);
        builder->link_bytes += strlen(uri);
    }
}

static bool run_read(const char **at, const char *end, struct line_run *run, size_t *link_length)
{
    uint64_t length, flags, number = 0;

    *run = (struct line_run){.style = style_default};
    if (!number_read(at, end, &length) || !number_read(at, end, &flags) ||
        !color_read(at, end, flags & 3, &run->style.foreground) ||
        !color_read(at, end, flags >> 2 & 3, &run->style.background) ||
        !color_read(at, end, flags >> 4 & 3, &run->style.underline_color))
        return false;
    run->length = length;
    if (flags & RUN_ATTRIBUTES && !number_read(at, end, &number))
        return false;
    run->style.attributes = (uint16_t)number;
    number = 0;
    if (flags & RUN_UNDERLINE && !number_read(at, end, &number))
        return false;
    run->style.underline = (uint8_t)(number <= 5 ? number : 1);
    *link_length = 0;
    if (flags & RUN_LINK) {
        if (!number_read(at, end, &number) || number > (uint64_t)(end - *at) || number > LINK_BYTES_MAX)
            return false;
        run->link = *at;
        *link_length = number;
        *at += number;
    }
    return true;
}

static void end_run(struct line_builder *builder, const struct intern *intern)
{
    size_t length = builder->text.length - builder->run_start;
    const char *uri =
        builder->style.link != 0 && intern != NULL ? intern_get_link(intern, builder->style.link) : NULL;

    if (length > 0)
        run_append(builder, &builder->style, length, uri);
    builder->run_start = builder->text.length;
}

/* ---- cells to bytes ---- */

static size_t append_glyph(char *out, struct cell cell, const struct intern *intern)
{
    size_t length;
    const char *text;

    if (cell.glyph == CELL_TAIL)
        return 0;
    if (cell.glyph < 0x80) {
        out[0] = cell.glyph == 0 ? ' ' : (char)cell.glyph;
        return 1;
    }
    if (cell.glyph < CELL_CLUSTER)
        return (size_t)utf8_encode(cell.glyph, out);
    text = intern_get_cluster(intern, cell.glyph, &length);
    memcpy(out, text, length);
    return length;
}

static int run_end(const struct cell *cells, int from, int count)
{
    uint32_t style = cells[from].style;
    int at = from + 1;

    while (at < count && cells[at].style == style)
        at++;
    return at;
}

void line_builder_append(struct line_builder *builder, const struct cell *cells, int count,
                         const struct intern *intern)
{
    for (int x = 0; x < count;) {
        int end = run_end(cells, x, count);
        struct style style = intern_get_style(intern, cells[x].style);

        /* Runs end within this call: the style's link number is only known here. */
        if (!style_equal(&style, &builder->style)) {
            end_run(builder, intern);
            builder->style = style;
        }
        while (x < end) {
            int part = end - x < 256 ? end - x : 256;
            char *out = buffer_reserve(&builder->text, (size_t)part * CLUSTER_BYTES_MAX);
            size_t length = 0;
            for (int i = 0; i < part; i++)
                length += append_glyph(out + length, cells[x + i], intern);
            out[length] = '\0';
            builder->text.length += length;
            x += part;
        }
    }
    if (builder->style.link != 0) {
        end_run(builder, intern);
        builder->style = style_default;
    }
}

struct packed_line line_builder_line(struct line_builder *builder)
{
    if (builder->runs.length > 0 || !style_equal(&builder->style, &style_default))
        end_run(builder, NULL);
    return (struct packed_line){
        .text = builder->text.bytes,
        .text_length = builder->text.length,
        .runs = builder->runs.bytes,
        .runs_length = builder->runs.length,
    };
}

void line_builder_resume(struct line_builder *builder, const struct packed_line *line)
{
    line_builder_clear(builder);
    buffer_append(&builder->text, line->text, line->text_length);
    buffer_append(&builder->runs, line->runs, line->runs_length);
    if (line->runs_length > 0)
        builder->run_start = line->text_length;
}

/* ---- bytes to runs and cells ---- */

bool line_each_run(const struct packed_line *line, void (*run)(void *argument, const struct line_run *run),
                   void *argument)
{
    const char *at = line->runs, *end = at + line->runs_length, *text = line->text;
    size_t left = line->text_length;
    char uri[LINK_BYTES_MAX + 1];

    while (at < end) {
        struct line_run next;
        size_t link_length;
        if (!run_read(&at, end, &next, &link_length) || next.length > left)
            return false;
        if (next.link != NULL) {
            memcpy(uri, next.link, link_length);
            uri[link_length] = '\0';
            next.link = uri;
        }
        next.text = text;
        text += next.length;
        left -= next.length;
        run(argument, &next);
    }
    if (left > 0) {
        struct line_run rest = {.style = style_default, .text = text, .length = left};
        run(argument, &rest);
    }
    return true;
}

void cells_append(struct cells *cells, struct cell cell)
{
    if (cells->count == cells->capacity) {
        cells->capacity = cells->capacity == 0 ? 256 : cells->capacity * 2;
        cells->items = xreallocarray(cells->items, cells->capacity, sizeof *cells->items);
    }
    cells->items[cells->count++] = cell;
}

struct unpacking {
    struct intern *intern;
    struct cells *out;
    struct cluster_state state;
    size_t head; /* index of the glyph that a joining code point joins */
    bool started;
};

static void set_width(struct cells *out, size_t head, int width)
{
    struct cell tail = out->items[head];

    if (width != 2 || out->items[head].width == 2)
        return;
    out->items[head].width = 2;
    tail.glyph = CELL_TAIL;
    tail.width = 0;
    cells_append(out, tail);
}

static void join(struct unpacking *unpacking, uint32_t code, int width)
{
    struct cell *head = &unpacking->out->items[unpacking->head];
    char text[CLUSTER_BYTES_MAX];
    size_t length = append_glyph(text, *head, unpacking->intern);

    if (length + 4 > sizeof text)
        return;
    length += (size_t)utf8_encode(code, text + length);
    head->glyph = intern_cluster(unpacking->intern, text, length);
    set_width(unpacking->out, unpacking->head, width);
}

static void unpack_run(void *argument, const struct line_run *run)
{
    struct unpacking *unpacking = argument;
    struct style style = run->style;
    size_t at = 0;
    uint32_t number, code;

    if (run->link != NULL)
        style.link = intern_link(unpacking->intern, run->link, strlen(run->link));
    number = intern_style(unpacking->intern, &style);
    while (at < run->length) {
        int used = utf8_decode(run->text + at, run->length - at, &code), width = 0;
        struct cell cell = {.style = number & 0xFFFFFFu, .width = 1};

        if (used <= 0)
            return;
        at += (size_t)used;
        if (cluster_extend(&unpacking->state, code, &width) && unpacking->started) {
            join(unpacking, code, width);
            continue;
        }
        if (width_of(code) <= 0)
            continue;
        unpacking->head = unpacking->out->count;
        unpacking->started = true;
        cell.glyph = code;
        cells_append(unpacking->out, cell);
        set_width(unpacking->out, unpacking->head, width_of(code));
    }
}

void line_unpack(const struct packed_line *line, struct intern *intern, struct cells *out)
{
    struct unpacking unpacking = {.intern = intern, .out = out};

    (void)line_each_run(line, unpack_run, &unpacking);
}
