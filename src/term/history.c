#include "term/emulator.h"

#include <string.h>

uint64_t terminal_scrollback_first(const struct terminal *terminal)
{
    return scrollback_first(terminal->scrollback);
}

uint64_t terminal_scrollback_end(const struct terminal *terminal)
{
    return scrollback_end(terminal->scrollback);
}

bool terminal_scrollback_open(const struct terminal *terminal)
{
    return scrollback_is_open(terminal->scrollback);
}

bool terminal_scrollback_line(const struct terminal *terminal, uint64_t number,
                              void (*run)(void *argument, const struct line_run *run), void *argument)
{
    struct packed_line line;

    return scrollback_line(terminal->scrollback, number, &line) && line_each_run(&line, run, argument);
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool has_upper(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            return true;
    return false;
}

static bool contains(const struct packed_line *line, const char *text, size_t length, bool fold)
{
    if (!fold)
        return memmem(line->text, line->text_length, text, length) != NULL;
    for (size_t at = 0; at + length <= line->text_length; at++) {
        size_t i = 0;
        while (i < length && lower(line->text[at + i]) == text[i])
            i++;
        if (i == length)
            return true;
    }
    return false;
}

int64_t terminal_scrollback_search(const struct terminal *terminal, const char *text, uint64_t from,
                                   bool forwards)
{
    uint64_t first = terminal_scrollback_first(terminal), end = terminal_scrollback_end(terminal);
    bool fold = !has_upper(text);
    size_t length = strlen(text);
    struct packed_line line;

    if (first == end || length == 0)
        return -1;
    if (from < first) {
        if (!forwards)
            return -1;
        from = first;
    }
    if (from >= end) {
        if (forwards)
            return -1;
        from = end - 1;
    }
    for (uint64_t number = from;; number = forwards ? number + 1 : number - 1) {
        if (scrollback_line(terminal->scrollback, number, &line) && contains(&line, text, length, fold))
            return (int64_t)number;
        if (number == (forwards ? end - 1 : first))
            return -1;
    }
}

void terminal_scrollback_clear(struct terminal *terminal)
{
    scrollback_clear(terminal->scrollback);
}

void terminal_compact(struct terminal *terminal)
{
    scrollback_compact(terminal->scrollback);
}
