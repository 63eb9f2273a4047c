#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cli/cli.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct table {
    size_t columns, rows;
    char **cells;
};

void cli_print_json(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    (void)putchar('\n');
}

char *cli_when(int64_t at_ms, int64_t now_ms, const char *mark)
{
    char duration[16], text[48];
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm local;

    if (at_ms == 0 || localtime_r(&seconds, &local) == NULL)
        return xstrdup("unknown");
    if (strftime(text, sizeof text, at_ms - now_ms < DAY_MS ? "%H:%M" : "%a %e %b %H:%M", &local) == 0)
        text[0] = '\0';
    clock_format_duration((at_ms - now_ms) / 1000, duration, sizeof duration);
    return xasprintf("%s%s (%s)", mark, duration, text);
}

char *cli_clean(const char *text, size_t length)
{
    struct buffer out;

    buffer_init(&out);
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        int used = utf8_decode(text + at, length - at, &code);
        if (used > 0 && code >= 0x20 && (code < 0x7F || code >= 0xA0) && !utf8_reorders(code))
            buffer_append(&out, text + at, (size_t)used);
        else
            buffer_append_char(&out, code == '\t' ? ' ' : '?');
        at += used > 0 ? (size_t)used : 1;
    }
    return buffer_steal(&out);
}

bool cli_has_colour(void)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) != 0 && (no_colour == NULL || *no_colour == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

int cli_columns(const char *text, size_t length)
{
    int columns = 0;

    for (size_t at = 0; at < length;) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code), width;
        if (used <= 0)
            break;
        width = wcwidth((wchar_t)code);
        columns += width > 0 ? width : 0;
        at += (size_t)used;
    }
    return columns;
}

/* How many bytes fit into so many columns. */
static size_t fitting(const char *text, int columns)
{
    size_t length = strlen(text), at = 0;

    while (at < length) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code);
        if (used <= 0 || cli_columns(text, at + (size_t)used) > columns)
            break;
        at += (size_t)used;
    }
    return at;
}

struct table *table_create(size_t columns, const char *const headings[])
{
    struct table *table = xcalloc(1, sizeof *table);

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    table->columns = columns;
    table_add(table, headings);
    return table;
}

void table_add(struct table *table, const char *const cells[])
{
    table->cells = xreallocarray(table->cells, (table->rows + 1) * table->columns, sizeof *table->cells);
    for (size_t i = 0; i < table->columns; i++)
        table->cells[table->rows * table->columns + i] = cli_clean(cells[i], strlen(cells[i]));
    table->rows++;
}

static int terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100000;
}

static void print_row(const struct table *table, size_t row, const int widths[], int room)
{
    for (size_t i = 0; i < table->columns; i++) {
        const char *cell = table->cells[row * table->columns + i];
        size_t length = fitting(cell, room);
        int used = cli_columns(cell, length);
        (void)fwrite(cell, 1, length, stdout);
        if (i + 1 < table->columns)
            (void)printf("%*s", widths[i] - used + 2 < room ? widths[i] - used + 2 : 0, "");
        room -= widths[i] + 2;
        if (room < 1)
            break;
    }
    (void)putchar('\n');
}

void table_print(struct table *table)
{
    int *widths = xcalloc(table->columns, sizeof *widths), room = terminal_columns();

    for (size_t i = 0; i < table->rows * table->columns; i++) {
        int width = cli_columns(table->cells[i], strlen(table->cells[i]));
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t row = 0; row < table->rows; row++)
        print_row(table, row, widths, room);
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
    free(widths);
}

char *cli_text(const struct command *command, const char *operand, size_t limit, size_t *length)
{
    struct buffer text;
    ssize_t got;

    if (strcmp(operand, "-") != 0) {
        *length = strlen(operand);
        if (*length > limit)
            exit(cli_errorf(command->name, "the text has %zu bytes; at most %zu are taken", *length, limit));
        return xstrdup(operand);
    }
    buffer_init(&text);
    for (;;) {
        got = read(STDIN_FILENO, buffer_reserve(&text, 16384), 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            exit(cli_errorf(command->name, "cannot read standard input: %s", strerror(errno)));
        if (got == 0)
            break;
        text.length += (size_t)got;
        if (text.length > limit)
            exit(cli_errorf(command->name,
                            "standard input has more than %zu bytes, which is the most that is taken",
                            limit));
    }
    *length = text.length;
    *buffer_reserve(&text, 0) = '\0';
    return buffer_steal(&text);
}

int cli_check_prompt(const char *text, size_t length, struct error *error)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F)
            return error_set(
                error,
                "the prompt has the control byte 0x%02x at position %zu: only line feed and tab are taken",
                byte, i);
    }
    if (!utf8_valid(text, length))
        return error_set(error, "the prompt is not valid UTF-8");
    if (length == 0)
        return error_set(error, "the prompt is empty");
    return 0;
}
