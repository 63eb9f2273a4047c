/* What is reported as changed is enough to keep a copy of the screen. */
#include <stdlib.h>

#include "test.h"

#include "tests/term/terminal_check.h"

static struct terminal *make(int cols, int rows)
{
    struct terminal_options options = {.cols = cols, .rows = rows, .scrollback_lines = 50};

    return terminal_create(&options);
}

static void feed(struct terminal *terminal, const char *text)
{
    terminal_write(terminal, text, strlen(text));
}

static int changed_rows(const struct terminal *terminal, uint64_t since)
{
    int count = 0;

    for (int y = 0; y < terminal_rows(terminal); y++)
        count += terminal_row_changed(terminal, y, since);
    return count;
}

TEST(one_row)
{
    struct terminal *terminal = make(20, 5);
    uint64_t version = terminal_version(terminal);

    CHECK_NUMBER(changed_rows(terminal, version), 0);
    feed(terminal, "\033[3;1Hx");
    CHECK(terminal_version(terminal) > version);
    CHECK_NUMBER(changed_rows(terminal, version), 1);
    CHECK(terminal_row_changed(terminal, 2, version));
    terminal_destroy(terminal);
}

TEST(only_what_can_be_seen_counts)
{
    struct terminal *terminal = make(20, 5);
    uint64_t version = terminal_version(terminal);

    feed(terminal, "\033[c\033]7501;?\a\033[6n");
    CHECK_NUMBER(terminal_version(terminal), version);
    feed(terminal, "\033[2;2H");
    CHECK(terminal_version(terminal) > version);
    CHECK_NUMBER(changed_rows(terminal, version), 0);
    version = terminal_version(terminal);
    feed(terminal, "\033[?25l");
    CHECK(terminal_version(terminal) > version);
    terminal_destroy(terminal);
}

TEST(a_scroll_changes_one_row)
{
    struct terminal *terminal = make(20, 5);
    struct terminal_scroll scroll;
    uint64_t version;

    feed(terminal, "1\r\n2\r\n3\r\n4\r\n5");
    version = terminal_version(terminal);
    CHECK(!terminal_scrolled(terminal, version, &scroll));
    feed(terminal, "\r\n6");
    CHECK(terminal_scrolled(terminal, version, &scroll));
    CHECK_NUMBER(scroll.n, 1);
    CHECK_NUMBER(scroll.bottom - scroll.top, 5);
    CHECK_NUMBER(changed_rows(terminal, version), 1);
    feed(terminal, "\r\n7");
    CHECK(terminal_scrolled(terminal, version, &scroll));
    CHECK_NUMBER(scroll.n, 2);
    CHECK_NUMBER(changed_rows(terminal, version), 2);
    terminal_destroy(terminal);
}

TEST(scrolls_of_two_regions_cannot_be_told)
{
    struct terminal *terminal = make(20, 5);
    struct terminal_scroll scroll;
    uint64_t version;

    feed(terminal, "1\r\n2\r\n3\r\n4\r\n5");
    version = terminal_version(terminal);
    feed(terminal, "\033[2;4r\033[4;1H\n\033[r\033[5;1H\n");
    CHECK(!terminal_scrolled(terminal, version, &scroll));
    CHECK_NUMBER(changed_rows(terminal, version), 5);
    terminal_destroy(terminal);
}

TEST(scrolls_too_many_to_remember_cannot_be_told)
{
    struct terminal *terminal = make(20, 6);
    struct terminal_scroll scroll;
    uint64_t version = terminal_version(terminal);

    feed(terminal, "\033[1;3r\033[3;1H\n\033[4;6r");
    for (int i = 0; i < 101; i++)
        feed(terminal, i % 2 == 0 ? "\033[6;1H\n" : "\033[4;1H\033M");
    CHECK(!terminal_scrolled(terminal, version, &scroll));
    CHECK(terminal_row_changed(terminal, 0, version));
    terminal_destroy(terminal);
}

TEST(down_in_a_region)
{
    struct terminal *terminal = make(20, 5);
    struct terminal_scroll scroll;
    uint64_t version;

    feed(terminal, "1\r\n2\r\n3\r\n4\r\n5");
    version = terminal_version(terminal);
    feed(terminal, "\033[2;4r\033[2;1H\033M");
    CHECK(terminal_scrolled(terminal, version, &scroll));
    CHECK_NUMBER(scroll.n, -1);
    CHECK_NUMBER(scroll.top, 1);
    CHECK_NUMBER(scroll.bottom, 4);
    CHECK_NUMBER(changed_rows(terminal, version), 1);
    terminal_destroy(terminal);
}

TEST(a_mirror_follows_random_output)
{
    static const char *const pieces[] = {"word ",
                                         "\r\n",
                                         "\n",
                                         "\033M",
                                         "\033[2;4r",
                                         "\033[r",
                                         "\033[H",
                                         "\033[5;3H",
                                         "\033[L",
                                         "\033[2M",
                                         "\033[J",
                                         "\033[K",
                                         "\033[3S",
                                         "\033[2T",
                                         "\033[31m",
                                         "\xE4\xB8\xAD",
                                         "e\xCC\x81",
                                         "\033[?1049h",
                                         "\033[?1049l",
                                         "\033c",
                                         "\033[2P",
                                         "\033[@",
                                         "0123456789012345678901234567890"};
    struct terminal *terminal = make(20, 6);
    struct mirror mirror = {0};
    const char *wrong = NULL;

    srand(5);
    for (int i = 0; i < 20000 && wrong == NULL; i++) {
        for (int j = rand() % 4; j >= 0; j--)
            feed(terminal, pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)]);
        if (rand() % 200 == 0)
            terminal_resize(terminal, 10 + rand() % 20, 3 + rand() % 8);
        if (rand() % 3 == 0)
            wrong = mirror_update(&mirror, terminal);
    }
    mirror_finish(&mirror);
    terminal_destroy(terminal);
    CHECK_STRING(wrong == NULL ? "" : wrong, "");
}

TEST(many_styles_start_a_new_epoch_and_stay_right)
{
    struct terminal *terminal = make(20, 6);
    uint64_t epoch = terminal_epoch(terminal);
    char text[96];

    feed(terminal, "\033[38;2;1;2;3m\033]8;;http://x/\033\\first e\xCC\x81\033]8;;\033\\\033[m");
    for (int i = 0; i < 30000; i++) {
        (void)snprintf(text, sizeof text,
                       "\033[2;1H\033[38;2;%d;%d;7mx\033]8;;http://%d/\033\\y\033]8;;\033\\", i / 250,
                       i % 250, i);
        feed(terminal, text);
    }
    CHECK(terminal_epoch(terminal) != epoch);
    CHECK_NUMBER(terminal_style(terminal, terminal_row(terminal, 0)[0].style).foreground,
                 COLOR_RGB | 0x010203);
    CHECK_STRING(terminal_link(terminal, terminal_style(terminal, terminal_row(terminal, 0)[0].style).link),
                 "http://x/");
    CHECK_STRING(terminal_link(terminal, terminal_style(terminal, terminal_row(terminal, 1)[1].style).link),
                 "http://29999/");
    CHECK(terminal_memory(terminal) < (size_t)1 << 20);
    terminal_destroy(terminal);
}

TEST_MAIN
