/* A drawing of a screen makes the same screen elsewhere, on which output goes on alike. */
#include <string.h>

#include "term/terminal.h"
#include "test.h"

#define COLS 20
#define ROWS 6

static const struct terminal_options options = {.cols = COLS, .rows = ROWS, .scrollback_lines = 100};

static void check_same(const struct terminal *first, const struct terminal *second)
{
    struct terminal_cursor a = terminal_cursor(first), b = terminal_cursor(second);
    struct buffer one = {0}, two = {0};

    terminal_ansi(first, &one);
    terminal_ansi(second, &two);
    buffer_append_char(&one, '\0');
    buffer_append_char(&two, '\0');
    CHECK_STRING(one.bytes, two.bytes);
    CHECK_NUMBER(a.x, b.x);
    CHECK_NUMBER(a.y, b.y);
    CHECK_NUMBER(a.visible, b.visible);
    CHECK_NUMBER(a.shape, b.shape);
    CHECK_NUMBER(terminal_modes(first).alternate_screen, terminal_modes(second).alternate_screen);
    CHECK_STRING(terminal_title(first), terminal_title(second));
    buffer_finish(&one);
    buffer_finish(&two);
}

/* `before` is drawn, `after` goes on. */
static void check(const char *before, const char *after)
{
    struct terminal *first = terminal_create(&options), *second = terminal_create(&options);
    struct buffer drawing = {0};

    terminal_write(first, before, strlen(before));
    CHECK(terminal_at_ground(first));
    terminal_drawing(first, &drawing);
    terminal_write(second, drawing.bytes, drawing.length);
    check_same(first, second);
    terminal_write(first, after, strlen(after));
    terminal_write(second, after, strlen(after));
    check_same(first, second);
    buffer_finish(&drawing);
    terminal_destroy(first);
    terminal_destroy(second);
}

TEST(text_colours_and_cursor)
{
    check(
        "one\r\n\033[1;38;2;1;2;3mtwo \xe6\xbc\xa2\xe5\xad\x97\033[m\r\n\033[48;5;17m\033[K\033[4;7Hx\033[7m",
        "y\r\nz");
    check("\033]2;a title\033\\\033[?25l\033[4 qtext", "\033[?25hmore");
    check("", "first");
    check("\033]8;;https://example.org\033\\link\033]8;;\033\\ end", " and on");
}

TEST(a_row_that_is_full_wraps_with_the_next_glyph)
{
    check("01234567890123456789", "next");
    check("012345678901234567\xe6\xbc\xa2", "next");
    check("\033[6;1H0123456789012345678\033[31mX", "next");
}

TEST(both_screens)
{
    check("primary\r\nline\033[32m\033[?1049h\033[Halternate\033[3;3H", "here\033[?1049lback");
    check("\033[2;5H\033[31m\0337\033[5;1H\033[m", "a\0338b");
    check("p\033[?1049h\033[3;3H\0337\033[HX", "a\0338b\033[?1049lc");
}

TEST(margins_modes_and_tab_stops)
{
    check("1\r\n2\r\n3\r\n4\r\n5\r\n6\033[2;4r\033[4;1H", "a\r\nb\r\nc");
    check("1\r\n2\r\n3\r\n4\033[2;4r\033[?6h\033[2;2H", "a\033[1;1Hb\r\n\n\nc");
    check("\033[3g\033[5G\033H\033[11G\033H\r", "\tx\ty\tz");
    check("abc\033[4h\r", "x");
    check("\033[?7l\033[18G", "wide text");
    check("\033(0qqq", "lqk\033(Bq");
}

TEST_MAIN
