/* What was printed as text: through a terminal, the lines that left the top of its screen, then the last screen. An alternate
 * screen is written as it was when the program left it. */
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"
#include "replay/export.h"
#include "term/terminal.h"
#include "term/transcript_lines.h"

/* A piece prints fewer lines than the scrollback keeps. */
#define PIECE ((size_t)16 * 1024)
#define KEPT_LINES (2 * PIECE)

struct text_export {
    struct terminal *terminal; /* of the attempt; NULL before the first */
    struct transcript_lines lines;
    struct buffer out;
    struct export_file *file;
};

static int flush(struct text_export *text, struct error *error)
{
    int result = export_file_write(text->file, text->out.bytes, text->out.length, error);

    buffer_clear(&text->out);
    return result;
}

/* ---- alternate screens ---- */

/* Whether the bytes after "CSI ?" reset the mode 47, 1047 or 1049. */
static bool resets_alternate(const char *bytes, size_t length)
{
    unsigned mode = 0;
    bool found = false;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] >= '0' && bytes[i] <= '9') {
            mode = mode > 9999 ? mode : mode * 10 + (unsigned)(bytes[i] - '0');
            continue;
        }
        found = found || mode == 47 || mode == 1047 || mode == 1049;
        mode = 0;
        if (bytes[i] != ';')
            return found && bytes[i] == 'l';
    }
    return false;
}

static bool leaves_alternate(const char *bytes, size_t length)
{
    return length > 3 && memcmp(bytes, "\033[?", 3) == 0 && resets_alternate(bytes + 3, length - 3);
}

/* How many bytes there are before the next that leave the alternate screen, at least 1. */
static size_t piece_of(const char *bytes, size_t length)
{
    size_t most = length < PIECE ? length : PIECE;
    const char *at = bytes + 1;

    while ((at = memchr(at, '\033', most - (size_t)(at - bytes))) != NULL) {
        if (leaves_alternate(at, length - (size_t)(at - bytes)))
            return (size_t)(at - bytes);
        at++;
    }
    return most;
}

/* ---- attempts ---- */

static int feed(struct text_export *text, const char *bytes, size_t length, struct error *error)
{
    while (length > 0) {
        size_t piece = piece_of(bytes, length);
        if (leaves_alternate(bytes, length) && terminal_modes(text->terminal).alternate_screen)
            transcript_lines_screen(&text->lines, text->terminal, 0, &text->out);
        terminal_write(text->terminal, bytes, piece);
        transcript_lines_take(&text->lines, text->terminal, false, &text->out);
        if (flush(text, error) < 0)
            return -1;
        bytes += piece;
        length -= piece;
    }
    return 0;
}

static int finish_attempt(struct text_export *text, struct error *error)
{
    if (text->terminal == NULL)
        return 0;
    transcript_lines_take(&text->lines, text->terminal, true, &text->out);
    terminal_destroy(text->terminal);
    text->terminal = NULL;
    return flush(text, error);
}

static int begin_attempt(struct text_export *text, const struct timeline_event *event, bool several,
                         struct error *error)
{
    struct terminal_options options = {
        .cols = event->cols, .rows = event->rows, .scrollback_lines = KEPT_LINES, .quiet = true};

    if (finish_attempt(text, error) < 0)
        return -1;
    text->terminal = terminal_create(&options);
    text->lines = (struct transcript_lines){0};
    if (several)
        buffer_printf(&text->out, "%s[attempt %u]\n", event->at_ns > 0 ? "\n" : "", event->attempt);
    return flush(text, error);
}

static int take(struct text_export *text, const struct timeline_event *event, bool several,
                struct error *error)
{
    switch (event->type) {
    case 'a':
        return begin_attempt(text, event, several, error);
    case 'o':
        return feed(text, event->text, event->length, error);
    case 'r':
        terminal_resize(text->terminal, event->cols, event->rows);
        transcript_lines_resized(&text->lines, text->terminal);
        return 0;
    default:
        return 0;
    }
}

static int write_text(struct timeline *timeline, struct export_file *file, struct error *error)
{
    bool several = timeline_facts(timeline)->attempts > 1;
    struct text_export text = {.file = file};
    struct timeline_event event;
    int got, result = 0;

    buffer_init(&text.out);
    while (result == 0 && (got = timeline_next(timeline, &event, error)) != 0)
        result = got < 0 ? -1 : take(&text, &event, several, error);
    if (result == 0)
        result = finish_attempt(&text, error);
    terminal_destroy(text.terminal);
    buffer_finish(&text.out);
    return result;
}

const struct export_format export_text = {.name = "text", .suffixes = ".txt .text .log", .write = write_text};
