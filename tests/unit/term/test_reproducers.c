/*
 * Byte sequences that crash or hang libvterm 0.1.4 when it is fed raw output. Each must leave a valid screen, and what
 * comes after it must be drawn where it belongs.
 */
#include <stdlib.h>

#include "test.h"

#include "base/memory.h"
#include "term/terminal.h"

static struct terminal *make(int cols, int rows)
{
    struct terminal_options options = {.cols = cols, .rows = rows, .scrollback_lines = 100};

    return terminal_create(&options);
}

static void feed(struct terminal *terminal, const char *text)
{
    terminal_write(terminal, text, strlen(text));
}

/* The text of the screen with rows separated by '|', valid until the next call. */
static const char *screen(const struct terminal *terminal)
{
    static struct buffer text;

    buffer_clear(&text);
    terminal_text(terminal, &text);
    for (size_t i = 0; i < text.length; i++)
        if (text.bytes[i] == '\n')
            text.bytes[i] = '|';
    return text.bytes;
}

static uint32_t foreground(const struct terminal *terminal, int x, int y)
{
    return terminal_style(terminal, terminal_row(terminal, y)[x].style).foreground;
}

TEST(sgr_with_more_than_16_parameters)
{
    struct terminal *terminal = make(10, 2);

    feed(terminal, "\033[38:2:59:66:97;48:2:36:40:59;58:2:224:175:104;4:3mX");
    CHECK_STRING(screen(terminal), "X||");
    CHECK_NUMBER(foreground(terminal, 0, 0), COLOR_RGB | 59 << 16 | 66 << 8 | 97);
    CHECK_NUMBER(terminal_style(terminal, terminal_row(terminal, 0)[0].style).underline_color,
                 COLOR_RGB | 224 << 16 | 175 << 8 | 104);
    CHECK_NUMBER(terminal_style(terminal, terminal_row(terminal, 0)[0].style).underline, 3);
    terminal_destroy(terminal);
}

TEST(repeat_with_nothing_before)
{
    struct terminal *terminal = make(10, 2);

    feed(terminal, "\033[5bX\033[3b\033[99999999999999b");
    CHECK_STRING(screen(terminal), "XXXXXXXXXX|XXXX|");
    terminal_destroy(terminal);
}

TEST(c1_control_in_utf8)
{
    struct terminal *terminal = make(10, 2);

    feed(terminal, "\xC2\x85\033[KX");
    CHECK_STRING(screen(terminal), "X||");
    terminal_destroy(terminal);
}

TEST(fifty_combining_marks)
{
    struct terminal *terminal = make(10, 2);
    size_t length;

    feed(terminal, "\xE3\x81\x8B");
    for (int i = 0; i < 50; i++)
        feed(terminal, "\xE3\x82\x99");
    feed(terminal, "X");
    CHECK_NUMBER(terminal_row(terminal, 0)[0].width, 2);
    (void)terminal_cluster(terminal, terminal_row(terminal, 0)[0].glyph, &length);
    CHECK(length > 3 && length <= 64);
    CHECK_NUMBER(terminal_row(terminal, 0)[2].glyph, 'X');
    terminal_destroy(terminal);
}

TEST(home_then_fewer_rows)
{
    struct terminal *terminal = make(10, 6);

    feed(terminal, "a\r\nb\r\nc\r\nd\r\ne\r\nf\033[H");
    terminal_resize(terminal, 10, 3);
    feed(terminal, "X");
    CHECK_STRING(screen(terminal), "X|b|c|");
    terminal_destroy(terminal);
}

TEST(saved_cursor_outside)
{
    struct terminal *terminal = make(40, 10);

    feed(terminal, "\033[5;20H\0337");
    terminal_resize(terminal, 10, 3);
    feed(terminal, "\0338X");
    CHECK_STRING(screen(terminal), "||         X|");
    terminal_destroy(terminal);
}

TEST(margins_then_fewer_rows)
{
    struct terminal *terminal = make(10, 6);

    feed(terminal, "\033[4;5r");
    terminal_resize(terminal, 10, 2);
    feed(terminal, "a\033[3SX");
    CHECK_STRING(screen(terminal), " X||");
    terminal_destroy(terminal);
}

TEST(wide_glyph_on_one_column)
{
    struct terminal *terminal = make(1, 1);

    CHECK_NUMBER(terminal_cols(terminal), 2);
    feed(terminal, "\xE4\xB8\xAD");
    terminal_resize(terminal, 1, 1);
    feed(terminal, "\xE4\xB8\xAD\xE4\xB8\xAD");
    CHECK_STRING(screen(terminal), "中|中|");
    terminal_destroy(terminal);
}

TEST(string_ended_in_the_next_write)
{
    struct terminal *terminal = make(10, 2);

    feed(terminal, "\033]9;abc\033");
    CHECK(!terminal_at_ground(terminal));
    feed(terminal, "\\X");
    CHECK(terminal_at_ground(terminal));
    CHECK_STRING(screen(terminal), "X||");
    terminal_destroy(terminal);
}

TEST(utf8_broken_off_between_writes)
{
    struct terminal *terminal = make(10, 2);

    feed(terminal, "\xC3");
    feed(terminal, "A");
    CHECK_STRING(screen(terminal), "\xEF\xBF\xBD"
                                   "A||");
    terminal_destroy(terminal);
}

TEST(one_write_of_four_megabytes)
{
    struct terminal *terminal = make(80, 24);
    size_t length = (size_t)4 << 20;
    char *bytes = xmalloc(length);

    memset(bytes, 'x', length);
    terminal_write(terminal, bytes, length);
    CHECK_NUMBER(terminal_row(terminal, 0)[79].glyph, 'x');
    memset(bytes, 0xC3, length);
    terminal_write(terminal, bytes, length);
    free(bytes);
    terminal_destroy(terminal);
}

TEST_MAIN
