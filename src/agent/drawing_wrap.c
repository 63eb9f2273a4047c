#include "agent/drawing_wrap.h"

#include <string.h>

#include "base/utf8.h"

#define WORD_MAX 2048 /* bytes that are held back */
#define TAB 4
#define ELLIPSIS "\xE2\x80\xA6"

void wrap_init(struct wrap *wrap)
{
    *wrap = (struct wrap){0};
    buffer_init(&wrap->word);
}

void wrap_finish(struct wrap *wrap)
{
    buffer_finish(&wrap->word);
}

void wrap_begin(struct wrap *wrap, const struct indent *indent, const char *style, bool markdown)
{
    struct buffer word = wrap->word;

    buffer_clear(&word);
    *wrap = (struct wrap){.indent = *indent, .markdown = markdown, .word = word};
    (void)strlcpy(wrap->style, style, sizeof wrap->style);
}

/* ---- rows ---- */

static void append_style(const struct wrap *wrap, unsigned styles, struct buffer *out)
{
    buffer_append_string(out, "\x1b[0");
    if (*wrap->style != '\0')
        buffer_printf(out, ";%s", wrap->style);
    if ((styles & STYLE_BOLD) != 0)
        buffer_append_string(out, ";1");
    if ((styles & STYLE_CODE) != 0)
        buffer_append_string(out, ";36");
    buffer_append_char(out, 'm');
}

static bool plain(const struct wrap *wrap, unsigned styles)
{
    return *wrap->style == '\0' && styles == 0;
}

static void begin_row(struct wrap *wrap, struct buffer *out)
{
    buffer_append_string(out, wrap->begun ? wrap->indent.rest : wrap->indent.first);
    if (!plain(wrap, wrap->shown))
        append_style(wrap, wrap->shown, out);
    wrap->open = wrap->begun = true;
    wrap->column = wrap->indent.width;
}

static void end_row(struct wrap *wrap, struct buffer *out)
{
    if (!plain(wrap, wrap->shown))
        buffer_append_string(out, "\x1b[0m");
    buffer_append_string(out, "\r\n");
    wrap->open = false;
}

/* A word wider than a row is broken anywhere between its clusters. */
static void draw_long(struct wrap *wrap, int cols, struct buffer *out)
{
    const char *at = wrap->word.bytes;
    size_t left = wrap->word.length;

    while (left > 0) {
        int used;
        size_t part = width_cut(at, left, cols - wrap->column, &used);
        if (part == 0 && wrap->column > wrap->indent.width) {
            end_row(wrap, out);
            begin_row(wrap, out);
            continue;
        }
        if (part == 0)
            part = left;
        buffer_append(out, at, part);
        wrap->column += used;
        at += part;
        left -= part;
    }
}

/* The word that waits holds no style changes: a change ends it, without a place to break. */
static void draw_word(struct wrap *wrap, int cols, struct buffer *out)
{
    int room = cols > wrap->indent.width ? cols - wrap->indent.width : 1;

    if (wrap->word.length == 0)
        return;
    if (!wrap->open)
        begin_row(wrap, out);
    if (wrap->column + wrap->spaces + wrap->word_width > cols && wrap->column > wrap->indent.width &&
        wrap->word_width <= room && !wrap->fence) {
        end_row(wrap, out);
        begin_row(wrap, out);
        wrap->spaces = 0;
    }
    for (; wrap->spaces > 0 && wrap->column < cols; wrap->spaces--, wrap->column++)
        buffer_append_char(out, ' ');
    wrap->spaces = 0;
    if (wrap->word_width <= cols - wrap->column) {
        buffer_append(out, wrap->word.bytes, wrap->word.length);
        wrap->column += wrap->word_width;
    } else {
        draw_long(wrap, cols, out);
    }
    buffer_clear(&wrap->word);
    wrap->word_width = 0;
}

/* Empty rows before the next text. */
static void draw_newlines(struct wrap *wrap, struct buffer *out)
{
    for (; wrap->newlines > 0; wrap->newlines--) {
        if (!wrap->open && wrap->begun)
            begin_row(wrap, out);
        if (wrap->open)
            end_row(wrap, out);
        wrap->shown = wrap->current;
    }
}

static void set_style(struct wrap *wrap, unsigned styles, int cols, struct buffer *out)
{
    if (styles == wrap->current)
        return;
    draw_word(wrap, cols, out);
    wrap->current = styles;
    if (wrap->open) {
        for (; wrap->spaces > 0 && wrap->column < cols; wrap->spaces--, wrap->column++)
            buffer_append_char(out, ' ');
        append_style(wrap, styles, out);
    }
    wrap->shown = styles;
}

/* ---- characters ---- */

static void put(struct wrap *wrap, const char *bytes, size_t length, uint32_t code, int cols,
                struct buffer *out)
{
    int width;

    if (cluster_extend(&wrap->cluster, code, &width) && wrap->word.length > 0) {
        buffer_append(&wrap->word, bytes, length);
        wrap->word_width += width - wrap->cluster_width;
        wrap->cluster_width = width;
        return;
    }
    if (width < 0)
        return;
    draw_newlines(wrap, out);
    /* Between ideographs a row may end anywhere. */
    if ((width == 2 || wrap->cluster_width == 2 || wrap->word.length > WORD_MAX) && wrap->word.length > 0)
        draw_word(wrap, cols, out);
    buffer_append(&wrap->word, bytes, length);
    wrap->word_width += width;
    wrap->cluster_width = width;
}

static void put_space(struct wrap *wrap, int count, int cols, struct buffer *out)
{
    draw_newlines(wrap, out);
    draw_word(wrap, cols, out);
    if (!wrap->open && wrap->spaces == 0)
        begin_row(wrap, out);
    wrap->spaces += count;
    wrap->cluster = (struct cluster_state){0};
    wrap->cluster_width = 0;
}

static void put_ascii(struct wrap *wrap, char byte, int count, int cols, struct buffer *out)
{
    for (int i = 0; i < count; i++)
        put(wrap, &byte, 1, (uint32_t)byte, cols, out);
}

/* What was held back to see whether it is markup was not, or is; `next` is what follows, 0: nothing. */
static void settle_marks(struct wrap *wrap, char next, int cols, struct buffer *out)
{
    int stars = wrap->stars, ticks = wrap->ticks, hashes = wrap->hashes;

    wrap->stars = wrap->ticks = wrap->hashes = 0;
    if (stars == 2 && ((wrap->current & STYLE_BOLD) != 0 || (next != ' ' && next != '\n' && next != '\0')))
        set_style(wrap, wrap->current ^ STYLE_BOLD, cols, out);
    else
        put_ascii(wrap, '*', stars, cols, out);
    if (ticks == 1 && !wrap->fence && ((wrap->current & STYLE_CODE) != 0 || (next != '\n' && next != '\0'))) {
        set_style(wrap, wrap->current ^ STYLE_CODE, cols, out);
    } else if (ticks > 0) {
        put_ascii(wrap, '`', ticks, cols, out);
    }
    if (hashes > 0 && hashes <= 6 && next == ' ') {
        wrap->heading = true;
        set_style(wrap, STYLE_BOLD, cols, out);
    } else {
        put_ascii(wrap, '#', hashes, cols, out);
    }
}

/* True when the character was taken as markup, or may be. */
static bool mark(struct wrap *wrap, char byte, int cols, struct buffer *out)
{
    bool begins = !wrap->line_begun;

    if (wrap->fence && !begins && wrap->ticks == 0)
        return false;
    if (byte == '`') {
        if (wrap->stars > 0)
            settle_marks(wrap, byte, cols, out);
        wrap->ticks++;
        if (wrap->ticks == 3 && begins) {
            wrap->ticks = 0;
            wrap->line_begun = true;
            wrap->fence = !wrap->fence;
            set_style(wrap, 0, cols, out);
            put_ascii(wrap, '`', 3, cols, out);
        }
        return true;
    }
    if (wrap->fence || (wrap->current & STYLE_CODE) != 0)
        return false;
    if (byte == '*' && wrap->ticks == 0) {
        wrap->stars++;
        return true;
    }
    if (byte == '#' && begins && wrap->stars == 0) {
        wrap->hashes++;
        return true;
    }
    return false;
}

static void take_newline(struct wrap *wrap, int cols, struct buffer *out)
{
    settle_marks(wrap, '\n', cols, out);
    draw_word(wrap, cols, out);
    wrap->spaces = 0;
    wrap->newlines++;
    /* Not more than one empty row, but in code. */
    if (wrap->newlines > 2 && !wrap->fence)
        wrap->newlines = 2;
    wrap->line_begun = wrap->heading = false;
    wrap->cluster = (struct cluster_state){0};
    if (wrap->current != 0) {
        if (wrap->open && wrap->shown != 0)
            append_style(wrap, 0, out);
        wrap->current = wrap->shown = 0;
    }
}

static void take_character(struct wrap *wrap, const char *bytes, size_t length, uint32_t code, int cols,
                           struct buffer *out)
{
    bool heading = wrap->hashes > 0;

    if (wrap->markdown && code < 0x80 && mark(wrap, (char)code, cols, out))
        return;
    settle_marks(wrap, code < 0x80 ? (char)code : 'x', cols, out);
    if (code == ' ' && heading && wrap->heading && !wrap->line_begun) {
        wrap->line_begun = true;
        return;
    }
    if (code == ' ' || code == '\t')
        put_space(wrap, code == ' ' ? 1 : TAB, cols, out);
    else
        put(wrap, bytes, length, code, cols, out);
    wrap->line_begun = wrap->line_begun || code != ' ';
}

void wrap_text(struct wrap *wrap, const char *text, size_t length, int cols, struct buffer *out)
{
    while (length > 0) {
        uint32_t code;
        int used = utf8_decode(text, length, &code);
        size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length;
        if (used <= 0)
            take_character(wrap, "\xEF\xBF\xBD", 3, 0xFFFD, cols, out);
        else if (code == '\n')
            take_newline(wrap, cols, out);
        else if (code == '\t' || (code >= 0x20 && code != 0x7F && (code < 0x80 || code > 0x9F)))
            take_character(wrap, text, taken, code, cols, out);
        text += taken;
        length -= taken;
    }
}

void wrap_end(struct wrap *wrap, int cols, struct buffer *out)
{
    settle_marks(wrap, '\0', cols, out);
    draw_word(wrap, cols, out);
    if (wrap->open)
        end_row(wrap, out);
    wrap->newlines = wrap->spaces = 0;
    wrap->current = wrap->shown = 0;
    wrap->fence = false;
}

/* ---- single rows ---- */

/* Bytes of the escape sequence that begins here; at least 1. */
static size_t sequence_length(const char *text, size_t length)
{
    size_t i = 2;

    if (length < 2)
        return length;
    if (text[1] == '[') {
        while (i < length && (unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x40)
            i++;
        return i < length ? i + 1 : length;
    }
    if (text[1] == ']' || text[1] == 'P' || text[1] == '_' || text[1] == '^') {
        while (i < length && text[i] != '\a' && text[i] != '\x1b')
            i++;
        if (i + 1 < length && text[i] == '\x1b')
            i++;
        return i < length ? i + 1 : length;
    }
    return 2;
}

static void clean(const char *text, size_t length, struct buffer *out)
{
    while (length > 0) {
        uint32_t code;
        int used = utf8_decode(text, length, &code);
        size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length;
        if (used <= 0)
            buffer_append_string(out, "\xEF\xBF\xBD");
        else if (code == 0x1B)
            taken = sequence_length(text, length);
        else if (code == '\t')
            buffer_append_string(out, "    ");
        else if (code >= 0x20 && width_of(code) >= 0)
            buffer_append(out, text, taken);
        text += taken;
        length -= taken;
    }
}

void wrap_cut(const char *text, size_t length, int cols, struct buffer *out)
{
    struct buffer line;
    const char *again;
    size_t part;
    int used;

    while (length > 0 && text[length - 1] == '\r')
        length--;
    again = length == 0 ? NULL : memrchr(text, '\r', length);
    if (again != NULL) {
        length -= (size_t)(again + 1 - text);
        text = again + 1;
    }
    /* Four bytes a column and some marks are more than can be shown. */
    if (cols > 0 && length > (size_t)cols * 32)
        length = (size_t)cols * 32;
    buffer_init(&line);
    buffer_append_string(&line, "");
    clean(text, length, &line);
    part = line.length == 0 ? 0 : width_cut(line.bytes, line.length, cols, &used);
    if (part < line.length) {
        part = width_cut(line.bytes, line.length, cols > 1 ? cols - 1 : 0, &used);
        buffer_append(out, line.bytes, part);
        if (cols > 0)
            buffer_append_string(out, ELLIPSIS);
    } else {
        buffer_append(out, line.bytes, part);
    }
    buffer_finish(&line);
}
