/* What is drawn goes through a terminal again, which must show the same. */
#include <stdlib.h>

#include "replay/canvas.h"
#include "replay/keys.h"
#include "replay/screen_row.h"
#include "replay/screen_status.h"
#include "replay/view.h"
#include "term/terminal.h"
#include "test.h"

static struct terminal *terminal(int cols, int rows)
{
    struct terminal_options options = {.cols = cols, .rows = rows, .scrollback_lines = 10};

    return terminal_create(&options);
}

static void write_text(struct terminal *to, const char *text)
{
    terminal_write(to, text, strlen(text));
}

/* Draws a row of `from`, cut, onto the first row of another terminal and gives that one's text, allocated. */
static char *drawn(const struct terminal *from, int y, struct row_look look)
{
    struct terminal *to = terminal(look.width, 2);
    struct buffer bytes, text;

    buffer_init(&bytes);
    buffer_init(&text);
    write_text(to, "\033[?7lxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\033[1;1H");
    row_draw(&bytes, from, y, &look);
    terminal_write(to, bytes.bytes, bytes.length);
    terminal_row_text(to, 0, &text);
    terminal_destroy(to);
    buffer_finish(&bytes);
    return buffer_steal(&text);
}

TEST(rows_are_cut_at_both_sides_and_wide_characters_never_halved)
{
    static const struct {
        int left, width;
        const char *expected;
    } cases[] = {{0, 20, "ab一二👩‍💻c\n"},
                 {0, 3, "ab\n"},
                 {0, 4, "ab一\n"},
                 {3, 4, " 二\n"},
                 {4, 5, "二👩‍💻c\n"},
                 {2, 20, "一二👩‍💻c\n"},
                 {30, 5, "\n"}};
    struct terminal *from = terminal(20, 2);

    write_text(from, "ab一二👩‍💻c");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct row_look look = {.depth = DEPTH_RGB, .left = cases[i].left, .width = cases[i].width};
        char *text = drawn(from, 0, look);
        bool same = strcmp(text, cases[i].expected) == 0;
        if (!same)
            printf("# case %zu: %s\n", i, text);
        free(text);
        CHECK(same);
    }
    terminal_destroy(from);
}

TEST(styles_survive_in_the_colours_there_are)
{
    static const struct {
        enum color_depth depth;
        const char *expected;
    } cases[] = {{DEPTH_RGB, "\033[0;1;38;2;255;0;0;44mx\033[0m\033[K"},
                 {DEPTH_256, "\033[0;1;38;5;196;44mx\033[0m\033[K"},
                 {DEPTH_16, "\033[0;1;91;44mx\033[0m\033[K"},
                 {DEPTH_NONE, "\033[0;1mx\033[0m\033[K"}};
    struct terminal *from = terminal(20, 2);

    write_text(from, "\033[1;38;2;255;0;0;44mx");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct row_look look = {.depth = cases[i].depth, .width = 20};
        struct buffer out;
        buffer_init(&out);
        row_draw(&out, from, 0, &look);
        CHECK_STRING(out.bytes, cases[i].expected);
        buffer_finish(&out);
    }
    terminal_destroy(from);
}

TEST(depth_of_colour_by_environment)
{
    CHECK_NUMBER(color_depth(NULL, "truecolor", "xterm"), DEPTH_RGB);
    CHECK_NUMBER(color_depth("1", "truecolor", "xterm"), DEPTH_NONE);
    CHECK_NUMBER(color_depth("", NULL, "xterm-256color"), DEPTH_256);
    CHECK_NUMBER(color_depth(NULL, NULL, "linux"), DEPTH_16);
    CHECK_NUMBER(color_depth(NULL, NULL, "vt100"), DEPTH_NONE);
    CHECK_NUMBER(color_depth(NULL, NULL, NULL), DEPTH_16);
}

TEST(matches_are_reversed)
{
    struct terminal *from = terminal(20, 2);
    struct search search;
    struct row_look look = {.depth = DEPTH_NONE, .width = 20, .search = &search};
    struct buffer out;

    buffer_init(&out);
    search_init(&search, "ab");
    write_text(from, "xABx ab");
    row_draw(&out, from, 0, &look);
    CHECK_STRING(out.bytes, "\033[0mx\033[0;7mAB\033[0mx \033[0;7mab\033[0m\033[K");
    search_finish(&search);
    buffer_finish(&out);
    terminal_destroy(from);
}

/* A status row of any width fills no more than that, also with hostile text in it. */
TEST(the_status_row_fits)
{
    struct markers markers = {0};
    const char *label = "approval: \033]0;x\a一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十";
    struct status status = {
        .state = "playing", .position = 59, .total = 7200, .speed = 1, .markers = &markers, .event = 9};

    markers_add(&markers, 3, 60, label, strlen(label));
    for (int width = 1; width < 130; width++) {
        struct status_look look = {.depth = DEPTH_NONE, .width = width};
        struct terminal *to = terminal(width < 2 ? 2 : width, 2);
        struct buffer out, text;
        buffer_init(&out);
        buffer_init(&text);
        status.notice = width % 3 == 0 ? "a notice that is longer than some terminals are wide" : NULL;
        status.prompt = width % 5 == 0 ? "search: " : NULL;
        status.answer = "一二三四五六七八九十 what was typed";
        CHECK(status_draw(&out, &status, &look) < width);
        terminal_write(to, out.bytes, out.length);
        terminal_row_text(to, 1, &text);
        CHECK_STRING(text.bytes, "\n");
        buffer_clear(&out);
        for (int row = 0; row <= status_help_rows(width); row++)
            status_help_row(&out, row, &look);
        CHECK(out.length > 0);
        buffer_finish(&out);
        buffer_finish(&text);
        terminal_destroy(to);
    }
    markers_finish(&markers);
}

TEST(the_canvas_sends_what_differs)
{
    struct canvas canvas = {.rows = NULL};
    struct buffer row;

    buffer_init(&row);
    canvas_reset(&canvas, 10, 2);
    buffer_append_string(&row, "one");
    canvas_row(&canvas, 0, &row);
    canvas_cursor(&canvas, -1, 0);
    CHECK(strstr(canvas_frame(&canvas)->bytes, "one") != NULL);
    canvas_row(&canvas, 0, &row);
    canvas_cursor(&canvas, -1, 0);
    CHECK_NUMBER(canvas_frame(&canvas)->length, 0);
    canvas_cursor(&canvas, 3, 1);
    CHECK_STRING(canvas_frame(&canvas)->bytes, "\033[?2026h\033[?25l\033[0m\033[2;4H\033[?25h\033[?2026l");
    canvas_cursor(&canvas, 3, 1);
    CHECK_NUMBER(canvas_frame(&canvas)->length, 0);
    canvas_finish(&canvas);
    buffer_finish(&row);
}

TEST(a_small_view_follows_the_cursor_until_it_is_moved)
{
    struct view view = {.width = 40, .height = 10};

    view_follow(&view, 80, 24, 0, 23);
    CHECK_NUMBER(view.top, 14);
    CHECK_NUMBER(view.left, 0);
    view_follow(&view, 80, 24, 60, 20);
    CHECK_NUMBER(view.top, 14);
    CHECK_NUMBER(view.left, 21);
    view_follow(&view, 80, 24, 5, 0);
    CHECK_NUMBER(view.top, 0);
    CHECK_NUMBER(view.left, 0);
    CHECK(view_pan(&view, 80, 24, 1, 0));
    CHECK_NUMBER(view.left, 20);
    CHECK(view_pan(&view, 80, 24, 1, 1));
    CHECK(view_pan(&view, 80, 24, 1, 1));
    CHECK(view_pan(&view, 80, 24, 1, 1));
    CHECK_NUMBER(view.left, 40);
    CHECK_NUMBER(view.top, 14);
    view_follow(&view, 80, 24, 5, 0);
    CHECK_NUMBER(view.left, 40);
    view_follow(&view, 30, 5, 5, 0);
    CHECK_NUMBER(view.left, 0);
    CHECK_NUMBER(view.top, 0);
    CHECK(!view_pan(&view, 30, 5, 1, 1));
}

TEST_MAIN
