#include "rpc/frame.h"

#include <string.h>

#include "base/json.h"

enum section { SECTION_NONE, SECTION_STYLES, SECTION_LINES };

#define LITERAL(out, text) buffer_append((out), (text), sizeof(text) - 1)

static const char hex[] = "0123456789abcdef";

static void append_signed(struct buffer *out, int64_t number)
{
    if (number < 0)
        buffer_append_char(out, '-');
    buffer_append_number(out, number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number);
}

static void append_bool(struct buffer *out, bool value)
{
    if (value)
        LITERAL(out, "true");
    else
        LITERAL(out, "false");
}

/* A comma, unless the bracket that holds the next element was just opened. */
static void separate(struct buffer *out)
{
    char last = out->bytes[out->length - 1];

    if (last != '[' && last != '{')
        buffer_append_char(out, ',');
}

static void close_section(struct frame_writer *writer)
{
    if (writer->section != SECTION_NONE)
        buffer_append_char(writer->out, writer->section == SECTION_STYLES ? '}' : ']');
    writer->section = SECTION_NONE;
}

void frame_begin(struct frame_writer *writer, struct buffer *out, const struct frame_head *head)
{
    *writer = (struct frame_writer){.out = out, .start = out->length, .section = SECTION_NONE};
    LITERAL(out, "{\"jsonrpc\":\"2.0\",\"method\":\"screen\",\"params\":{\"frame\":");
    buffer_append_number(out, head->frame);
    LITERAL(out, ",\"base\":");
    buffer_append_number(out, head->base);
    LITERAL(out, ",\"more\":");
    append_bool(out, head->more);
    LITERAL(out, ",\"attempt\":");
    buffer_append_number(out, head->attempt);
    LITERAL(out, ",\"cols\":");
    append_signed(out, head->cols);
    LITERAL(out, ",\"rows\":");
    append_signed(out, head->rows);
}

static void append_color(struct buffer *out, const char *key, uint32_t color)
{
    if (color == FRAME_COLOR_DEFAULT)
        return;
    separate(out);
    buffer_append_string(out, key);
    if (color < 256) {
        buffer_append_number(out, color);
        return;
    }
    LITERAL(out, "\"#");
    for (int shift = 20; shift >= 0; shift -= 4)
        buffer_append_char(out, hex[color >> shift & 15]);
    buffer_append_char(out, '"');
}

static void append_member(struct buffer *out, const char *key, unsigned value)
{
    if (value == 0)
        return;
    separate(out);
    buffer_append_string(out, key);
    buffer_append_number(out, value);
}

void frame_style(struct frame_writer *writer, const struct frame_style *style)
{
    struct buffer *out = writer->out;

    if (writer->section != SECTION_STYLES) {
        LITERAL(out, ",\"styles\":{");
        writer->section = SECTION_STYLES;
    }
    separate(out);
    buffer_append_char(out, '"');
    buffer_append_number(out, style->id);
    LITERAL(out, "\":{");
    append_color(out, "\"fg\":", style->foreground);
    append_color(out, "\"bg\":", style->background);
    append_color(out, "\"uc\":", style->underline_color);
    append_member(out, "\"attr\":", style->attributes);
    append_member(out, "\"ul\":", style->underline);
    if (style->link != NULL) {
        separate(out);
        LITERAL(out, "\"link\":");
        json_append_quoted(out, style->link, strlen(style->link));
    }
    buffer_append_char(out, '}');
}

void frame_scroll(struct frame_writer *writer, int top, int bottom, int n)
{
    struct buffer *out = writer->out;

    close_section(writer);
    LITERAL(out, ",\"scroll\":[");
    append_signed(out, top);
    buffer_append_char(out, ',');
    append_signed(out, bottom);
    buffer_append_char(out, ',');
    append_signed(out, n);
    buffer_append_char(out, ']');
}

void frame_line_begin(struct frame_writer *writer, int64_t y)
{
    struct buffer *out = writer->out;

    if (writer->section != SECTION_LINES) {
        close_section(writer);
        LITERAL(out, ",\"lines\":[");
        writer->section = SECTION_LINES;
    }
    separate(out);
    buffer_append_char(out, '[');
    append_signed(out, y);
    LITERAL(out, ",[");
}

/* Copies and escapes; there is room for six bytes for each. */
static char *put_text(char *to, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[byte >> 4];
            to[5] = hex[byte & 15];
            to += 6;
            continue;
        }
        if (byte == '"' || byte == '\\')
            *to++ = '\\';
        *to++ = (char)byte;
    }
    return to;
}

static char *put_number(char *to, uint32_t number)
{
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

/* `[style,width,"`, after the end of the run before. */
static char *put_run_start(struct frame_writer *writer, char *to, uint32_t style, int width)
{
    if (writer->run_open) {
        memcpy(to, "\"],[", 4);
        to += 4;
    } else {
        *to++ = '[';
    }
    to = put_number(to, style);
    *to++ = ',';
    if (width < 0)
        *to++ = '-';
    to = put_number(to, (uint32_t)(width < 0 ? -width : width));
    *to++ = ',';
    *to++ = '"';
    writer->run_open = true;
    writer->run_width = width;
    writer->run_style = style;
    return to;
}

/* The hot path: room for the worst case is taken once, the rest only copies. */
void frame_run(struct frame_writer *writer, uint32_t style, int width, const char *text, size_t length)
{
    struct buffer *out = writer->out;
    char *to;

    if (length == 0)
        return;
    to = buffer_reserve(out, length * 6 + 40);
    if (!writer->run_open || width < 0 || width != writer->run_width || style != writer->run_style)
        to = put_run_start(writer, to, style, width);
    to = put_text(to, text, length);
    *to = '\0';
    out->length = (size_t)(to - out->bytes);
}

static void close_run(struct frame_writer *writer)
{
    if (writer->run_open)
        LITERAL(writer->out, "\"]");
    writer->run_open = false;
}

void frame_line_end(struct frame_writer *writer, bool wrapped)
{
    close_run(writer);
    buffer_append_char(writer->out, ']');
    if (wrapped)
        LITERAL(writer->out, ",1");
    buffer_append_char(writer->out, ']');
}

void frame_cursor(struct frame_writer *writer, const struct frame_cursor *cursor)
{
    struct buffer *out = writer->out;

    close_section(writer);
    LITERAL(out, ",\"cursor\":[");
    append_signed(out, cursor->x);
    buffer_append_char(out, ',');
    append_signed(out, cursor->y);
    buffer_append_char(out, ',');
    append_bool(out, cursor->visible);
    buffer_append_char(out, ',');
    append_signed(out, cursor->shape);
    buffer_append_char(out, ',');
    append_bool(out, cursor->blink);
    buffer_append_char(out, ']');
}

void frame_modes(struct frame_writer *writer, const struct frame_modes *modes)
{
    struct buffer *out = writer->out;

    close_section(writer);
    LITERAL(out, ",\"modes\":{\"alternate_screen\":");
    append_bool(out, modes->alternate_screen);
    LITERAL(out, ",\"application_cursor\":");
    append_bool(out, modes->application_cursor);
    LITERAL(out, ",\"application_keypad\":");
    append_bool(out, modes->application_keypad);
    LITERAL(out, ",\"bracketed_paste\":");
    append_bool(out, modes->bracketed_paste);
    LITERAL(out, ",\"focus_events\":");
    append_bool(out, modes->focus_events);
    LITERAL(out, ",\"modify_other_keys\":");
    buffer_append_number(out, modes->modify_other_keys);
    LITERAL(out, ",\"kitty_flags\":");
    buffer_append_number(out, modes->kitty_flags);
    LITERAL(out, ",\"mouse_mode\":");
    append_signed(out, modes->mouse_mode);
    LITERAL(out, ",\"mouse_encoding\":");
    append_signed(out, modes->mouse_encoding);
    buffer_append_char(out, '}');
}

void frame_title(struct frame_writer *writer, const char *title)
{
    close_section(writer);
    LITERAL(writer->out, ",\"title\":");
    json_append_quoted(writer->out, title, strlen(title));
}

size_t frame_end(struct frame_writer *writer)
{
    close_section(writer);
    LITERAL(writer->out, "}}\n");
    return writer->out->length - writer->start;
}
