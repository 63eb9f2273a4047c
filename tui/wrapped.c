#include "tui/wrapped.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "term/width.h"

#define TAB "    "

static char *clean(const char *text)
{
    struct buffer out;
    size_t length = strlen(text);

    buffer_init(&out);
    for (size_t at = 0; at < length;) {
        uint32_t code = UTF8_REPLACEMENT;
        int used = utf8_decode(text + at, length - at, &code);
        if (code == '\t' && used > 0)
            buffer_append_string(&out, TAB);
        else if (used > 0 && (code == '\n' || (width_of(code) >= 0 && !utf8_reorders(code))))
            buffer_append(&out, text + at, (size_t)used);
        else
            buffer_append_string(&out, "\xEF\xBF\xBD");
        at += used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length - at;
    }
    *buffer_reserve(&out, 1) = '\0';
    return buffer_steal(&out);
}

static void add(struct wrapped *wrapped, size_t start, size_t length)
{
    if (wrapped->count == wrapped->room) {
        wrapped->room = wrapped->room == 0 ? 64 : wrapped->room * 2;
        wrapped->lines = xreallocarray(wrapped->lines, wrapped->room, sizeof *wrapped->lines);
    }
    wrapped->lines[wrapped->count++] = (struct wrapped_line){start, length};
}

/* How much of a line stands in one row. */
static size_t row_of(const char *line, size_t length, int cols)
{
    int used;
    size_t cut = width_cut(line, length, cols, &used), word;

    if (cut >= length)
        return length;
    for (word = cut; word > 0 && line[word - 1] != ' ';)
        word--;
    if (word > cut / 2)
        return word;
    return cut > 0 ? cut : 1;
}

void wrapped_set(struct wrapped *wrapped, const char *text, int cols)
{
    size_t length;

    if (wrapped->source != NULL && wrapped->cols == cols && strcmp(wrapped->source, text) == 0)
        return;
    wrapped_finish(wrapped);
    wrapped->source = xstrdup(text);
    wrapped->text = clean(text);
    wrapped->cols = cols;
    length = strlen(wrapped->text);
    for (size_t start = 0; start < length;) {
        size_t end = start + strcspn(wrapped->text + start, "\n"), at = start;
        do {
            size_t row = row_of(wrapped->text + at, end - at, cols < 2 ? 2 : cols);
            add(wrapped, at, row);
            at += row;
        } while (at < end);
        start = end + 1;
    }
}

void wrapped_finish(struct wrapped *wrapped)
{
    free(wrapped->source);
    free(wrapped->text);
    free(wrapped->lines);
    *wrapped = (struct wrapped){0};
}
