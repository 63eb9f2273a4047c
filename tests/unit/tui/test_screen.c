#include <stdlib.h>

#include "base/memory.h"
#include "test.h"
#include "tui/page.h"
#include "tui/screen.h"

#define FRAME(params) "{\"jsonrpc\":\"2.0\",\"method\":\"screen\",\"params\":{" params "}}"
#define FULL                                                                                                 \
    FRAME(                                                                                                   \
        "\"frame\":1,\"base\":0,\"more\":false,\"attempt\":1,\"cols\":6,\"rows\":3,"                         \
        "\"styles\":{\"7\":{\"fg\":\"#102030\",\"attr\":1}},"                                                \
        "\"lines\":[[0,[[7,1,\"ab\"],[0,2,\"漢\"]]],[1,[[0,1,\"second\"]],1],[2,[[0,-2,\"👩‍🚀\"]]]]" \
        ","                                                                                                  \
        "\"cursor\":[1,2,true,1,false],\"title\":\"t\"")

static int feed(struct screen *screen, const char *frame)
{
    char *line = xstrdup(frame);
    struct error error;
    int changed, result = screen_read(screen, line, strlen(line), &changed, &error);

    free(line);
    return result;
}

static void row(const struct screen *screen, int y, char *out)
{
    int used = 0;

    for (int x = 0; x < screen->cols; x++) {
        uint32_t glyph = screen->grid[y].cells[x].glyph;
        out[used++] = glyph == 0 ? '.' : glyph < 0x80 ? (char)glyph : '#';
    }
    out[used] = '\0';
}

TEST(a_full_frame)
{
    struct screen screen;
    char text[16];

    screen_init(&screen);
    CHECK_NUMBER(feed(&screen, FULL), 0);
    CHECK_NUMBER(screen.cols, 6);
    row(&screen, 0, text);
    CHECK_STRING(text, "ab#...");
    CHECK_NUMBER(screen.grid[0].cells[2].width, 2);
    CHECK_NUMBER(screen.styles[screen.grid[0].cells[0].style].foreground, FRAME_COLOR_RGB | 0x102030);
    CHECK_NUMBER(screen.styles[screen.grid[0].cells[0].style].attributes, STYLE_BOLD);
    CHECK(screen.grid[1].wrapped);
    CHECK_STRING(screen_cluster(&screen, screen.grid[2].cells[0].glyph), "👩‍🚀");
    CHECK_NUMBER(screen.cursor.y, 2);
    CHECK_STRING(screen.title, "t");
    screen_finish(&screen);
}

TEST(scrolls_and_lines_change_what_is_there)
{
    struct screen screen;
    char text[16];

    screen_init(&screen);
    CHECK_NUMBER(feed(&screen, FULL), 0);
    CHECK_NUMBER(
        feed(&screen, FRAME("\"frame\":2,\"base\":1,\"more\":false,\"attempt\":1,\"cols\":6,\"rows\":3,"
                            "\"scroll\":[0,3,1],\"lines\":[[2,[[0,1,\"new\"]]]]")),
        0);
    row(&screen, 0, text);
    CHECK_STRING(text, "second");
    row(&screen, 2, text);
    CHECK_STRING(text, "new...");
    CHECK_NUMBER(
        feed(&screen, FRAME("\"frame\":3,\"base\":2,\"more\":false,\"attempt\":1,\"cols\":6,\"rows\":3,"
                            "\"scroll\":[0,3,-2]")),
        0);
    row(&screen, 0, text);
    CHECK_STRING(text, "......");
    row(&screen, 2, text);
    CHECK_STRING(text, "second");
    screen_finish(&screen);
}

TEST(a_frame_on_another_base_is_refused)
{
    struct screen screen;
    char text[16];

    screen_init(&screen);
    CHECK_NUMBER(feed(&screen, FULL), 0);
    CHECK_NUMBER(
        feed(&screen, FRAME("\"frame\":9,\"base\":5,\"more\":false,\"attempt\":1,\"cols\":6,\"rows\":3,"
                            "\"lines\":[[0,[[0,1,\"no\"]]]]")),
        1);
    row(&screen, 0, text);
    CHECK_STRING(text, "ab#...");
    CHECK_NUMBER(feed(&screen, "{\"method\":\"screen\",\"params\":{\"frame\":\"x\"}}"), -1);
    screen_finish(&screen);
}

TEST(parts_of_one_frame)
{
    struct screen screen;
    char text[16];

    screen_init(&screen);
    CHECK_NUMBER(
        feed(&screen, FRAME("\"frame\":1,\"base\":0,\"more\":true,\"attempt\":1,\"cols\":4,\"rows\":2,"
                            "\"lines\":[[0,[[0,1,\"one\"]]]]")),
        0);
    CHECK(!screen.complete);
    CHECK_NUMBER(
        feed(&screen, FRAME("\"frame\":1,\"base\":0,\"more\":false,\"attempt\":1,\"cols\":4,\"rows\":2,"
                            "\"lines\":[[1,[[0,1,\"two\"]]]]")),
        0);
    CHECK(screen.complete);
    row(&screen, 0, text);
    CHECK_STRING(text, "one.");
    screen_finish(&screen);
}

TEST(clusters_no_longer_shown_are_dropped)
{
    struct screen screen;

    screen_init(&screen);
    CHECK_NUMBER(feed(&screen, FULL), 0);
    for (int i = 0; i < 20000; i++) {
        char frame[512];
        (void)snprintf(frame, sizeof frame,
                       FRAME("\"frame\":%d,\"base\":%d,\"more\":false,\"attempt\":1,\"cols\":6,\"rows\":3,"
                             "\"lines\":[[0,[[0,-1,\"%c\xCC%c\"]]]]"),
                       i + 2, i + 1, 'a' + i % 26, 0x80 + i / 26 % 60);
        CHECK_NUMBER(feed(&screen, frame), 0);
    }
    CHECK(screen.cluster_count < 5000);
    CHECK_STRING(screen_cluster(&screen, screen.grid[2].cells[0].glyph), "👩‍🚀");
    screen_finish(&screen);
}

TEST(a_stored_screen)
{
    json_t *stored =
        json_loads("{\"attempt\":2,\"cols\":4,\"rows\":1,\"styles\":{},\"lines\":[[0,[[0,1,\"last\"]]]],"
                   "\"cursor\":[0,0,true,1,true],\"title\":\"\"}",
                   0, NULL);
    struct screen screen;
    char text[16];

    screen_init(&screen);
    CHECK_NUMBER(screen_load(&screen, stored, NULL), 0);
    row(&screen, 0, text);
    CHECK_STRING(text, "last");
    json_decref(stored);
    screen_finish(&screen);
}

/* ---- pages of scrollback ---- */

TEST(lines_are_folded_and_copied_whole)
{
    json_t *answer = json_loads("{\"first\":3,\"end\":6,\"styles\":{\"1\":{\"fg\":2}},\"lines\":["
                                "[3,[[0,1,\"abcdefgh\"],[1,1,\"ij\"]]],[4,[]],[5,[[0,2,\"漢字漢\"]]]]}",
                                0, NULL);
    struct page *page = page_create(answer, 5);
    struct buffer text = {0};

    CHECK_NUMBER(page->screen.rows, 5);
    CHECK(page->screen.grid[0].wrapped);
    CHECK(!page->screen.grid[1].wrapped);
    CHECK_NUMBER(page->lines[1], 3);
    CHECK_NUMBER(page->lines[2], 4);
    CHECK_NUMBER(page->screen.styles[page->screen.grid[1].cells[4].style].foreground, 2);
    page_text(page, 0, 0, 5, false, &text);
    page_text(page, 1, 0, 5, true, &text);
    CHECK_STRING(text.bytes, "abcdefghij");
    buffer_clear(&text);
    page_text(page, 3, 0, 5, true, &text);
    page_text(page, 4, 0, 5, true, &text);
    CHECK_STRING(text.bytes, "漢字漢");
    buffer_finish(&text);
    page_destroy(page);
    json_decref(answer);
}

TEST(an_answer_of_another_shape_is_an_empty_page)
{
    json_t *answer = json_loads("{\"lines\":[[\"x\",7],4,[2,[[0,9,\"wide\"],[0]]]]}", 0, NULL);
    struct page *page = page_create(answer, 10);

    CHECK(page->screen.rows >= 0);
    page_destroy(page);
    page_destroy(page_create(NULL, 10));
    json_decref(answer);
}

TEST_MAIN
