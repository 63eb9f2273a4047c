#include "replay/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
}

void search_init(struct search *search, const char *pattern)
{
    *search = (struct search){.pattern = xstrdup(pattern), .length = strlen(pattern), .fold = true};
    for (size_t i = 0; i < search->length; i++) {
        if (pattern[i] >= 'A' && pattern[i] <= 'Z')
            search->fold = false;
    }
}

void search_finish(struct search *search)
{
    free(search->pattern);
    buffer_finish(&search->text);
    *search = (struct search){.pattern = NULL};
}

static void fold(const struct search *search, char *text, size_t length)
{
    for (size_t i = 0; search->fold && i < length; i++)
        text[i] = lower(text[i]);
}

/* How often the pattern is in the text. */
static size_t count_in(const struct search *search, const char *text, size_t length)
{
    const char *end = text + length, *at = text;
    size_t count = 0;

    while ((at = memmem(at, (size_t)(end - at), search->pattern, search->length)) != NULL) {
        at += search->length;
        count++;
    }
    return count;
}

long search_in_row(const struct search *search, char *text, size_t length, size_t from)
{
    const char *found;

    fold(search, text, length);
    if (from > length)
        return -1;
    found = memmem(text + from, length - from, search->pattern, search->length);
    return found == NULL ? -1 : found - text;
}

/* ---- text of the screen ---- */

static void append_cell(const struct terminal *terminal, const struct cell *cell, struct buffer *out)
{
    if (cell->glyph == CELL_TAIL)
        return;
    if ((cell->glyph & CELL_CLUSTER) != 0) {
        size_t length;
        const char *text = terminal_cluster(terminal, cell->glyph, &length);
        buffer_append(out, text, length);
    } else if (cell->glyph < 0x80) {
        buffer_append_char(out, cell->glyph == 0 ? ' ' : (char)cell->glyph);
    } else {
        out->length += (size_t)utf8_encode(cell->glyph, buffer_reserve(out, 4));
    }
}

static size_t count_screen(struct search *search, const struct terminal *terminal)
{
    int rows = terminal_rows(terminal), cols = terminal_cols(terminal);

    buffer_clear(&search->text);
    for (int y = 0; y < rows; y++) {
        const struct cell *cells = terminal_row(terminal, y);
        bool wrapped = terminal_row_wrapped(terminal, y);
        int used = cols;
        while (!wrapped && used > 0 && cells[used - 1].glyph == 0)
            used--;
        for (int x = 0; x < used; x++)
            append_cell(terminal, &cells[x], &search->text);
        if (!wrapped)
            buffer_append_char(&search->text, '\n');
    }
    fold(search, search->text.bytes, search->text.length);
    return count_in(search, search->text.bytes, search->text.length);
}

/* ---- lines that left it ---- */

static void append_run(void *argument, const struct line_run *run)
{
    buffer_append(argument, run->text, run->length);
}

static size_t count_line(struct search *search, const struct terminal *terminal, uint64_t number)
{
    buffer_clear(&search->text);
    if (!terminal_scrollback_line(terminal, number, append_run, &search->text) || search->text.length == 0)
        return 0;
    fold(search, search->text.bytes, search->text.length);
    return count_in(search, search->text.bytes, search->text.length);
}

void search_gather(struct search *search, const struct terminal *terminal)
{
    uint64_t end = terminal_scrollback_end(terminal), first = terminal_scrollback_first(terminal);
    uint64_t line = search->lines;

    if (end < search->lines) { /* a resize brought lines back */
        search->lines = end;
        search->in_last = end == 0 ? 0 : count_line(search, terminal, end - 1);
        return;
    }
    if (end == 0 || (end == search->lines && terminal_version(terminal) == search->version))
        return;
    if (line > 0) {
        size_t grown = count_line(search, terminal, line - 1);
        search->left += grown > search->in_last ? grown - search->in_last : 0;
        search->in_last = grown;
    }
    for (line = line > first ? line : first; line < end; line++) {
        search->in_last = count_line(search, terminal, line);
        search->left += search->in_last;
    }
    search->lines = end;
}

void search_begin(struct search *search, const struct terminal *terminal)
{
    uint64_t end = terminal_scrollback_end(terminal);

    search->version = terminal_version(terminal);
    search->lines = end;
    search->in_last = end == 0 ? 0 : count_line(search, terminal, end - 1);
    search->left = 0;
    search->shown = count_screen(search, terminal);
}

bool search_look(struct search *search, const struct terminal *terminal)
{
    size_t shown;
    bool appeared;

    search_gather(search, terminal);
    if (search->version == terminal_version(terminal))
        return false;
    shown = count_screen(search, terminal);
    appeared = search->left + shown > search->shown;
    search->version = terminal_version(terminal);
    search->shown = shown;
    search->left = 0;
    return appeared;
}
