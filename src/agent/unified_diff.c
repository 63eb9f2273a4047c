#include "agent/unified_diff.h"

#include <string.h>

enum { AROUND = 3 };

struct lines {
    const char *text;
    size_t length; /* bytes */
    size_t count;
};

/* Bytes of the line that starts at `at`, its end included. */
static size_t line_length(const struct lines *lines, size_t at)
{
    const char *end = memchr(lines->text + at, '\n', lines->length - at);

    return end != NULL ? (size_t)(end - lines->text) + 1 - at : lines->length - at;
}

static struct lines split(const char *text)
{
    struct lines lines = {.text = text != NULL ? text : ""};

    lines.length = strlen(lines.text);
    for (size_t at = 0; at < lines.length; at += line_length(&lines, at))
        lines.count++;
    return lines;
}

/* Lines that are the same at the start of both; *bytes: where they end. */
static size_t same_at_start(const struct lines *old, const struct lines *new, size_t *bytes)
{
    size_t count = 0;

    *bytes = 0;
    while (*bytes < old->length && *bytes < new->length) {
        size_t length = line_length(old, *bytes);
        if (length != line_length(new, *bytes) || memcmp(old->text + *bytes, new->text + *bytes, length) != 0)
            break;
        *bytes += length;
        count++;
    }
    return count;
}

/* Where the line that ends before `end` starts. */
static size_t line_before(const struct lines *lines, size_t end)
{
    const char *newline = end > 1 ? memrchr(lines->text, '\n', end - 1) : NULL;

    return newline != NULL ? (size_t)(newline - lines->text) + 1 : 0;
}

/* The same at the end, without the first `start` bytes. */
static size_t same_at_end(const struct lines *old, const struct lines *new, size_t start)
{
    size_t old_end = old->length, new_end = new->length, count = 0;

    while (old_end > start && new_end > start) {
        size_t old_at = line_before(old, old_end), new_at = line_before(new, new_end);
        if (old_at < start || new_at < start || old_end - old_at != new_end - new_at ||
            memcmp(old->text + old_at, new->text + new_at, old_end - old_at) != 0)
            break;
        old_end = old_at;
        new_end = new_at;
        count++;
    }
    return count;
}

/* Appends the lines from number `from` (0 is the first) up to `to`, each after `mark`. */
static void append_lines(struct buffer *out, const struct lines *lines, size_t from, size_t to, char mark)
{
    size_t at = 0;

    for (size_t i = 0; i < to && at < lines->length; i++) {
        size_t length = line_length(lines, at);
        if (i >= from) {
            buffer_append_char(out, mark);
            buffer_append(out, lines->text + at, length);
            if (lines->text[at + length - 1] != '\n')
                buffer_append_string(out, "\n\\ No newline at end of file\n");
        }
        at += length;
    }
}

void unified_diff_append(struct buffer *out, const char *path, const char *old_text, const char *new_text)
{
    struct lines old = split(old_text), new = split(new_text);
    size_t start, first = same_at_start(&old, &new, &start), last = same_at_end(&old, &new, start);
    size_t before = first < AROUND ? first : AROUND, after = last < AROUND ? last : AROUND;
    size_t old_count = old.count - first - last, new_count = new.count - first - last;

    if (old_count == 0 && new_count == 0)
        return;
    buffer_printf(out, "--- %s\n+++ %s\n", old_text != NULL ? path : "/dev/null",
                  new_text != NULL ? path : "/dev/null");
    buffer_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", first - before + (old.count > 0),
                  before + old_count + after, first - before + (new.count > 0), before + new_count + after);
    append_lines(out, &old, first - before, first, ' ');
    append_lines(out, &old, first, first + old_count, '-');
    append_lines(out, &new, first, first + new_count, '+');
    append_lines(out, &old, first + old_count, first + old_count + after, ' ');
}
