#include "tests/fake/agent_view.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "tests/fake/agent_terminal.h"

#define KEPT 64

static int live_rows;        /* of the live part as drawn, the cursor on the last */
static char open_line[2048]; /* the transcript's last line, in work */
static char title[256];
static char kept[KEPT][sizeof open_line]; /* the transcript's last lines, for a redraw */
static unsigned long kept_count;

/* Columns of UTF-8 text; what is no character counts 1. */
static int columns_of(const char *text, size_t length)
{
    mbstate_t state = {0};
    int columns = 0;

    for (size_t i = 0; i < length;) {
        wchar_t character;
        size_t n = mbrtowc(&character, text + i, length - i, &state);
        int width = 1;
        if (n == 0 || n > length - i) {
            n = 1;
            memset(&state, 0, sizeof state);
        } else {
            width = wcwidth(character);
        }
        columns += width < 0 ? 1 : width;
        i += n;
    }
    return columns;
}

/* The longest end of `text` that fits. */
static const char *tail(const char *text, int columns)
{
    size_t length = strlen(text), most = (size_t)columns * MB_LEN_MAX;

    if (length > most)
        text += length - most;
    while (columns_of(text, strlen(text)) > columns) {
        text++;
        while (((unsigned char)*text & 0xC0) == 0x80)
            text++;
    }
    return text;
}

static void erase_live(void)
{
    if (live_rows > 1)
        out_format("\033[%dA", live_rows - 1);
    if (live_rows > 0)
        out_text("\r\033[J");
    live_rows = 0;
}

static void row(void)
{
    if (live_rows > 0)
        out_text("\n");
    live_rows++;
}

const char *view_spinner(void)
{
    static const char *const glyphs[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

    return glyphs[clock_ms() / 100 % 10];
}

void view_start(void)
{
    terminal_on_restore("\033[?25h\033[?2004l\033]0;\a");
    out_text("\033[?25l\033[?2004h");
}

void view_finish(void)
{
    erase_live();
    if (open_line[0] != '\0')
        out_format("%s\n", open_line);
    open_line[0] = '\0';
}

static void commit_line(void)
{
    erase_live();
    out_format("%s\n", open_line);
    (void)snprintf(kept[kept_count++ % KEPT], sizeof kept[0], "%s", open_line);
    open_line[0] = '\0';
}

void view_redraw(void)
{
    int columns, rows;
    unsigned long count;

    terminal_size(&columns, &rows);
    count = rows > 9 ? (unsigned long)rows - 9 : 0;
    if (count > KEPT)
        count = KEPT;
    if (count > kept_count)
        count = kept_count;
    live_rows = 0;
    out_text("\033[H\033[2J");
    for (unsigned long i = kept_count - count; i < kept_count; i++)
        out_format("%s\n", kept[i % KEPT]);
}

static void write_word(const char *word, size_t length)
{
    int columns, rows;
    size_t used = strlen(open_line);

    terminal_size(&columns, &rows);
    if (used > 0 && columns_of(open_line, used) + columns_of(word, length) > columns - 1) {
        commit_line();
        used = 0;
    }
    if (used + length >= sizeof open_line)
        length = sizeof open_line - 1 - used;
    memcpy(open_line + used, word, length);
    open_line[used + length] = '\0';
}

void view_write(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        if (text[length] == ' ')
            length++;
        if (length > 0)
            write_word(text, length);
        text += length;
        if (*text == '\n') {
            commit_line();
            text++;
        }
    }
}

void view_break(void)
{
    if (open_line[0] != '\0')
        commit_line();
}

static void rule(const char *left, const char *right, int columns)
{
    row();
    out_format("\033[38;5;240m%s", left);
    for (int i = 0; i < columns - 2; i++)
        out_text("─");
    out_format("%s\033[m", right);
}

static void draw_box(const char *typed, int columns)
{
    int inner = columns - 5;
    char shown[1024];

    (void)snprintf(shown, sizeof shown, "%s", tail(typed, inner > 1 ? inner - 1 : 1));
    for (char *newline = shown; (newline = strchr(newline, '\n')) != NULL;)
        *newline = ' ';
    rule("╭", "╮", columns);
    row();
    out_format("\033[38;5;240m│\033[m > %s\033[7m \033[27m", shown);
    out_format("\033[%dG\033[38;5;240m│\033[m", columns);
    rule("╰", "╯", columns);
}

void view_draw(const struct view_live *live)
{
    int columns, rows;

    terminal_size(&columns, &rows);
    out_text("\033[?2026h");
    erase_live();
    if (open_line[0] != '\0') {
        row();
        out_text(open_line);
    }
    if (live->status != NULL && live->status[0] != '\0' && rows > 6) {
        row();
        row();
        out_format("\033[38;5;%dm%s%s%s\033[m", live->color, live->busy ? view_spinner() : "",
                   live->busy ? " " : "", tail(live->status, columns - 3));
    }
    if (live->question != NULL && live->question[0] != '\0') {
        for (const char *line = live->question; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            row();
            out_bytes(line, length);
            line += length + (line[length] == '\n');
        }
    } else if (columns >= 8 && rows >= 6) {
        draw_box(live->typed, columns);
    }
    if (live->hint != NULL && rows > 6) {
        row();
        out_format("\033[2m%s\033[m", tail(live->hint, columns - 1));
    }
    if (live_rows == 0)
        row();
    out_text("\033[?2026l");
    out_flush();
}

void view_title(const char *glyph, const char *text)
{
    char wanted[sizeof title];

    (void)snprintf(wanted, sizeof wanted, "%s %s", glyph, text);
    if (strcmp(wanted, title) == 0)
        return;
    memcpy(title, wanted, sizeof title);
    out_format("\033]0;%s\a", title);
}
