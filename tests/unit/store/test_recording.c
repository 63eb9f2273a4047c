#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "scratch.h"
#include "store/recording.h"
#include "test.h"

/* A reader over text, which is written to a file first. */
static struct recording_reader *reader_over(const char *text, size_t length, uint64_t offset,
                                            struct error *error)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "a.cast", text, length);
    int file = open(path, O_RDONLY | O_CLOEXEC);

    free(path);
    free(folder);
    return recording_reader_file(file, offset, 0, error);
}

#define HEADER "{\"version\": 2, \"width\": 100, \"height\": 30}\n"

TEST(output_is_one_json_line)
{
    struct buffer out = {0};

    CHECK_NUMBER(recording_encode_output(&out, 1234567890, "a\"b\\c\n\033[0m\x7F", 11, 0), 11);
    CHECK_STRING(out.bytes, "[1.234567,\"o\",\"a\\\"b\\\\c\\n\\u001b[0m\x7F\"]\n");
    buffer_finish(&out);
}

TEST(unfinished_sequence_waits_and_invalid_bytes_are_replaced)
{
    struct buffer out = {0};

    CHECK_NUMBER(recording_encode_output(&out, 0, "\xE2\x82", 2, 0), 0);
    CHECK_NUMBER(out.length, 0);
    CHECK_NUMBER(recording_encode_output(&out, 0, "x\xE2\x82", 3, 0), 1);
    CHECK_STRING(out.bytes, "[0.000000,\"o\",\"x\"]\n");
    buffer_clear(&out);
    CHECK_NUMBER(recording_encode_output(&out, 0, "\xE2\x82", 2, 1), 2);
    CHECK_STRING(out.bytes, "[0.000000,\"o\",\"\xEF\xBF\xBD\"]\n");
    buffer_clear(&out);
    CHECK_NUMBER(recording_encode_output(&out, 0, "\xFF\xC3(\xF0\x9F\x99\x82", 7, 0), 7);
    CHECK_STRING(out.bytes, "[0.000000,\"o\",\"\xEF\xBF\xBD\xEF\xBF\xBD(\xF0\x9F\x99\x82\"]\n");
    buffer_clear(&out);
    CHECK_NUMBER(recording_encode_output(&out, 0, "", 0, 1), 0);
    CHECK_NUMBER(out.length, 0);
    buffer_finish(&out);
}

/* What must come out, by the plainest means. */
static void replace_invalid(struct buffer *out, const char *bytes, size_t length)
{
    uint32_t code;

    while (length > 0) {
        int used = utf8_decode(bytes, length, &code);
        size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length;
        buffer_append(out, used > 0 ? bytes : "\xEF\xBF\xBD", used > 0 ? taken : 3);
        bytes += taken;
        length -= taken;
    }
}

static void random_bytes(char *bytes, size_t length)
{
    static const char *const pieces[] = {"plain text ", "\033[38;5;1m", "\xE6\xBC\xA2", "\xF0\x9F\x99\x82",
                                         "\xC3",        "\xFF",         "\"",           "\\",
                                         "\r\n",        "\x7F"};

    for (size_t at = 0; at < length;) {
        const char *piece = pieces[(size_t)rand() % 10];
        size_t size = strlen(piece);
        if (rand() % 4 == 0) {
            bytes[at++] = (char)rand();
        } else if (at + size <= length) {
            memcpy(bytes + at, piece, size);
            at += size;
        } else {
            bytes[at++] = 'x';
        }
    }
}

TEST(what_is_encoded_is_read_back)
{
    char bytes[20000];
    struct recording_event event;
    struct error error;

    srand(7);
    for (int round = 0; round < 60; round++) {
        size_t length = 1 + (size_t)rand() % sizeof bytes;
        struct buffer out = {0}, expected = {0};
        struct recording_reader *reader;
        json_t *line;
        random_bytes(bytes, length);
        replace_invalid(&expected, bytes, length);
        recording_encode_header(&out, 1, 1, 0, NULL, NULL);
        size_t header = out.length;
        CHECK_NUMBER(recording_encode_output(&out, 5, bytes, length, 1), length);
        line = json_loadb(out.bytes + header, out.length - header, JSON_ALLOW_NUL, NULL);
        CHECK(line != NULL);
        CHECK_NUMBER(json_string_length(json_array_get(line, 2)), expected.length);
        json_decref(line);
        reader = reader_over(out.bytes, out.length, 0, &error);
        CHECK(reader != NULL);
        CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
        CHECK_NUMBER(event.length, expected.length);
        CHECK(memcmp(event.text, expected.bytes, expected.length) == 0);
        CHECK_NUMBER(event.next_offset, out.length);
        CHECK_NUMBER(recording_reader_next(reader, &event, &error), 0);
        recording_reader_destroy(reader);
        buffer_finish(&out);
        buffer_finish(&expected);
    }
}

TEST(header_resize_and_marker)
{
    struct buffer out = {0};
    json_t *header;

    recording_encode_header(&out, 120, 40, 1732161600999, "claude \"x\"", "t\xFF");
    header = json_loads(out.bytes, 0, NULL);
    CHECK(header != NULL);
    CHECK_NUMBER(json_integer_value(json_object_get(header, "timestamp")), 1732161600);
    CHECK_STRING(json_string_value(json_object_get(header, "command")), "claude \"x\"");
    CHECK_STRING(json_string_value(json_object_get(header, "title")), "t\xEF\xBF\xBD");
    json_decref(header);
    buffer_clear(&out);
    recording_encode_resize(&out, 61000000000, 80, 24);
    recording_encode_marker(&out, -5, "phase \"idle\"");
    CHECK_STRING(out.bytes, "[61.000000,\"r\",\"80x24\"]\n[0.000000,\"m\",\"phase \\\"idle\\\"\"]\n");
    buffer_finish(&out);
}

TEST_MAIN
