#include "tui/field.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "term/width.h"
#include "tui/canvas.h"

void field_init(struct field *field, size_t limit, bool lines, const char *text)
{
    memset(field, 0, sizeof *field);
    field->limit = limit;
    field->lines = lines;
    buffer_init(&field->text);
    if (text != NULL)
        field_insert(field, text, strlen(text));
}

void field_finish(struct field *field)
{
    buffer_finish(&field->text);
}

const char *field_text(const struct field *field)
{
    return field->text.length > 0 ? field->text.bytes : "";
}

static void insert_bytes(struct field *field, const char *bytes, size_t length)
{
    struct buffer *text = &field->text;

    if (text->length + length > field->limit)
        return;
    (void)buffer_reserve(text, length + 1);
    memmove(text->bytes + field->cursor + length, text->bytes + field->cursor, text->length - field->cursor);
    memcpy(text->bytes + field->cursor, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
    field->cursor += length;
}

void field_insert(struct field *field, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code);
        if (used <= 0) {
            at += used == 0 ? length - at : (size_t)-used;
            continue;
        }
        if (code == '\r' || code == '\n')
            insert_bytes(field, field->lines ? "\n" : " ", 1);
        else if (code >= 0x20 && code != 0x7F && !(code >= 0x80 && code < 0xA0))
            insert_bytes(field, text + at, (size_t)used);
        at += (size_t)used;
    }
}

/* The byte where the character before `at` begins. */
static size_t before(const struct field *field, size_t at)
{
    while (at > 0 && ((unsigned char)field->text.bytes[--at] & 0xC0) == 0x80)
        ;
    return at;
}

static size_t after(const struct field *field, size_t at)
{
    if (at < field->text.length)
        at++;
    while (at < field->text.length && ((unsigned char)field->text.bytes[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static size_t line_start(const struct field *field, size_t at)
{
    while (at > 0 && field->text.bytes[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const struct field *field, size_t at)
{
    while (at < field->text.length && field->text.bytes[at] != '\n')
        at++;
    return at;
}

static size_t word_start(const struct field *field, size_t at)
{
    while (at > 0 && field->text.bytes[at - 1] == ' ')
        at--;
    while (at > 0 && field->text.bytes[at - 1] != ' ' && field->text.bytes[at - 1] != '\n')
        at--;
    return at;
}

static void cut(struct field *field, size_t from, size_t to)
{
    struct buffer *text = &field->text;

    if (from >= to)
        return;
    memmove(text->bytes + from, text->bytes + to, text->length - to);
    text->length -= to - from;
    text->bytes[text->length] = '\0';
    field->cursor = from;
}

static bool control_key(struct field *field, uint32_t code)
{
    switch (code) {
    case 'a':
        field->cursor = line_start(field, field->cursor);
        return true;
    case 'e':
        field->cursor = line_end(field, field->cursor);
        return true;
    case 'u':
        cut(field, line_start(field, field->cursor), field->cursor);
        return true;
    case 'w':
        cut(field, word_start(field, field->cursor), field->cursor);
        return true;
    case 'k': {
        size_t at = field->cursor;
        cut(field, at, line_end(field, at));
        return true;
    }
    case 'j':
        if (field->lines)
            insert_bytes(field, "\n", 1);
        return field->lines;
    default:
        return false;
    }
}

static void move_line(struct field *field, bool down)
{
    size_t start = line_start(field, field->cursor), column = field->cursor - start, target, end;

    if (down) {
        target = line_end(field, field->cursor);
        if (target == field->text.length)
            return;
        target++;
    } else {
        if (start == 0)
            return;
        target = line_start(field, start - 1);
    }
    end = line_end(field, target);
    field->cursor = target + column > end ? end : target + column;
    while (field->cursor > target && field->cursor < field->text.length &&
           ((unsigned char)field->text.bytes[field->cursor] & 0xC0) == 0x80)
        field->cursor--;
}

static bool named_key(struct field *field, uint32_t code)
{
    switch (code) {
    case KEYCODE_BACKSPACE:
        cut(field, before(field, field->cursor), field->cursor);
        return true;
    case KEYCODE_DELETE: {
        size_t at = field->cursor;
        cut(field, at, after(field, at));
        return true;
    }
    case KEYCODE_LEFT:
        field->cursor = before(field, field->cursor);
        return true;
    case KEYCODE_RIGHT:
        field->cursor = after(field, field->cursor);
        return true;
    case KEYCODE_HOME:
        field->cursor = line_start(field, field->cursor);
        return true;
    case KEYCODE_END:
        field->cursor = line_end(field, field->cursor);
        return true;
    case KEYCODE_UP:
    case KEYCODE_DOWN:
        if (field->lines)
            move_line(field, code == KEYCODE_DOWN);
        return field->lines;
    default:
        return false;
    }
}

bool field_key(struct field *field, struct key key)
{
    char bytes[4];

    if (key.code == KEYCODE_ENTER && (key.modifiers & (KEY_ALT | KEY_SHIFT)) != 0 && field->lines) {
        insert_bytes(field, "\n", 1);
        return true;
    }
    if (key.modifiers == KEY_CTRL && key.code < 0x80)
        return control_key(field, key.code);
    if (key.code >= 0x110000)
        return named_key(field, key.code);
    if ((key.modifiers & ~(unsigned)KEY_SHIFT) != 0 || key.code < 0x20)
        return false;
    insert_bytes(field, bytes, (size_t)utf8_encode(key.code, bytes));
    return true;
}

/* Rows of text, folded at the area's width; calls for each. */
struct folded {
    size_t start, end;
};

static size_t fold(const struct field *field, int cols, struct folded *rows, size_t room)
{
    const char *text = field_text(field);
    size_t count = 0, at = 0, length = field->text.length;

    for (;;) {
        size_t end = line_end(field, at);
        int used;
        size_t fits = width_cut(text + at, end - at, cols > 1 ? cols - 1 : 1, &used);
        if (fits == 0 && end > at)
            fits = after(field, at) - at;
        if (count == room) {
            memmove(rows, rows + 1, (room - 1) * sizeof *rows);
            count--;
        }
        rows[count++] = (struct folded){at, at + fits};
        if (at + fits < end) {
            at += fits;
            continue;
        }
        if (end >= length)
            return count;
        at = end + 1;
    }
}

void field_paint(const struct field *field, struct rectangle area, bool focused, int *x, int *y)
{
    struct folded rows[512];
    size_t count = fold(field, area.cols, rows, sizeof rows / sizeof rows[0]), row = 0, first;

    canvas_fill(area, ROLE_FIELD);
    while (row + 1 < count && field->cursor >= rows[row + 1].start)
        row++;
    first = area.rows > 0 && row >= (size_t)area.rows ? row - (size_t)area.rows + 1 : 0;
    for (int i = 0; i < area.rows && first + (size_t)i < count; i++) {
        struct folded *part = &rows[first + (size_t)i];
        char *text = xstrndup(field_text(field) + part->start, part->end - part->start);
        (void)canvas_text(area.x, area.y + i, area.cols, ROLE_FIELD, text);
        free(text);
    }
    if (focused && area.rows > 0 && field->cursor >= rows[row].start) {
        *x = area.x + width_of_text(field_text(field) + rows[row].start, field->cursor - rows[row].start);
        *y = area.y + (int)(row - first);
        if (*x >= area.x + area.cols)
            *x = area.x + area.cols - 1;
    }
}
