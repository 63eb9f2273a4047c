#include "rpc/line.h"

#include <stdlib.h>

#include "base/memory.h"
#include "rpc/protocol.h"
#include "test.h"

static void feed(struct line_reader *reader, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t room;
        char *space = line_reader_space(reader, &room);
        size_t part = room < length ? room : length;
        memcpy(space, bytes, part);
        line_reader_added(reader, part);
        bytes += part;
        length -= part;
    }
}

TEST(lines_come_whole_however_they_are_cut)
{
    static const char text[] = "one\n\ntwo three\nfour";
    for (size_t step = 1; step < sizeof text; step++) {
        struct line_reader reader;
        char got[64] = "", *line;
        size_t length;

        line_reader_init(&reader);
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            feed(&reader, text + at, at + step < sizeof text ? step : sizeof text - 1 - at);
            while (line_reader_next(&reader, &line, &length) == LINE_COMPLETE) {
                CHECK_NUMBER(strlen(line), length);
                strncat(got, line, 20);
                strncat(got, "|", 2);
            }
        }
        CHECK_STRING(got, "one||two three|");
        line_reader_finish(&reader);
    }
}

TEST(longest_line_passes_and_one_more_byte_does_not)
{
    struct line_reader reader;
    char *long_line = xmalloc(RPC_LINE_MAX + 1), *line;
    size_t length;

    memset(long_line, 'x', RPC_LINE_MAX);
    line_reader_init(&reader);
    feed(&reader, long_line, RPC_LINE_MAX - 1);
    CHECK_NUMBER(line_reader_next(&reader, &line, &length), LINE_MORE);
    feed(&reader, "\n", 1);
    CHECK_NUMBER(line_reader_next(&reader, &line, &length), LINE_COMPLETE);
    CHECK_NUMBER(length, RPC_LINE_MAX - 1);
    long_line[RPC_LINE_MAX] = '\n';
    feed(&reader, long_line, RPC_LINE_MAX + 1);
    feed(&reader, "after\n", 6);
    CHECK_NUMBER(line_reader_next(&reader, &line, &length), LINE_TOO_LONG);
    CHECK_NUMBER(line_reader_next(&reader, &line, &length), LINE_COMPLETE);
    CHECK_STRING(line, "after");
    CHECK_NUMBER(line_reader_next(&reader, &line, &length), LINE_MORE);
    line_reader_finish(&reader);
    free(long_line);
}

TEST(two_mebibytes_are_reported_once_and_not_held)
{
    struct line_reader reader;
    char block[8192], *line;
    size_t length, reports = 0;

    memset(block, 'y', sizeof block);
    line_reader_init(&reader);
    for (int i = 0; i < 2 * RPC_LINE_MAX / (int)sizeof block; i++) {
        feed(&reader, block, sizeof block);
        reports += line_reader_next(&reader, &line, &length) == LINE_TOO_LONG;
        CHECK(reader.held.length < RPC_LINE_MAX);
    }
    CHECK_NUMBER(reports, 1);
    feed(&reader, "tail\nnext\n", 10);
    CHECK_NUMBER(line_reader_next(&reader, &line, &length), LINE_COMPLETE);
    CHECK_STRING(line, "next");
    line_reader_finish(&reader);
}

TEST_MAIN
