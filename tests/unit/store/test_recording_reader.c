#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "scratch.h"
#include "store/line_file.h"
#include "store/recording.h"
#include "test.h"

#define HEADER "{\"version\": 2, \"width\": 100, \"height\": 30}\n"

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

/* All events, each as "seconds type text@next_offset". */
static char *events_of(struct recording_reader *reader)
{
    struct buffer out = {0};
    struct recording_event event;
    struct error error;
    int got;

    buffer_append_string(&out, "");
    while ((got = recording_reader_next(reader, &event, &error)) == 1)
        buffer_printf(&out, "%g %c %s@%llu\n", event.seconds, event.type, event.text,
                      (unsigned long long)event.next_offset);
    if (got < 0)
        buffer_printf(&out, "error: %s\n", error.text);
    if (recording_reader_torn(reader))
        buffer_append_string(&out, "torn\n");
    recording_reader_destroy(reader);
    return buffer_steal(&out);
}

/* ---- an attempt ---- */

#define PART_1                                                                                               \
    "{\"version\":2,\"width\":90,\"height\":20,\"timestamp\":1700000000}\n[1,\"o\",\"one\"]\n[2,\"o\","      \
    "\"two\"]\n"
#define PART_2                                                                                               \
    "{\"version\":2,\"width\":91,\"height\":21,\"ganger\":{\"part\":2,\"offset\":88,\"start_s\":2.5,"        \
    "\"screen\":true}}\n"                                                                                    \
    "[0,\"o\",\"SCREEN\"]\n[1,\"o\",\"three\"]\n"

static char *folder_with(const char *one, size_t one_length, const char *two, size_t two_length)
{
    char *folder = scratch_folder();

    if (one != NULL)
        free(scratch_file(folder, "attempt-1.cast", one, one_length));
    if (two != NULL)
        free(scratch_file(folder, "attempt-1.2.cast", two, two_length));
    free(scratch_file(folder, "attempt-2.cast", PART_1, sizeof PART_1 - 1));
    free(scratch_file(folder, "attempt-1.02.cast", "junk", 4));
    free(scratch_file(folder, "attempt-11.cast", "junk", 4));
    return folder;
}

static struct recording_reader *attempt_in(char *folder, uint64_t offset, uint64_t end, struct error *error)
{
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct recording_reader *reader = recording_reader_attempt(directory, 1, offset, end, error);

    close(directory);
    free(folder);
    return reader;
}

#define CHECK_EVENTS(reader, expected)                                                                       \
    do {                                                                                                     \
        char *found = events_of(reader);                                                                     \
        CHECK_STRING(found, expected);                                                                       \
        free(found);                                                                                         \
    } while (0)

TEST(parts_are_read_as_one)
{
    struct error error;
    struct recording_reader *reader =
        attempt_in(folder_with(PART_1, sizeof PART_1 - 1, PART_2, sizeof PART_2 - 1), 0, 0, &error);
    int cols, rows;

    CHECK(reader != NULL);
    CHECK_NUMBER(sizeof PART_1 - 1, 88);
    recording_reader_size(reader, &cols, &rows);
    CHECK_NUMBER(cols, 90);
    CHECK_NUMBER(rows, 20);
    CHECK_NUMBER(recording_reader_started_s(reader), 1700000000);
    CHECK(recording_reader_title(reader) == NULL);
    CHECK_NUMBER(recording_reader_length(reader), 88 + sizeof PART_2 - 1);
    CHECK_EVENTS(reader, "1 o one@74\n2 o two@88\n3.5 o three@218\n");
}

TEST(reading_an_attempt_from_an_offset_to_an_end)
{
    struct error error;
    struct recording_reader *reader;

    reader = attempt_in(folder_with(PART_1, 88, PART_2, sizeof PART_2 - 1), 74, 0, &error);
    CHECK_EVENTS(reader, "2 o two@88\n3.5 o three@218\n");
    reader = attempt_in(folder_with(PART_1, 88, PART_2, sizeof PART_2 - 1), 88, 0, &error);
    CHECK_EVENTS(reader, "3.5 o three@218\n");
    reader = attempt_in(folder_with(PART_1, 88, PART_2, sizeof PART_2 - 1), 0, 88, &error);
    CHECK_EVENTS(reader, "1 o one@74\n2 o two@88\n");
    reader = attempt_in(folder_with(PART_1, 88, PART_2, sizeof PART_2 - 1), 88, 88, &error);
    CHECK_EVENTS(reader, "");
    reader = attempt_in(folder_with(PART_1, 88, PART_2, sizeof PART_2 - 1), 74, 202, &error);
    CHECK_EVENTS(reader, "2 o two@88\n");
}

TEST(what_is_missing_is_told)
{
    static const char zeros[] = "\0\0\0\0[5,\"o\",\"x\"]\n[6,\"o\",\"\0\0\"]\n[7,\"o\",\"y\"]\n";
    struct error error;
    struct recording_reader *reader;

    reader = attempt_in(folder_with(NULL, 0, PART_2, sizeof PART_2 - 1), 0, 0, &error);
    CHECK_EVENTS(reader, "2.5 m gap: part 1 is missing or damaged, 88 bytes@88\n3.5 o three@218\n");
    reader = attempt_in(folder_with(PART_1, 80, PART_2, sizeof PART_2 - 1), 0, 0, &error);
    CHECK_EVENTS(reader, "1 o one@74\n2.5 m gap: 8 bytes are missing@88\n3.5 o three@218\n");
    reader = attempt_in(folder_with(PART_1, 80, PART_2, 20), 0, 0, &error);
    CHECK_EVENTS(reader, "1 o one@74\ntorn\n");
    reader = attempt_in(folder_with("", 0, NULL, 0), 0, 0, &error);
    CHECK_EVENTS(reader, "");
    reader = attempt_in(folder_with(zeros, sizeof zeros - 1, NULL, 0), 0, 0, &error);
    CHECK_EVENTS(reader, "5 o x@16\n5 m gap: 12 bytes that are no recording@29\n7 o y@41\n");
    reader = attempt_in(folder_with(NULL, 0, NULL, 0), 0, 0, &error);
    CHECK(reader == NULL);
    CHECK_NUMBER(error.code, ENOENT);
    CHECK_STRING(error.text, "there is no recording of attempt 1");
}

/* ---- files of other tools ---- */

TEST(asciicast_of_version_1)
{
    static const char text[] =
        "{\n \"width\": 70, \"env\": {\"a\": [1, {\"b\": null}]},\n \"stdout\": [\n  [0.5, "
        "\"a\\u001b[0m\"],\n"
        "  [1.25, \"b\\n\"]\n ],\n \"height\": 33, \"title\": \"T \\u00e9\", \"version\": 1\n}\n";
    struct error error;
    struct recording_reader *reader = reader_over(text, sizeof text - 1, 0, &error);
    int cols, rows;

    CHECK(reader != NULL);
    recording_reader_size(reader, &cols, &rows);
    CHECK_NUMBER(cols, 70);
    CHECK_NUMBER(rows, 33);
    CHECK_STRING(recording_reader_title(reader), "T \xC3\xA9");
    CHECK_EVENTS(reader, "0.5 o a\x1B[0m@82\n1.75 o b\n@99\n");
}

TEST(asciicast_of_version_3)
{
    static const char text[] =
        "{\"version\":3,\"term\":{\"cols\":70,\"rows\":33,\"type\":\"xterm\"},\"timestamp\":1504467315}\n"
        "# a comment\n"
        "[0.5, \"o\", \"a\"]\n"
        "[1.0, \"z\", \"what\"]\n"
        "[0.25, \"r\", \"80x25\"]\n"
        "[1.0, \"x\", \"0\"]\n";
    struct error error;
    struct recording_reader *reader = reader_over(text, sizeof text - 1, 0, &error);
    int cols, rows;

    CHECK(reader != NULL);
    recording_reader_size(reader, &cols, &rows);
    CHECK_NUMBER(cols, 70);
    CHECK_NUMBER(rows, 33);
    CHECK_NUMBER(recording_reader_started_s(reader), 1504467315);
    CHECK_EVENTS(reader, "0.5 o a@109\n1.75 r 80x25@149\n");
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
    CHECK_NUMBER(event.seconds, 10);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_NUMBER(event.type, 'r');
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 0);
    recording_reader_destroy(reader);
}

TEST(what_is_no_recording_is_refused)
{
    static const struct {
        const char *text, *begin;
    } cases[] = {
        {"", "not a recording: the file is empty"},
        {"hello\n", "not a recording: the first line is not the header of an asciicast"},
        {"[1,\"o\",\"x\"]\n", "not a recording: the first line is not the header of an asciicast"},
        {"{\"version\":4}\n", "an asciicast of version 4; versions 1 to 3 can be read"},
        {"{\"version\":\"2\"}\n", "not a recording: it is JSON"},
        {"{\"version\":1,\"stdout\":7}", "not a recording: it is JSON"},
        {"{\"version\":2", "not a recording: it is JSON"},
        {"Script started on 2026-11-21\n", "not a recording but a typescript of script(1)"},
        {"\xFD"
         "7zXZ\0\0\0",
         "not a recording: it is packed with xz: unpack it first"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        CHECK(reader_over(cases[i].text, strlen(cases[i].text), 0, &error) == NULL);
        error.text[strlen(cases[i].begin)] = '\0';
        CHECK_STRING(error.text, cases[i].begin);
    }
}

TEST(what_is_no_file_is_refused)
{
    static const struct {
        const char *path, *begin;
    } cases[] = {
        {"/tmp", "not a recording: it is a directory"},
        {"/dev/full", "not a recording: the first line is not the header of an asciicast"},
        {"/dev/zero", "not a recording: the first line is not the header of an asciicast"},
        {"/dev/null", "not a recording: the file is empty"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        CHECK(recording_reader_file(open(cases[i].path, O_RDONLY | O_CLOEXEC), 0, 0, &error) == NULL);
        error.text[strlen(cases[i].begin)] = '\0';
        CHECK_STRING(error.text, cases[i].begin);
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
        recording_reader_file(open(path, O_RDONLY | O_CLOEXEC), 0, sizeof text - 1 - 14, &error);

    CHECK(reader != NULL);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_STRING(event.text, "one");
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 0);
    recording_reader_destroy(reader);
    free(path);
    free(folder);
}

TEST_MAIN
