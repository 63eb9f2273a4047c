/*
 * Runs the scripts of this folder, NAME.txt: bytes for a terminal and what its screen is then. A script is lines:
 *
 *   # comment
 *   == NAME                 a fresh terminal of 20x5, 100 lines of scrollback
 *   size COLS ROWS          the same in another size
 *   write BYTES             escapes: \e \a \b \n \r \t \\ \xHH; a blank at the end as \x20
 *   resize COLS ROWS
 *   |TEXT                   the next row of the screen; rows not listed are blank
 *   cursor X Y
 *   reply BYTES             all that was answered since the last `reply`
 *   style X Y [FG BG ATTRIBUTES UNDERLINE COLOR]   numbers in hexadecimal, - for the default colour
 *   width X Y N
 *   link X Y URI
 *   history TEXT            the next line of the scrollback, from the first; all must be listed
 *   no history              it is empty
 *   title TEXT
 *   wrapped Y
 *
 * Every script runs twice: each write at once, and byte by byte.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/path.h"
#include "tests/term/terminal_check.h"

struct script {
    const char *file;
    char name[128];
    int line;
    bool bytewise;
    struct terminal *terminal;
    struct buffer replies;
    int row; /* rows listed since the last write */
    bool rows_listed;
    uint64_t history; /* lines listed */
    bool history_listed;
    int failures, cases;
};

static void fail(struct script *script, const char *what, const char *got, const char *expected)
{
    printf("# %s:%d (%s%s): %s is \"%s\", expected \"%s\"\n", script->file, script->line, script->name,
           script->bytewise ? ", byte by byte" : "", what, got, expected);
    script->failures++;
}

static void on_reply(void *argument, const char *bytes, size_t length)
{
    struct script *script = argument;

    buffer_append(&script->replies, bytes, length);
}

static void start(struct script *script, int cols, int rows)
{
    static const struct terminal_calls calls = {.reply = on_reply};
    struct terminal_options options = {
        .cols = cols, .rows = rows, .scrollback_lines = 100, .calls = &calls, .argument = script};

    terminal_destroy(script->terminal);
    script->terminal = terminal_create(&options);
    buffer_clear(&script->replies);
    script->row = 0;
    script->rows_listed = script->history_listed = false;
    script->history = 0;
}

static void unescape(const char *text, struct buffer *out)
{
    static const char letters[] = "eabnrt\\", values[] = "\033\a\b\n\r\t\\";

    buffer_clear(out);
    buffer_append(out, "", 0);
    for (; *text != '\0'; text++) {
        const char *letter;
        unsigned byte;
        if (*text != '\\') {
            buffer_append_char(out, *text);
        } else if (text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1) {
            buffer_append_char(out, (char)byte);
            text += 3;
        } else if (text[1] != '\0' && (letter = strchr(letters, text[1])) != NULL) {
            buffer_append_char(out, values[letter - letters]);
            text++;
        }
    }
}

static void escape(const struct buffer *bytes, struct buffer *out)
{
    buffer_clear(out);
    buffer_append(out, "", 0);
    for (size_t i = 0; i < bytes->length; i++) {
        unsigned char byte = (unsigned char)bytes->bytes[i];
        if (byte == 0x1B)
            buffer_append_string(out, "\\e");
        else if (byte == '\\')
            buffer_append_string(out, "\\\\");
        else if (byte == '\a')
            buffer_append_string(out, "\\a");
        else if (byte < 0x20 || byte == 0x7F)
            buffer_printf(out, "\\x%02x", byte);
        else
            buffer_append_char(out, (char)byte);
    }
}

static void do_write(struct script *script, const char *text)
{
    struct buffer bytes = {0};
    const char *wrong;

    unescape(text, &bytes);
    for (size_t i = 0; script->bytewise && i < bytes.length; i++)
        terminal_write(script->terminal, bytes.bytes + i, 1);
    if (!script->bytewise)
        terminal_write(script->terminal, bytes.bytes, bytes.length);
    wrong = check_terminal(script->terminal);
    if (wrong != NULL)
        fail(script, "the screen", wrong, "valid");
    buffer_finish(&bytes);
}

static char *row_text(const struct terminal *terminal, int y)
{
    struct buffer text = {0};
    char *at, *row;

    terminal_text(terminal, &text);
    at = text.bytes;
    for (; y > 0; y--)
        at = strchr(at, '\n') + 1;
    row = xstrndup(at, (size_t)(strchr(at, '\n') - at));
    buffer_finish(&text);
    return row;
}

static void expect_row(struct script *script, const char *expected)
{
    char *row;
    size_t length = strlen(expected);

    if (script->row >= terminal_rows(script->terminal)) {
        fail(script, "the number of rows", "fewer", "as listed");
        return;
    }
    while (length > 0 && expected[length - 1] == ' ')
        length--;
    row = row_text(script->terminal, script->row++);
    if (strlen(row) != length || strncmp(row, expected, length) != 0)
        fail(script, "the row", row, expected);
    free(row);
    script->rows_listed = true;
}

/* Rows and history lines that were not listed must be blank or not there. */
static void end_lists(struct script *script)
{
    for (; script->rows_listed && script->row < terminal_rows(script->terminal); script->row++) {
        char *row = row_text(script->terminal, script->row);
        if (*row != '\0')
            fail(script, "a further row", row, "");
        free(row);
    }
    if (script->history_listed && script->history != terminal_scrollback_end(script->terminal))
        fail(script, "the scrollback", "longer", "as listed");
    script->rows_listed = script->history_listed = false;
    script->row = 0;
}

static void append_run(void *argument, const struct line_run *run)
{
    buffer_append(argument, run->text, run->length);
}

static void expect_history(struct script *script, const char *expected)
{
    struct buffer text = {0};

    if (!script->history_listed)
        script->history = terminal_scrollback_first(script->terminal);
    script->history_listed = true;
    buffer_append(&text, "", 0);
    if (!terminal_scrollback_line(script->terminal, script->history++, append_run, &text))
        fail(script, "the scrollback line", "missing", expected);
    else if (strcmp(text.bytes, expected) != 0)
        fail(script, "the scrollback line", text.bytes, expected);
    buffer_finish(&text);
}

static void expect_number(struct script *script, const char *what, long long got, long long expected)
{
    char one[32], two[32];

    (void)snprintf(one, sizeof one, "%lld", got);
    (void)snprintf(two, sizeof two, "%lld", expected);
    if (got != expected)
        fail(script, what, one, two);
}

static void expect_reply(struct script *script, const char *expected)
{
    struct buffer got = {0};

    escape(&script->replies, &got);
    if (strcmp(got.bytes, expected) != 0)
        fail(script, "the reply", got.bytes, expected);
    buffer_clear(&script->replies);
    buffer_finish(&got);
}

static void format_color(uint32_t color, char out[16])
{
    if (color == COLOR_DEFAULT)
        (void)snprintf(out, 16, "-");
    else if (color & COLOR_RGB)
        (void)snprintf(out, 16, "#%06x", color & 0xFFFFFFu);
    else
        (void)snprintf(out, 16, "%x", color);
}

static void expect_style(struct script *script, const char *arguments)
{
    int x, y, used = 0;
    char got[96], foreground[16], background[16], underline[16];
    struct style style;

    if (sscanf(arguments, "%d %d %n", &x, &y, &used) != 2)
        return;
    style = terminal_style(script->terminal, terminal_row(script->terminal, y)[x].style);
    format_color(style.foreground, foreground);
    format_color(style.background, background);
    format_color(style.underline_color, underline);
    (void)snprintf(got, sizeof got, "%s %s %x %x %s", foreground, background, style.attributes,
                   style.underline, underline);
    if (strcmp(got, arguments + used) != 0)
        fail(script, "the style", got, arguments + used);
}

static void expect_link(struct script *script, const char *arguments)
{
    int x, y, used = 0;
    const char *uri;

    if (sscanf(arguments, "%d %d %n", &x, &y, &used) != 2)
        return;
    uri = terminal_link(script->terminal,
                        terminal_style(script->terminal, terminal_row(script->terminal, y)[x].style).link);
    if (strcmp(uri == NULL ? "" : uri, arguments + used) != 0)
        fail(script, "the link", uri == NULL ? "" : uri, arguments + used);
}

static bool takes(const char *line, const char *word, const char **arguments)
{
    size_t length = strlen(word);

    if (strncmp(line, word, length) != 0 || (line[length] != ' ' && line[length] != '\0'))
        return false;
    *arguments = line + length + (line[length] == ' ');
    return true;
}

static void expect(struct script *script, const char *line)
{
    const char *arguments;
    int x = 0, y = 0, n = 0;

    if (takes(line, "cursor", &arguments) && sscanf(arguments, "%d %d", &x, &y) == 2) {
        expect_number(script, "the cursor's column", terminal_cursor(script->terminal).x, x);
        expect_number(script, "the cursor's row", terminal_cursor(script->terminal).y, y);
    } else if (takes(line, "reply", &arguments)) {
        expect_reply(script, arguments);
    } else if (takes(line, "style", &arguments)) {
        expect_style(script, arguments);
    } else if (takes(line, "width", &arguments) && sscanf(arguments, "%d %d %d", &x, &y, &n) == 3) {
        expect_number(script, "the width", terminal_row(script->terminal, y)[x].width, n);
    } else if (takes(line, "link", &arguments)) {
        expect_link(script, arguments);
    } else if (takes(line, "history", &arguments)) {
        expect_history(script, arguments);
    } else if (strcmp(line, "no history") == 0) {
        expect_number(script, "lines of scrollback",
                      (long long)(terminal_scrollback_end(script->terminal) -
                                  terminal_scrollback_first(script->terminal)),
                      0);
    } else if (takes(line, "title", &arguments)) {
        if (strcmp(terminal_title(script->terminal), arguments) != 0)
            fail(script, "the title", terminal_title(script->terminal), arguments);
    } else if (takes(line, "wrapped", &arguments)) {
        expect_number(script, "wrapped", terminal_row_wrapped(script->terminal, atoi(arguments)), 1);
    } else {
        fail(script, "a line", line, "an instruction");
    }
}

static void run_line(struct script *script, const char *line)
{
    const char *arguments;
    int cols, rows;

    if (line[0] == '#' || line[0] == '\0')
        return;
    if (line[0] == '|') {
        expect_row(script, line + 1);
    } else if (takes(line, "==", &arguments)) {
        end_lists(script);
        (void)snprintf(script->name, sizeof script->name, "%s", arguments);
        script->cases++;
        start(script, 20, 5);
    } else if (takes(line, "size", &arguments) && sscanf(arguments, "%d %d", &cols, &rows) == 2) {
        start(script, cols, rows);
    } else if (takes(line, "write", &arguments)) {
        end_lists(script);
        do_write(script, arguments);
    } else if (takes(line, "resize", &arguments) && sscanf(arguments, "%d %d", &cols, &rows) == 2) {
        end_lists(script);
        terminal_resize(script->terminal, cols, rows);
    } else {
        expect(script, line);
    }
}

static int run_file(const char *path, bool bytewise)
{
    struct script script = {.file = path, .bytewise = bytewise};
    struct error error;
    char *bytes, *at;
    size_t length;

    if (path_read_file(path, 1 << 20, &bytes, &length, &error) < 0) {
        printf("# %s\n", error.text);
        return 1;
    }
    start(&script, 20, 5);
    for (at = bytes; at < bytes + length;) {
        char *end = strchr(at, '\n');
        if (end == NULL)
            end = bytes + length;
        *end = '\0';
        script.line++;
        run_line(&script, at);
        at = end + 1;
    }
    end_lists(&script);
    printf("%s - %s%s, %d cases\n", script.failures > 0 ? "not ok" : "ok", path,
           bytewise ? ", byte by byte" : "", script.cases);
    terminal_destroy(script.terminal);
    buffer_finish(&script.replies);
    free(bytes);
    return script.failures > 0;
}

int main(void)
{
    glob_t files;
    int failures = 0;

    if (glob("tests/term/*.txt", 0, NULL, &files) != 0) {
        printf("no tests/term/*.txt here\n");
        return 1;
    }
    for (size_t i = 0; i < files.gl_pathc; i++)
        failures += run_file(files.gl_pathv[i], false) + run_file(files.gl_pathv[i], true);
    globfree(&files);
    return failures > 0;
}
