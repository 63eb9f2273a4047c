#include <stdlib.h>

#include "test.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "term/terminal.h"

static struct terminal *make(int cols, int rows, size_t lines)
{
    struct terminal_options options = {.cols = cols, .rows = rows, .scrollback_lines = lines};

    return terminal_create(&options);
}

static void feed(struct terminal *terminal, const char *text)
{
    terminal_write(terminal, text, strlen(text));
}

static void feed_lines(struct terminal *terminal, int from, int to)
{
    char line[64];

    for (int i = from; i < to; i++) {
        (void)snprintf(line, sizeof line, "\033[3%dmline\033[0m %d of many\r\n", i % 8, i);
        feed(terminal, line);
    }
}

static void append_run(void *argument, const struct line_run *run)
{
    struct buffer *out = argument;

    buffer_printf(out, "[%x,%x,%s]%.*s",
                  run->style.foreground == COLOR_DEFAULT ? 0x999 : run->style.foreground,
                  run->style.attributes, run->link == NULL ? "" : run->link, (int)run->length, run->text);
}

/* The line with its styles, or NULL; valid until the next call. */
static const char *line(const struct terminal *terminal, uint64_t number)
{
    static struct buffer text;

    buffer_clear(&text);
    buffer_append(&text, "", 0);
    return terminal_scrollback_line(terminal, number, append_run, &text) ? text.bytes : NULL;
}

TEST(styles_and_links_are_kept)
{
    struct terminal *terminal = make(20, 2, 10);

    feed(terminal, "a\033[1;31mb\033[0m\033]8;;http://x/\033\\c\033]8;;\033\\ d\r\n\r\n\r\n");
    CHECK_STRING(line(terminal, 0), "[999,0,]a[1,1,]b[999,0,http://x/]c[999,0,] d");
    CHECK_STRING(line(terminal, 1), "");
    CHECK(line(terminal, 2) == NULL);
    terminal_destroy(terminal);
}

TEST(lines_are_logical_and_the_last_may_be_open)
{
    struct terminal *terminal = make(5, 2, 10);

    feed(terminal, "abcdefghijklmno");
    CHECK_NUMBER(terminal_scrollback_end(terminal), 1);
    CHECK_STRING(line(terminal, 0), "[999,0,]abcde");
    feed(terminal, "pqrst\r\n");
    CHECK_NUMBER(terminal_scrollback_end(terminal), 1);
    CHECK_STRING(line(terminal, 0), "[999,0,]abcdefghijklmno");
    feed(terminal, "\r\nx");
    CHECK_STRING(line(terminal, 0), "[999,0,]abcdefghijklmnopqrst");
    CHECK_NUMBER(terminal_scrollback_end(terminal), 1);
    terminal_destroy(terminal);
}

TEST(the_limit_drops_the_oldest)
{
    struct terminal *terminal = make(40, 2, 100);

    feed_lines(terminal, 0, 5001);
    CHECK_NUMBER(terminal_scrollback_end(terminal), 5000);
    CHECK_NUMBER(terminal_scrollback_first(terminal), 4900);
    CHECK(line(terminal, 4899) == NULL);
    CHECK_STRING(line(terminal, 4900), "[4,0,]line[999,0,] 4900 of many");
    terminal_destroy(terminal);
}

TEST(compacting_changes_nothing_and_saves_memory)
{
    struct terminal *terminal = make(40, 2, 20000);
    size_t before;
    char expected[64];

    feed_lines(terminal, 0, 15001);
    before = terminal_memory(terminal);
    terminal_compact(terminal);
    CHECK(terminal_memory(terminal) < before / 2);
    for (int i = 0; i < 15000; i += 371) {
        (void)snprintf(expected, sizeof expected, "[%d,0,]line[999,0,] %d of many", i % 8, i);
        CHECK_STRING(line(terminal, (uint64_t)i), expected);
    }
    feed_lines(terminal, 15001, 15003);
    CHECK_STRING(line(terminal, 15000), "[0,0,]line[999,0,] 15000 of many");
    terminal_destroy(terminal);
}

TEST(compacted_lines_come_back_on_a_resize)
{
    struct terminal *terminal = make(40, 2, 20000);
    struct buffer text = {0};

    feed_lines(terminal, 0, 5000);
    terminal_compact(terminal);
    terminal_resize(terminal, 40, 500);
    CHECK_NUMBER(terminal_scrollback_end(terminal), 5000 + 1 - 500);
    terminal_text(terminal, &text);
    CHECK(strncmp(text.bytes, "line 4501 of many\nline 4502", 25) == 0);
    buffer_finish(&text);
    terminal_destroy(terminal);
}

TEST(search)
{
    struct terminal *terminal = make(40, 2, 1000);

    feed(terminal, "alpha\r\nBeta\r\ngamma\r\nbeta\r\nx\r\ny");
    CHECK_NUMBER(terminal_scrollback_search(terminal, "beta", 100, false), 3);
    CHECK_NUMBER(terminal_scrollback_search(terminal, "beta", 2, false), 1);
    CHECK_NUMBER(terminal_scrollback_search(terminal, "Beta", 0, true), 1);
    CHECK_NUMBER(terminal_scrollback_search(terminal, "Beta", 2, true), -1);
    CHECK_NUMBER(terminal_scrollback_search(terminal, "nothing", 100, false), -1);
    CHECK_NUMBER(terminal_scrollback_search(terminal, "", 100, false), -1);
    terminal_destroy(terminal);
}

TEST(clearing_keeps_the_numbers_rising)
{
    struct terminal *terminal = make(40, 2, 1000);

    feed_lines(terminal, 0, 11);
    terminal_scrollback_clear(terminal);
    CHECK_NUMBER(terminal_scrollback_first(terminal), 10);
    CHECK_NUMBER(terminal_scrollback_end(terminal), 10);
    feed_lines(terminal, 11, 12);
    CHECK_STRING(line(terminal, 10), "[2,0,]line[999,0,] 10 of many");
    terminal_destroy(terminal);
}

TEST(no_scrollback)
{
    struct terminal *terminal = make(40, 2, 0);

    feed_lines(terminal, 0, 100);
    CHECK_NUMBER(terminal_scrollback_end(terminal), 0);
    terminal_resize(terminal, 3, 9);
    terminal_destroy(terminal);
}

TEST(a_line_without_end_is_cut)
{
    struct terminal *terminal = make(80, 2, 1000);
    char text[8001];

    memset(text, 'x', 8000);
    text[8000] = '\0';
    for (int i = 0; i < 20; i++)
        feed(terminal, text);
    CHECK(terminal_scrollback_end(terminal) > 5);
    terminal_destroy(terminal);
}

TEST(bytes_are_bounded_whatever_the_lines_hold)
{
    struct terminal *terminal = make(1000, 2, 1000);
    struct buffer row = {0};

    for (int i = 0; i < 1000; i++)
        buffer_printf(&row, "\033[38;2;%d;1;1;48;2;2;%d;2m\033]8;;http://example.org/%d\ax", i % 256, i % 255,
                      i % 3);
    buffer_append_string(&row, "\r\n");
    for (int i = 0; i < 400; i++)
        terminal_write(terminal, row.bytes, row.length);
    CHECK(terminal_memory(terminal) < (size_t)4 << 20);
    buffer_finish(&row);
    terminal_destroy(terminal);
}

TEST(ten_thousand_lines_take_little_more_than_their_text)
{
    struct terminal *terminal = make(120, 50, 10000);
    char text[140];

    for (int i = 0; i < 12000; i++) {
        (void)snprintf(text, sizeof text, "%0120d\r\n", i);
        feed(terminal, text);
    }
    CHECK(terminal_memory(terminal) < 1400u * 1024);
    terminal_destroy(terminal);
}

TEST_MAIN
