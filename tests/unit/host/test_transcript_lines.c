#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/transcript.h"
#include "scratch.h"
#include "term/transcript_lines.h"
#include "test.h"

static struct terminal *make(int cols, int rows)
{
    static const struct terminal_calls none = {0};

    return terminal_create(
        &(struct terminal_options){.cols = cols, .rows = rows, .scrollback_lines = 100, .calls = &none});
}

static void print(struct terminal *terminal, const char *text)
{
    terminal_write(terminal, text, strlen(text));
}

/* What the next taking gives, compared and forgotten. */
static void takes(struct transcript_lines *lines, const struct terminal *terminal, bool last,
                  const char *wanted)
{
    struct buffer out;

    buffer_init(&out);
    buffer_append(&out, "", 0);
    transcript_lines_take(lines, terminal, last, &out);
    buffer_append_char(&out, '\0');
    CHECK_STRING(out.bytes, wanted);
    buffer_finish(&out);
}

static void resize(struct transcript_lines *lines, struct terminal *terminal, int cols, int rows)
{
    terminal_resize(terminal, cols, rows);
    transcript_lines_resized(lines, terminal);
}

TEST(lines_that_come_back_are_written_once)
{
    struct terminal *terminal = make(20, 2);
    struct transcript_lines lines = {0};

    print(terminal, "one\r\ntwo\r\nthree\r\nfour\r\nfive");
    takes(&lines, terminal, false, "one\ntwo\n");
    takes(&lines, terminal, false, "");
    resize(&lines, terminal, 20, 5);
    takes(&lines, terminal, false, "");
    resize(&lines, terminal, 20, 2);
    print(terminal, "\r\nsix");
    takes(&lines, terminal, false, "three\n");
    takes(&lines, terminal, true, "four\nfive\nsix\n");
    terminal_destroy(terminal);
}

TEST(the_last_screen_leaves_out_what_was_written)
{
    struct terminal *terminal = make(20, 2);
    struct transcript_lines lines = {0};

    print(terminal, "one\r\ntwo\r\nthree\r\nfour\r\nfive");
    takes(&lines, terminal, false, "one\ntwo\n");
    resize(&lines, terminal, 20, 5);
    takes(&lines, terminal, true, "three\nfour\nfive\n");
    terminal_destroy(terminal);
}

TEST(what_is_drawn_in_their_place_is_written)
{
    struct terminal *terminal = make(20, 2);
    struct transcript_lines lines = {0};

    print(terminal, "one\r\ntwo\r\nthree\r\nfour\r\nfive");
    takes(&lines, terminal, false, "one\ntwo\n");
    resize(&lines, terminal, 20, 5);
    print(terminal, "\033[2;1Hother\033[K\033[5;1H\r\nsix\r\nseven\r\neight");
    takes(&lines, terminal, false, "other\n");
    takes(&lines, terminal, true, "three\nfour\nfive\nsix\nseven\neight\n");
    terminal_destroy(terminal);
}

TEST(a_line_is_whole_whatever_part_of_it_left_the_screen)
{
    struct terminal *terminal = make(10, 2);
    struct transcript_lines lines = {0};

    print(terminal, "first\r\n0123456789abcdefghij  klm");
    takes(&lines, terminal, false, "first\n");
    takes(&lines, terminal, true, "0123456789abcdefghij  klm\n");
    terminal_destroy(terminal);
}

TEST(another_host_reads_the_newest_lines_back)
{
    char *path = scratch_folder();
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct terminal *terminal = make(20, 2);
    struct transcript_file file;
    struct transcript_lines lines = {0};

    CHECK_NUMBER(transcript_open(&file, folder), 0);
    CHECK_NUMBER(transcript_append(&file, "one\ntwo\n", 8, 1, 2), 0);
    transcript_close(&file);
    print(terminal, "one\r\ntwo\r\nthree\r\nfour");
    terminal_resize(terminal, 20, 4);
    transcript_resume(&lines, folder, 2, terminal);
    takes(&lines, terminal, true, "three\nfour\n");
    close(folder);
    free(path);
    terminal_destroy(terminal);
}

TEST_MAIN
