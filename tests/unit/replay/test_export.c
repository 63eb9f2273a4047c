#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buffer.h"
#include "replay/export.h"
#include "replay/export_cast.h"
#include "replay/export_gzip.h"
#include "replay/export_page.h"
#include "scratch.h"
#include "test.h"

static const char header[] = "{\"version\":2,\"width\":40,\"height\":6,\"timestamp\":1763731200}\n";

TEST(the_format_is_known_by_name_and_by_suffix)
{
    CHECK(export_format_named("cast") == &export_cast);
    CHECK(export_format_named("text") == &export_text);
    CHECK(export_format_named("html") == &export_html);
    CHECK(export_format_named("htm") == NULL);
    CHECK(export_format_of("a/b.cast") == &export_cast);
    CHECK(export_format_of("a.cast.HTML") == &export_html);
    CHECK(export_format_of(".txt") == &export_text);
    CHECK(export_format_of("a.html/b") == NULL);
    CHECK(export_format_of("a.htm l") == NULL);
    CHECK(export_format_of("-") == NULL);
    CHECK(export_format_of("a.") == NULL);
}

TEST(text_cannot_be_markup)
{
    static const char hostile[] =
        "<a href=\"x\" b='y'>&`</script>-->\x01\x1b\x7f\xff\xe2\x80\xa8\xe2\x80\xae é\n\0.";
    struct buffer out;

    buffer_init(&out);
    export_page_escape(&out, hostile, sizeof hostile - 1);
    CHECK_STRING(out.bytes,
                 "&#60;a href=&#34;x&#34; b=&#39;y&#39;&#62;&#38;&#96;&#60;/script&#62;--&#62;"
                 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD é\n\xEF\xBF\xBD.");
    buffer_clear(&out);
    export_page_escape(&out, "\xe6\xbc", 2);
    CHECK_STRING(out.bytes, "\xEF\xBF\xBD");
    buffer_finish(&out);
}

TEST(the_page_holds_what_is_known_and_no_word_of_the_template)
{
    struct timeline_facts facts = {.name = "{page-script}",
                                   .agent = "claude",
                                   .started_s = 1763731200,
                                   .attempts = 2,
                                   .cols = 100,
                                   .rows = 30};
    struct buffer page;

    buffer_init(&page);
    export_page_begin(&page, &facts);
    CHECK(strstr(page.bytes, "<h1>{page-script}</h1>") != NULL);
    CHECK(
        strstr(page.bytes,
               "claude · <time datetime=\"2025-11-21T13:20:00Z\">2025-11-21 13:20 UTC</time> · 2 attempts · "
               "100×30") != NULL);
    CHECK(strstr(page.bytes, "script-src 'sha256-") != NULL);
    export_page_end(&page, true);
    CHECK(strstr(page.bytes, "{\"torn\":true}") != NULL);
    CHECK(strstr(page.bytes, "Apache License") != NULL);
    CHECK(strstr(page.bytes, "{page-style}") == NULL && strstr(page.bytes, "{recording}") == NULL);
    CHECK_STRING(page.bytes + page.length - 8, "</html>\n");
    facts.started_s = INT64_MAX;
    buffer_clear(&page);
    export_page_begin(&page, &facts);
    CHECK(strstr(page.bytes, "<time") == NULL);
    buffer_finish(&page);
}

TEST(what_is_compressed_piece_by_piece_is_one_gzip_file)
{
    struct gzip *gzip = gzip_create();
    struct buffer packed;
    size_t length = 300000;
    unsigned char *bytes = xmalloc(length), *back = xmalloc(length + 1);
    z_stream stream = {0};

    buffer_init(&packed);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)((i * i >> 7) ^ (i % 251));
    gzip_add(gzip, bytes, 0, 0, &packed);
    gzip_add(gzip, bytes, 1, 0, &packed);
    gzip_add(gzip, bytes + 1, 200000, 0, &packed);
    gzip_add(gzip, bytes + 200001, length - 200001, 1, &packed);
    gzip_destroy(gzip);
    CHECK_NUMBER(inflateInit2(&stream, 31), Z_OK);
    stream.next_in = (unsigned char *)packed.bytes;
    stream.avail_in = (unsigned)packed.length;
    stream.next_out = back;
    stream.avail_out = (unsigned)length + 1;
    CHECK_NUMBER(inflate(&stream, Z_FINISH), Z_STREAM_END);
    CHECK_NUMBER(stream.total_out, length);
    CHECK_NUMBER(stream.avail_in, 0);
    (void)inflateEnd(&stream);
    CHECK(memcmp(bytes, back, length) == 0);
    buffer_finish(&packed);
    free(bytes);
    free(back);
}

/* The lines that a file becomes as an asciicast, in `out`. */
static int to_cast(const char *lines, struct buffer *out)
{
    char *folder = scratch_folder(), *text = xasprintf("%s%s", header, lines);
    char *path = scratch_file(folder, "in.cast", text, strlen(text));
    struct error error;
    struct timeline *timeline = timeline_file(path, &error);
    struct timeline_event event;
    int got = -1;

    while (timeline != NULL && (got = timeline_next(timeline, &event, &error)) == 1)
        export_cast_event(out, timeline_facts(timeline), &event);
    timeline_destroy(timeline);
    free(path);
    free(text);
    free(folder);
    return got;
}

TEST(times_never_go_back_and_sizes_are_possible)
{
    struct buffer out;

    buffer_init(&out);
    CHECK_NUMBER(
        to_cast(
            "[2,\"o\",\"a\"]\n[1,\"o\",\"b\"]\n[-5,\"m\",\"c\"]\n[1e9,\"o\",\"d\"]\n[3,\"r\",\"50x9\"]\n"
            "[3,\"r\",\"99999999x1\"]\n[3,\"r\",\"0x5\"]\n[3,\"r\",\"5x5x\"]\n[3,\"r\",\"\"]\n[4,\"x\",\"1\"]"
            "\n",
            &out),
        0);
    CHECK_STRING(out.bytes, "[2.000000,\"o\",\"a\"]\n[2.000000,\"o\",\"b\"]\n[2.000000,\"m\",\"c\"]\n"
                            "[1000000000.000000,\"o\",\"d\"]\n[1000000000.000000,\"r\",\"50x9\"]\n");
    buffer_finish(&out);
}

/* Writes a file, and says what is in the folder then. */
TEST(a_file_is_there_whole_or_not_at_all)
{
    char *folder = scratch_folder(), *path = path_join(folder, "out"), *text;
    struct error error;
    struct export_file *file = export_file_create(path, false, &error);
    size_t length;

    CHECK(file != NULL);
    CHECK_NUMBER(export_file_write(file, "some", 4, &error), 0);
    CHECK(access(path, F_OK) < 0);
    export_file_discard(file);
    CHECK_NUMBER(rmdir(folder), 0);
    CHECK_NUMBER(path_make_dirs(folder, 0700, NULL), 0);

    file = export_file_create(path, false, &error);
    CHECK_NUMBER(export_file_write(file, "whole", 5, &error), 0);
    CHECK_NUMBER(export_file_finish(file, &error), 0);
    CHECK_NUMBER(path_read_file(path, 100, &text, &length, &error), 0);
    CHECK_STRING(text, "whole");
    free(text);
    CHECK(export_file_create(path, false, &error) == NULL);
    CHECK(strstr(error.text, "--force") != NULL);
    free(path);
    free(folder);
}

/* Somebody else makes the file meanwhile. */
TEST(what_appears_meanwhile_is_not_replaced)
{
    char *folder = scratch_folder(), *path = path_join(folder, "out"), *made, *text;
    struct error error;
    struct export_file *file = export_file_create(path, false, &error);
    size_t length;

    CHECK(file != NULL);
    made = scratch_file(folder, "out", "theirs", 6);
    CHECK_NUMBER(export_file_write(file, "ours", 4, &error), 0);
    CHECK_NUMBER(export_file_finish(file, &error), -1);
    CHECK(strstr(error.text, "exists") != NULL);
    CHECK_NUMBER(path_read_file(path, 100, &text, &length, &error), 0);
    CHECK_STRING(text, "theirs");
    CHECK_NUMBER(unlink(path), 0);
    CHECK_NUMBER(rmdir(folder), 0);
    free(text);
    free(made);
    free(path);
    free(folder);
}

TEST_MAIN
