#include "cli/headless_log.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "cli/cli.h"

#define COLUMNS_OTHERWISE 100
#define ROW_BYTES 1024   /* of a row, whatever little room its characters take */
#define WORD_BYTES 4096  /* of a path, and so of a word that is not broken */
#define LEAST_COLUMNS 30 /* for what happened, however narrow the terminal is */

static const char *const colours[] = {"", "\033[2m", "\033[32m", "\033[33m", "\033[31m", "\033[1m"};

void headless_log_init(struct headless_log *log, struct headless_output *output, int name_width)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    *log = (struct headless_log){.output = output, .name_width = name_width};
    log->terminal = isatty(STDOUT_FILENO) != 0;
    log->colour = cli_has_colour();
}

static int text_columns(const struct headless_log *log)
{
    struct winsize size;
    int columns = COLUMNS_OTHERWISE, left = 8 + 2 + log->name_width + 2;

    if (log->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    return columns - left < LEAST_COLUMNS ? LEAST_COLUMNS : columns - left;
}

/* As many bytes as fit into a row; *blank is the last end of a word among them, or 0. */
static size_t fitting(const char *text, int columns, size_t *blank)
{
    size_t length = strlen(text), at = 0;
    int width = 0;

    *blank = 0;
    while (at < length) {
        uint32_t code;
        int step = utf8_decode(text + at, length - at, &code);
        step = step > 0 ? step : 1;
        width += cli_columns(text + at, (size_t)step);
        if (text[at] == ' ' && at > 0 && text[at - 1] != ' ')
            *blank = at;
        if (at + (size_t)step > ROW_BYTES || width > columns)
            break;
        at += (size_t)step;
    }
    return at;
}

/* A word that is longer than a row is broken on a terminal, which would do it otherwise; a path nowhere: it is to be copied.
 * Characters of two columns are words of their own. */
static size_t whole_word(const struct headless_log *log, const char *text, size_t at)
{
    uint32_t code;
    size_t start = at, length = strcspn(text + at, " ");
    int step = utf8_decode(text + at, strlen(text + at), &code);

    while (start > 0 && text[start - 1] != ' ')
        start--;
    if (at - start + length > WORD_BYTES || (step > 0 && cli_columns(text + at, (size_t)step) == 2) ||
        (log->terminal && memchr(text + start, '/', at - start + length) == NULL))
        return at;
    return at + length;
}

/* "recording: /path": they are found together. */
static bool labels_path(const char *text, size_t blank)
{
    return text[blank - 1] == ':' && text[blank + 1] == '/';
}

/* The bytes of the first row of `text`; *used are those and the blank after it. */
static size_t first_row(const struct headless_log *log, const char *text, int columns, size_t *used)
{
    size_t blank, at = fitting(text, columns, &blank);

    if (text[at] != '\0' && text[at] != ' ')
        at = blank > 0 && !labels_path(text, blank) ? blank : whole_word(log, text, at);
    *used = at;
    while (text[*used] == ' ')
        (*used)++;
    while (at > 0 && text[at - 1] == ' ')
        at--;
    return at;
}

static void add(struct headless_log *log, const char *text)
{
    headless_output_add(log->output, text, strlen(text));
}

static void indent(struct headless_log *log, int columns)
{
    for (int i = 0; i < columns; i++)
        add(log, " ");
}

static void row_begin(struct headless_log *log, int64_t at_ms, const char *name)
{
    time_t seconds = (time_t)(at_ms / 1000);
    char clock[16] = "", *clean = cli_clean(name, strlen(name));
    struct tm local;

    if (localtime_r(&seconds, &local) != NULL)
        (void)strftime(clock, sizeof clock, "%H:%M:%S", &local);
    add(log, log->colour ? "\033[2m" : "");
    add(log, clock);
    add(log, log->colour ? "\033[0m  \033[36m" : "  ");
    add(log, clean);
    add(log, log->colour ? "\033[0m" : "");
    indent(log, log->name_width - cli_columns(clean, strlen(clean)) + 2);
    free(clean);
}

static void row_text(struct headless_log *log, enum headless_style style, const char *text, size_t length)
{
    bool coloured = log->colour && style != STYLE_PLAIN;

    add(log, coloured ? colours[style] : "");
    headless_output_add(log->output, text, length);
    add(log, coloured ? "\033[0m\n" : "\n");
}

/* Length of the whole escape sequence at the start of `text`, or 0. */
static size_t sequence(const char *text)
{
    size_t length;

    if (text[0] != '\033')
        return 0;
    if (text[1] == '[') {
        length = 2 + strspn(text + 2, "0123456789:;<=>? !\"#$%&'()*+,-./");
        return text[length] >= 0x40 && text[length] <= 0x7E ? length + 1 : 0;
    }
    if (text[1] == ']') {
        length = 2 + strcspn(text + 2, "\a\033");
        return text[length] == '\a'                                 ? length + 1
               : text[length] == '\033' && text[length + 1] == '\\' ? length + 2
                                                                    : 0;
    }
    length = 1 + strspn(text + 1, " !\"#$%&'()*+,-./");
    return text[length] >= 0x30 && text[length] <= 0x7E ? length + 1 : 0;
}

/* Takes out colours and the like, which only some programs leave away where nobody sees them. */
static void strip_sequences(char *text)
{
    char *to = text;

    for (const char *at = text; *at != '\0';) {
        size_t length = sequence(at);
        if (length > 0)
            at += length;
        else
            *to++ = *at++;
    }
    *to = '\0';
}

void headless_log_entry(struct headless_log *log, int64_t at_ms, const char *name, enum headless_style style,
                        int rows, const char *text)
{
    char *copy = xstrdup(text), *clean;
    int columns = text_columns(log), row = 0;
    size_t used = 0, length;

    /* Line feeds of a message are no more than blanks. */
    for (char *at = copy; *at != '\0'; at++)
        *at = *at == '\n' ? ' ' : *at;
    strip_sequences(copy);
    clean = cli_clean(copy, strlen(copy));
    free(copy);
    for (const char *at = clean; row == 0 || *at != '\0'; at += used, row++) {
        bool last;
        length = first_row(log, at, columns, &used);
        last = rows > 0 && row + 1 == rows && at[used] != '\0';
        if (row == 0)
            row_begin(log, at_ms, name);
        else
            indent(log, 8 + 2 + log->name_width + 2);
        if (last) {
            length = first_row(log, at, columns - 2, &used);
            headless_output_add(log->output, at, length);
            add(log, " …\n");
            break;
        }
        row_text(log, style, at, length);
    }
    log->talker = NULL;
    free(clean);
}

/* ---- what an agent says ---- */

static void words_row(struct headless_log *log, struct headless_words *words, const char *name,
                      const char *text, size_t length)
{
    if (log->talker == words)
        indent(log, 8 + 2 + log->name_width + 2);
    else
        row_begin(log, words->at_ms, name);
    row_text(log, STYLE_PLAIN, text, length);
    log->talker = words;
}

/* The rows of a line of which all is there, or of the beginning of one: then the last row stays. Returns how many bytes
 * of `line` were printed. */
static size_t print_line(struct headless_log *log, struct headless_words *words, const char *name,
                         const char *line, bool whole)
{
    int columns = text_columns(log);
    size_t at = 0, used;

    while (line[at] != '\0') {
        size_t length = first_row(log, line + at, columns, &used);
        if (!whole && line[at + used] == '\0')
            break;
        if (length > 0)
            words_row(log, words, name, line + at, length);
        at += used;
    }
    return at;
}

/* The text up to the first line feed, cleaned; of an unfinished line what is there. */
static char *next_line(const struct headless_words *words, size_t *length, bool *whole)
{
    const char *end = memchr(words->pending.bytes, '\n', words->pending.length);

    *whole = end != NULL;
    *length = end != NULL ? (size_t)(end - words->pending.bytes) : words->pending.length;
    if (*length > 0 && words->pending.bytes[*length - 1] == '\r')
        return cli_clean(words->pending.bytes, *length - 1);
    return cli_clean(words->pending.bytes, *length);
}

void headless_log_words(struct headless_log *log, struct headless_words *words, const char *name,
                        int64_t at_ms, const char *text)
{
    if (text != NULL)
        words->at_ms = at_ms;
    if (text != NULL)
        buffer_append_string(&words->pending, text);
    while (words->pending.length > 0) {
        size_t length, printed;
        bool whole;
        char *line = next_line(words, &length, &whole);
        bool all = whole || text == NULL;
        printed = print_line(log, words, name, line, all);
        if (!all) {
            /* What is printed goes; the rest is clean, and stays so when it is cleaned again. */
            struct buffer rest;
            buffer_init(&rest);
            buffer_append_string(&rest, line + printed);
            buffer_finish(&words->pending);
            words->pending = rest;
            free(line);
            return;
        }
        free(line);
        buffer_consume(&words->pending, length + (whole ? 1 : 0));
    }
}
