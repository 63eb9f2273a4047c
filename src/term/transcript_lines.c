#include "term/transcript_lines.h"

/* FNV-1a; 0 is kept for "not known". */
static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash == 0 ? 1 : hash;
}

static bool is_written(const struct transcript_lines *lines, uint64_t number, const char *text, size_t length)
{
    return lines->hashes[number % TRANSCRIPT_HASHES] == hash_of(text, length);
}

/* How many lines of the scrollback are whole. */
static uint64_t whole_end(const struct terminal *terminal)
{
    return terminal_scrollback_end(terminal) - terminal_scrollback_open(terminal);
}

void transcript_lines_note(struct transcript_lines *lines, uint64_t number, const char *text, size_t length)
{
    lines->hashes[number % TRANSCRIPT_HASHES] = hash_of(text, length);
}

void transcript_lines_resized(struct transcript_lines *lines, const struct terminal *terminal)
{
    uint64_t end = whole_end(terminal);

    if (end < lines->again)
        lines->again = end;
}

uint64_t transcript_lines_waiting(const struct transcript_lines *lines, const struct terminal *terminal)
{
    uint64_t end = terminal_scrollback_end(terminal);

    return end > lines->again + 1 ? end - 1 - lines->again : 0;
}

static void append_run(void *argument, const struct line_run *run)
{
    buffer_append(argument, run->text, run->length);
}

/* Without the blanks at its end, from `start` in the buffer on. */
static void end_line(struct buffer *out, size_t start)
{
    while (out->length > start && out->bytes[out->length - 1] == ' ')
        out->length--;
    buffer_append_char(out, '\n');
}

static void append_line(struct transcript_lines *lines, const struct terminal *terminal, uint64_t number,
                        struct buffer *out)
{
    size_t start = out->length;

    (void)terminal_scrollback_line(terminal, number, append_run, out);
    end_line(out, start);
    transcript_lines_note(lines, number, out->bytes + start, out->length - start - 1);
}

/* Lines that were on the screen again and left it as they were are passed over. */
static void pass_written(struct transcript_lines *lines, const struct terminal *terminal, uint64_t end)
{
    struct buffer text;
    bool same = true;

    buffer_init(&text);
    for (; same && lines->again < lines->next && lines->again < end; lines->again += same) {
        buffer_clear(&text);
        if (terminal_scrollback_line(terminal, lines->again, append_run, &text)) {
            end_line(&text, 0);
            same = is_written(lines, lines->again, text.bytes, text.length - 1);
        }
    }
    buffer_finish(&text);
    if (!same)
        lines->next = lines->again;
}

/* The line that begins with the screen's row `y`; returns the row after it. */
static int append_rows(const struct terminal *terminal, int y, struct buffer *out)
{
    bool wrapped;

    do {
        wrapped = terminal_row_wrapped(terminal, y) && y + 1 < terminal_rows(terminal);
        terminal_row_part(terminal, y, wrapped, out);
        y++;
    } while (wrapped);
    return y;
}

/* Lines of the alternate screen have no number. */
void transcript_lines_screen(const struct transcript_lines *lines, const struct terminal *terminal,
                             uint64_t next, struct buffer *out)
{
    bool numbered = !terminal_modes(terminal).alternate_screen, known = numbered;
    bool open = numbered && terminal_scrollback_open(terminal);
    uint64_t number = whole_end(terminal);
    size_t last = out->length;

    if (next > lines->next)
        next = lines->next;
    for (int y = 0; y < terminal_rows(terminal); number++) {
        size_t start = out->length;
        if (open && number == whole_end(terminal))
            (void)terminal_scrollback_line(terminal, number, append_run, out);
        y = append_rows(terminal, y, out);
        end_line(out, start);
        known =
            known && number < next && is_written(lines, number, out->bytes + start, out->length - start - 1);
        if (known)
            out->length = start;
        else if (out->length > start + 1)
            last = out->length;
    }
    out->length = last;
}

void transcript_lines_take(struct transcript_lines *lines, const struct terminal *terminal, bool last,
                           struct buffer *out)
{
    uint64_t first = terminal_scrollback_first(terminal), end = terminal_scrollback_end(terminal);
    bool joined = terminal_scrollback_open(terminal) && !terminal_modes(terminal).alternate_screen;

    if (end > 0 && (!last || joined))
        end--;
    pass_written(lines, terminal, end);
    if (lines->again == lines->next) {
        if (lines->next < first && first < end) {
            buffer_printf(out, "[%llu lines are missing here]\n", (unsigned long long)(first - lines->next));
            lines->next = first;
        }
        for (; lines->next < end; lines->next++)
            append_line(lines, terminal, lines->next, out);
        lines->again = lines->next;
    }
    if (last)
        transcript_lines_screen(lines, terminal, lines->next, out);
}
