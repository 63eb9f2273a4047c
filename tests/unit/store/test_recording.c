#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "scratch.h"
#include "store/line_file.h"
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
    return recording_reader_create(file, offset, 0, error);
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

TEST(foreign_recordings_are_read)
{
    static const char text[] = HEADER "[ 0.5 , \"o\" ,\t\"\\u00e9\\ud83d\\ude42\\ud83d!\\/\\b\" ]\r\n"
                                      "[1e1,\"i\",\"k\"]\n"
                                      "[2,\"x\",\"other\"]\n"
                                      "[\"3\",\"o\",\"no\"]\n"
                                      "[3,\"o\",7]\n"
                                      "{\"a\":1}\n"
                                      "\n"
                                      "[3,\"o\",\"bad \\q\"]\n"
                                      "[3,\"o\",\"bad \\u12\"]\n"
                                      "[-4,\"m\",\"\"]\n"
                                      "[1e999,\"r\",\"9x9\"]\n"
                                      "[5,\"o\",\"to";
    struct recording_event event;
    struct error error;
    struct recording_reader *reader = reader_over(text, sizeof text - 1, 0, &error);
    int cols, rows;

    CHECK(reader != NULL);
    recording_reader_size(reader, &cols, &rows);
    CHECK_NUMBER(cols, 100);
    CHECK_NUMBER(rows, 30);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_STRING(event.text, "\xC3\xA9\xF0\x9F\x99\x82\xEF\xBF\xBD!/\b");
    CHECK_NUMBER(event.seconds * 10, 5);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_NUMBER(event.type, 'i');
    CHECK_NUMBER(event.seconds, 10);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_NUMBER(event.type, 'm');
    CHECK_NUMBER(event.seconds, 0);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_NUMBER(event.type, 'r');
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 0);
    recording_reader_destroy(reader);
}

TEST(what_is_no_recording_is_refused)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "not a recording: the first line is not the header of an asciicast v2"},
        {"hello\n", "not a recording: the first line is not the header of an asciicast v2"},
        {"[1,\"o\",\"x\"]\n", "not a recording: the first line is not the header of an asciicast v2"},
        {"{\"version\":3,\"term\":{\"cols\":80}}\n",
         "an asciicast of version 3, only version 2 can be played: `asciinema convert` makes one"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        CHECK(reader_over(cases[i].text, strlen(cases[i].text), 0, &error) == NULL);
        CHECK_STRING(error.text, cases[i].message);
    }
}

TEST(header_of_wrong_types_keeps_the_usual_size)
{
    static const char text[] = "{\"version\":2,\"width\":\"80\",\"height\":-3}\n";
    struct error error;
    struct recording_reader *reader = reader_over(text, sizeof text - 1, 0, &error);
    int cols, rows;

    recording_reader_size(reader, &cols, &rows);
    CHECK_NUMBER(cols, 80);
    CHECK_NUMBER(rows, 24);
    recording_reader_destroy(reader);
}

TEST(oversized_line_is_left_out)
{
    struct buffer text = {0};
    struct recording_event event;
    struct recording_reader *reader;
    struct error error;
    size_t length = LINE_FILE_MAX + 300000;

    buffer_append_string(&text, HEADER "[1,\"o\",\"");
    memset(buffer_reserve(&text, length), 'x', length);
    text.length += length;
    buffer_append_string(&text, "\"]\n[2,\"o\",\"after\"]\n");
    reader = reader_over(text.bytes, text.length, 0, &error);
    buffer_finish(&text);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_STRING(event.text, "after");
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 0);
    recording_reader_destroy(reader);
}

TEST(reading_from_an_offset)
{
    static const char text[] = HEADER "[1,\"o\",\"one\"]\n[2,\"o\",\"two\"]\n";
    struct recording_event event;
    struct error error;
    struct recording_reader *reader = reader_over(text, sizeof text - 1, sizeof text - 1 - 14, &error);

    CHECK(reader != NULL);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_STRING(event.text, "two");
    CHECK_NUMBER(event.next_offset, sizeof text - 1);
    recording_reader_destroy(reader);
}

TEST(reading_stops_at_the_given_end)
{
    static const char text[] = HEADER "[1,\"o\",\"one\"]\n[2,\"o\",\"two\"]\n";
    char *folder = scratch_folder(), *path = scratch_file(folder, "a.cast", text, sizeof text - 1);
    struct recording_event event;
    struct error error;
    struct recording_reader *reader =
        recording_reader_create(open(path, O_RDONLY | O_CLOEXEC), 0, sizeof text - 1 - 14, &error);

    CHECK(reader != NULL);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_STRING(event.text, "one");
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 0);
    recording_reader_destroy(reader);
    free(path);
    free(folder);
}

TEST(open_cuts_to_the_committed_length)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "attempt-3.cast", "one\ntwo\nthr", 11);
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), file;
    struct error error;
    struct stat status;

    file = recording_open(directory, 3, 100, &error);
    CHECK(file >= 0);
    CHECK_NUMBER(lseek(file, 0, SEEK_CUR), 8);
    close(file);
    file = recording_open(directory, 3, 4, &error);
    CHECK_NUMBER(lseek(file, 0, SEEK_CUR), 4);
    CHECK_NUMBER(fstat(file, &status), 0);
    CHECK_NUMBER(status.st_size, 4);
    close(file);
    CHECK_NUMBER(unlinkat(directory, "attempt-3.cast", 0), 0);
    CHECK_NUMBER(symlinkat("elsewhere", directory, "attempt-3.cast"), 0);
    CHECK_NUMBER(recording_open(directory, 3, 0, &error), -1);
    CHECK_STRING(error.text, "cannot open the recording attempt-3.cast: Too many levels of symbolic links");
    close(directory);
    free(path);
    free(folder);
}

TEST_MAIN
