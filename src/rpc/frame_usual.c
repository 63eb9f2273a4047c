#include "rpc/frame_usual.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "rpc/frame.h"

static bool integer(const json_t *value, int64_t low, int64_t high, int64_t *number)
{
    if (!json_is_integer(value))
        return false;
    *number = json_integer_value(value);
    return *number >= low && *number <= high;
}

static bool member(const json_t *object, const char *key, int64_t low, int64_t high, int64_t *number)
{
    return integer(json_object_get(object, key), low, high, number);
}

/* Booleans may be written 0 and 1. */
static bool boolean(const json_t *value, bool *result)
{
    int64_t number = 0;

    if (!json_is_boolean(value) && !integer(value, 0, 1, &number))
        return false;
    *result = json_is_true(value) || number == 1;
    return true;
}

static bool take_head(const json_t *params, struct frame_head *head)
{
    int64_t frame, base, attempt, cols, rows;

    if (!member(params, "frame", 0, INT64_MAX, &frame) || !member(params, "base", 0, INT64_MAX, &base) ||
        !boolean(json_object_get(params, "more"), &head->more) ||
        !member(params, "attempt", 0, UINT32_MAX, &attempt) ||
        !member(params, "cols", 1, FRAME_COLS_MAX, &cols) ||
        !member(params, "rows", 1, FRAME_ROWS_MAX, &rows))
        return false;
    head->frame = (uint64_t)frame;
    head->base = (uint64_t)base;
    head->attempt = (uint32_t)attempt;
    head->cols = (int)cols;
    head->rows = (int)rows;
    return true;
}

static bool take_color(const json_t *object, const char *key, uint32_t *color)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    int64_t number = FRAME_COLOR_DEFAULT;

    if (text != NULL) {
        if (strlen(text) != 7 || text[0] != '#' || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
            return false;
        number = FRAME_COLOR_RGB | (int64_t)strtoul(text + 1, NULL, 16);
    } else if (value != NULL && !integer(value, 0, 255, &number)) {
        return false;
    }
    *color = (uint32_t)number;
    return true;
}

static bool optional(const json_t *object, const char *key, int64_t high, int64_t *number)
{
    *number = 0;
    return json_object_get(object, key) == NULL || member(object, key, 0, high, number);
}

static bool take_style(struct frame_writer *writer, const char *key, const json_t *value)
{
    struct frame_style style;
    const json_t *link = json_object_get(value, "link");
    int64_t attributes, underline;
    char *end;
    unsigned long id = strtoul(key, &end, 10);

    if (key[0] < '0' || key[0] > '9' || *end != '\0' || id < 1 || id > FRAME_STYLE_MAX ||
        !take_color(value, "fg", &style.foreground) || !take_color(value, "bg", &style.background) ||
        !take_color(value, "uc", &style.underline_color) ||
        !optional(value, "attr", UINT16_MAX, &attributes) || !optional(value, "ul", 5, &underline) ||
        (link != NULL && !json_is_string(link)))
        return false;
    style.id = (uint32_t)id;
    style.attributes = (uint16_t)attributes;
    style.underline = (uint8_t)underline;
    style.link = json_string_value(link);
    frame_style(writer, &style);
    return true;
}

static bool take_styles(struct frame_writer *writer, json_t *styles)
{
    const char *key;
    json_t *value;

    if (styles != NULL && !json_is_object(styles))
        return false;
    json_object_foreach(styles, key, value)
    {
        if (!json_is_object(value) || !take_style(writer, key, value))
            return false;
    }
    return true;
}

static bool take_scroll(struct frame_writer *writer, const json_t *scroll)
{
    int64_t top, bottom, n;

    if (scroll == NULL)
        return true;
    if (!json_is_array(scroll) || json_array_size(scroll) != 3 ||
        !integer(json_array_get(scroll, 0), 0, FRAME_ROWS_MAX, &top) ||
        !integer(json_array_get(scroll, 1), 0, FRAME_ROWS_MAX, &bottom) ||
        !integer(json_array_get(scroll, 2), -FRAME_ROWS_MAX, FRAME_ROWS_MAX, &n))
        return false;
    frame_scroll(writer, (int)top, (int)bottom, (int)n);
    return true;
}

static bool take_run(struct frame_writer *writer, const json_t *run)
{
    const json_t *text = json_array_get(run, 2);
    int64_t style, width;

    if (!json_is_array(run) || json_array_size(run) != 3 || !json_is_string(text) ||
        !integer(json_array_get(run, 0), 0, FRAME_STYLE_MAX, &style) ||
        !integer(json_array_get(run, 1), -FRAME_COLS_MAX, 2, &width))
        return false;
    frame_run(writer, (uint32_t)style, (int)width, json_string_value(text), json_string_length(text));
    return true;
}

static bool take_line(struct frame_writer *writer, const json_t *line)
{
    const json_t *runs = json_array_get(line, 1), *tail = json_array_get(line, 2), *run;
    bool wrapped = false;
    int64_t y;
    size_t i;

    if (!json_is_array(line) || json_array_size(line) > 3 || !json_is_array(runs) ||
        !integer(json_array_get(line, 0), 0, FRAME_ROWS_MAX, &y) ||
        (tail != NULL && !boolean(tail, &wrapped)))
        return false;
    frame_line_begin(writer, y);
    json_array_foreach(runs, i, run)
    {
        if (!take_run(writer, run))
            return false;
    }
    frame_line_end(writer, wrapped);
    return true;
}

static bool take_lines(struct frame_writer *writer, const json_t *lines)
{
    const json_t *line;
    size_t i;

    if (lines != NULL && !json_is_array(lines))
        return false;
    json_array_foreach(lines, i, line)
    {
        if (!take_line(writer, line))
            return false;
    }
    return true;
}

static bool take_cursor(struct frame_writer *writer, const json_t *value)
{
    struct frame_cursor cursor;
    int64_t x, y, shape;

    if (value == NULL)
        return true;
    if (!json_is_array(value) || json_array_size(value) != 5 ||
        !integer(json_array_get(value, 0), 0, FRAME_COLS_MAX, &x) ||
        !integer(json_array_get(value, 1), 0, FRAME_ROWS_MAX, &y) ||
        !boolean(json_array_get(value, 2), &cursor.visible) ||
        !integer(json_array_get(value, 3), 0, 3, &shape) || !boolean(json_array_get(value, 4), &cursor.blink))
        return false;
    cursor.x = (int)x;
    cursor.y = (int)y;
    cursor.shape = (int)shape;
    frame_cursor(writer, &cursor);
    return true;
}

static bool take_modes(struct frame_writer *writer, const json_t *value)
{
    struct frame_modes modes;
    int64_t other_keys, kitty, mode, encoding;

    if (value == NULL)
        return true;
    if (!boolean(json_object_get(value, "alternate_screen"), &modes.alternate_screen) ||
        !boolean(json_object_get(value, "application_cursor"), &modes.application_cursor) ||
        !boolean(json_object_get(value, "application_keypad"), &modes.application_keypad) ||
        !boolean(json_object_get(value, "bracketed_paste"), &modes.bracketed_paste) ||
        !boolean(json_object_get(value, "focus_events"), &modes.focus_events) ||
        !member(value, "modify_other_keys", 0, 3, &other_keys) ||
        !member(value, "kitty_flags", 0, 31, &kitty) || !member(value, "mouse_mode", 0, 3, &mode) ||
        !member(value, "mouse_encoding", 0, 2, &encoding))
        return false;
    modes.modify_other_keys = (unsigned)other_keys;
    modes.kitty_flags = (unsigned)kitty;
    modes.mouse_mode = (int)mode;
    modes.mouse_encoding = (int)encoding;
    frame_modes(writer, &modes);
    return true;
}

static bool take_frame(const json_t *message, struct buffer *out)
{
    const json_t *params = json_object_get(message, "params"), *title = json_object_get(params, "title");
    struct frame_writer writer;
    struct frame_head head;

    if (strcmp(json_member_string(message, "method", ""), "screen") != 0 || !take_head(params, &head))
        return false;
    frame_begin(&writer, out, &head);
    if (!take_styles(&writer, json_object_get(params, "styles")) ||
        !take_scroll(&writer, json_object_get(params, "scroll")) ||
        !take_lines(&writer, json_object_get(params, "lines")) ||
        !take_cursor(&writer, json_object_get(params, "cursor")) ||
        !take_modes(&writer, json_object_get(params, "modes")))
        return false;
    if (title != NULL) {
        if (!json_is_string(title))
            return false;
        frame_title(&writer, json_string_value(title));
    }
    (void)frame_end(&writer);
    return true;
}

int frame_usual(const char *line, size_t length, struct buffer *out, struct error *error)
{
    json_error_t problem;
    json_t *message = json_loadb(line, length, 0, &problem);
    int result = 0;

    if (message == NULL)
        return error_set(error, "a screen frame is not JSON: %s", problem.text);
    if (!take_frame(message, out))
        result =
            error_set(error, "a screen frame lacks a member, or one has the wrong type or is out of range");
    json_decref(message);
    return result;
}
