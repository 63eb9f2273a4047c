/*
 * A line is gone over twice: first only checked, then handed to the handler. So a handler never sees a part of a frame
 * that turns out to be wrong, and the unusual shape can be tried in between.
 */
#include <stdlib.h>
#include <string.h>

#include "rpc/frame.h"
#include "rpc/frame_scan.h"
#include "rpc/frame_usual.h"

#define BEGINNING "{\"jsonrpc\":\"2.0\",\"method\":\"screen\",\"params\":{"

struct reading {
    struct scan scan;
    struct frame_head head;
    const struct frame_handler *handler; /* NULL: only check */
    void *argument;
};

bool frame_is(const char *line, size_t length)
{
    return length >= sizeof BEGINNING - 1 && memcmp(line, BEGINNING, sizeof BEGINNING - 1) == 0;
}

static bool read_head(struct reading *reading)
{
    struct scan *scan = &reading->scan;
    struct frame_head *head = &reading->head;
    int64_t frame, base, attempt, cols, rows;

    if (!SCAN(scan, BEGINNING "\"frame\":") || !scan_number(scan, 0, INT64_MAX, &frame) ||
        !SCAN(scan, ",\"base\":") || !scan_number(scan, 0, INT64_MAX, &base) || !SCAN(scan, ",\"more\":") ||
        !scan_bool(scan, &head->more) || !SCAN(scan, ",\"attempt\":") ||
        !scan_number(scan, 0, UINT32_MAX, &attempt) || !SCAN(scan, ",\"cols\":") ||
        !scan_number(scan, 1, FRAME_COLS_MAX, &cols) || !SCAN(scan, ",\"rows\":") ||
        !scan_number(scan, 1, FRAME_ROWS_MAX, &rows))
        return false;
    head->frame = (uint64_t)frame;
    head->base = (uint64_t)base;
    head->attempt = (uint32_t)attempt;
    head->cols = (int)cols;
    head->rows = (int)rows;
    if (reading->handler != NULL)
        reading->handler->head(reading->argument, head);
    return true;
}

static bool read_color(struct scan *scan, uint32_t *color)
{
    int64_t number;

    if (!SCAN(scan, "\"#")) {
        if (!scan_number(scan, 0, 255, &number))
            return false;
        *color = (uint32_t)number;
        return true;
    }
    *color = 0;
    for (int i = 0; i < 6; i++) {
        char digit = scan->at < scan->end ? *scan->at++ : '\0';
        if (digit >= '0' && digit <= '9')
            *color = *color << 4 | (uint32_t)(digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            *color = *color << 4 | (uint32_t)((digit | 0x20) - 'a' + 10);
        else
            return false;
    }
    *color |= FRAME_COLOR_RGB;
    return scan_byte(scan, '"');
}

static bool read_style_member(struct scan *scan, struct frame_style *style)
{
    int64_t number;
    size_t length, points;
    char *text;

    if (SCAN(scan, "\"fg\":"))
        return read_color(scan, &style->foreground);
    if (SCAN(scan, "\"bg\":"))
        return read_color(scan, &style->background);
    if (SCAN(scan, "\"uc\":"))
        return read_color(scan, &style->underline_color);
    if (SCAN(scan, "\"attr\":")) {
        if (!scan_number(scan, 0, UINT16_MAX, &number))
            return false;
        style->attributes = (uint16_t)number;
        return true;
    }
    if (SCAN(scan, "\"ul\":")) {
        if (!scan_number(scan, 0, 5, &number))
            return false;
        style->underline = (uint8_t)number;
        return true;
    }
    if (!SCAN(scan, "\"link\":") || !scan_string(scan, &text, &length, &points))
        return false;
    style->link = text;
    return true;
}

static bool read_style(struct reading *reading)
{
    struct scan *scan = &reading->scan;
    struct frame_style style = {.foreground = FRAME_COLOR_DEFAULT,
                                .background = FRAME_COLOR_DEFAULT,
                                .underline_color = FRAME_COLOR_DEFAULT};
    int64_t id;

    if (!scan_byte(scan, '"') || !scan_number(scan, 1, FRAME_STYLE_MAX, &id) || !SCAN(scan, "\":{"))
        return false;
    style.id = (uint32_t)id;
    if (!scan_byte(scan, '}')) {
        do {
            if (!read_style_member(scan, &style))
                return false;
        } while (scan_byte(scan, ','));
        if (!scan_byte(scan, '}'))
            return false;
    }
    if (reading->handler != NULL)
        reading->handler->style(reading->argument, &style);
    return true;
}

static bool read_styles(struct reading *reading)
{
    if (scan_byte(&reading->scan, '}'))
        return true;
    do {
        if (!read_style(reading))
            return false;
    } while (scan_byte(&reading->scan, ','));
    return scan_byte(&reading->scan, '}');
}

static bool read_scroll(struct reading *reading)
{
    struct scan *scan = &reading->scan;
    int64_t top, bottom, n;

    if (!scan_number(scan, 0, reading->head.rows - 1, &top) || !scan_byte(scan, ',') ||
        !scan_number(scan, top + 1, reading->head.rows, &bottom) || !scan_byte(scan, ',') ||
        !scan_number(scan, top - bottom, bottom - top, &n) || !scan_byte(scan, ']'))
        return false;
    if (reading->handler != NULL)
        reading->handler->scroll(reading->argument, (int)top, (int)bottom, (int)n);
    return true;
}

/* Takes the run's columns off *room. */
static bool read_run(struct reading *reading, int64_t *room)
{
    struct scan *scan = &reading->scan;
    int64_t style, width;
    size_t length, points;
    char *text;

    if (!scan_byte(scan, '[') || !scan_number(scan, 0, FRAME_STYLE_MAX, &style) || !scan_byte(scan, ',') ||
        !scan_number(scan, -reading->head.cols, 2, &width) || width == 0 || !scan_byte(scan, ',') ||
        !scan_string(scan, &text, &length, &points) || !scan_byte(scan, ']'))
        return false;
    if (reading->handler != NULL) {
        reading->handler->run(reading->argument, (uint32_t)style, (int)width, text, length);
        return true;
    }
    *room -= width < 0 ? -width : (int64_t)points * width;
    return *room >= 0 && points > 0;
}

static bool read_line(struct reading *reading)
{
    struct scan *scan = &reading->scan;
    int64_t y, room = reading->head.cols;
    bool wrapped = false;

    if (!scan_byte(scan, '[') || !scan_number(scan, 0, reading->head.rows - 1, &y) || !SCAN(scan, ",["))
        return false;
    if (reading->handler != NULL)
        reading->handler->line(reading->argument, y);
    if (!scan_byte(scan, ']')) {
        do {
            if (!read_run(reading, &room))
                return false;
        } while (scan_byte(scan, ','));
        if (!scan_byte(scan, ']'))
            return false;
    }
    if (scan_byte(scan, ',') && !scan_bool(scan, &wrapped))
        return false;
    if (reading->handler != NULL)
        reading->handler->line_end(reading->argument, wrapped);
    return scan_byte(scan, ']');
}

static bool read_lines(struct reading *reading)
{
    if (scan_byte(&reading->scan, ']'))
        return true;
    do {
        if (!read_line(reading))
            return false;
    } while (scan_byte(&reading->scan, ','));
    return scan_byte(&reading->scan, ']');
}

static bool read_cursor(struct reading *reading)
{
    struct scan *scan = &reading->scan;
    struct frame_cursor cursor;
    int64_t x, y, shape;

    if (!scan_number(scan, 0, reading->head.cols - 1, &x) || !scan_byte(scan, ',') ||
        !scan_number(scan, 0, reading->head.rows - 1, &y) || !scan_byte(scan, ',') ||
        !scan_bool(scan, &cursor.visible) || !scan_byte(scan, ',') || !scan_number(scan, 0, 3, &shape) ||
        !scan_byte(scan, ',') || !scan_bool(scan, &cursor.blink) || !scan_byte(scan, ']'))
        return false;
    cursor.x = (int)x;
    cursor.y = (int)y;
    cursor.shape = (int)shape;
    if (reading->handler != NULL)
        reading->handler->cursor(reading->argument, &cursor);
    return true;
}

static bool read_modes(struct reading *reading)
{
    struct scan *scan = &reading->scan;
    struct frame_modes modes;
    int64_t other_keys, kitty, mode, encoding;

    if (!SCAN(scan, "\"alternate_screen\":") || !scan_bool(scan, &modes.alternate_screen) ||
        !SCAN(scan, ",\"application_cursor\":") || !scan_bool(scan, &modes.application_cursor) ||
        !SCAN(scan, ",\"application_keypad\":") || !scan_bool(scan, &modes.application_keypad) ||
        !SCAN(scan, ",\"bracketed_paste\":") || !scan_bool(scan, &modes.bracketed_paste) ||
        !SCAN(scan, ",\"focus_events\":") || !scan_bool(scan, &modes.focus_events) ||
        !SCAN(scan, ",\"modify_other_keys\":") || !scan_number(scan, 0, 3, &other_keys) ||
        !SCAN(scan, ",\"kitty_flags\":") || !scan_number(scan, 0, 31, &kitty) ||
        !SCAN(scan, ",\"mouse_mode\":") || !scan_number(scan, 0, 3, &mode) ||
        !SCAN(scan, ",\"mouse_encoding\":") || !scan_number(scan, 0, 2, &encoding) || !scan_byte(scan, '}'))
        return false;
    modes.modify_other_keys = (unsigned)other_keys;
    modes.kitty_flags = (unsigned)kitty;
    modes.mouse_mode = (int)mode;
    modes.mouse_encoding = (int)encoding;
    if (reading->handler != NULL)
        reading->handler->modes(reading->argument, &modes);
    return true;
}

static bool read_title(struct reading *reading)
{
    size_t length, points;
    char *text;

    if (!scan_string(&reading->scan, &text, &length, &points))
        return false;
    if (reading->handler != NULL)
        reading->handler->title(reading->argument, text);
    return true;
}

/* One pass over the whole line: checks without a handler, hands out with one. */
static bool read_frame(char *line, size_t length, const struct frame_handler *handler, void *argument)
{
    struct reading reading = {
        .scan = {line, line + length, handler != NULL}, .handler = handler, .argument = argument};
    struct scan *scan = &reading.scan;

    if (!read_head(&reading))
        return false;
    if (SCAN(scan, ",\"styles\":{") && !read_styles(&reading))
        return false;
    if (SCAN(scan, ",\"scroll\":[") && !read_scroll(&reading))
        return false;
    if (SCAN(scan, ",\"lines\":[") && !read_lines(&reading))
        return false;
    if (SCAN(scan, ",\"cursor\":[") && !read_cursor(&reading))
        return false;
    if (SCAN(scan, ",\"modes\":{") && !read_modes(&reading))
        return false;
    if (SCAN(scan, ",\"title\":") && !read_title(&reading))
        return false;
    return SCAN(scan, "}}") && (scan->at == scan->end || (SCAN(scan, "\n") && scan->at == scan->end));
}

int frame_read(char *line, size_t length, const struct frame_handler *handler, void *argument,
               struct error *error)
{
    struct buffer usual;
    int result = 0;

    if (read_frame(line, length, NULL, NULL)) {
        (void)read_frame(line, length, handler, argument);
        return 0;
    }
    buffer_init(&usual);
    if (frame_usual(line, length, &usual, error) < 0)
        result = -1;
    else if (!read_frame(usual.bytes, usual.length, NULL, NULL))
        result = error_set(error, "a screen frame has a value that is out of range");
    else
        (void)read_frame(usual.bytes, usual.length, handler, argument);
    buffer_finish(&usual);
    return result;
}
