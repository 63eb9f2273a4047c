#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buffer.h"
#include "scratch.h"
#include "store/line_file.h"
#include "store/recording.h"
#include "store/recording_parts.h"
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

/* ---- packed files ---- */

/* Frames of `frame` bytes each, compressed as the parts of a session are; without a size when `sized` is false. */
static struct buffer compressed(const char *text, size_t length, size_t frame, bool sized)
{
    struct buffer out = {0};
    ZSTD_CCtx *context = ZSTD_createCCtx();

    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, sized);
    for (size_t at = 0; at < length; at += frame) {
        size_t part = length - at < frame ? length - at : frame, room = ZSTD_compressBound(part), got;
        got = ZSTD_compress2(context, buffer_reserve(&out, room), room, text + at, part);
        if (ZSTD_isError(got))
            abort();
        out.length += got;
    }
    (void)ZSTD_freeCCtx(context);
    return out;
}

/* A recording of `count` events "line I" that are of no order that could be guessed. */
static struct buffer long_recording(unsigned count, uint64_t *offsets)
{
    struct buffer text = {0};

    buffer_append_string(&text, HEADER);
    for (unsigned i = 0; i < count; i++) {
        offsets[i] = text.length;
        buffer_printf(&text, "[%u,\"o\",\"line %u %x\"]\n", i, i, i * 2654435761u);
    }
    offsets[count] = text.length;
    return text;
}

enum { LINES = 3000 };

static struct recording_reader *packed_attempt(const struct buffer *packed, uint64_t offset,
                                               struct error *error)
{
    char *folder = scratch_folder();

    free(scratch_file(folder, "attempt-1.cast.zst", packed->bytes, packed->length));
    return attempt_in(folder, offset, 0, error);
}

TEST(packed_parts_are_read_from_any_line)
{
    static uint64_t offsets[LINES + 1];
    struct buffer text = long_recording(LINES, offsets);

    for (int sized = 0; sized < 2; sized++) {
        struct buffer packed = compressed(text.bytes, text.length, 1000, sized != 0);
        for (unsigned from = 0; from < LINES; from += 271) {
            struct error error;
            struct recording_event event;
            struct recording_reader *reader = packed_attempt(&packed, offsets[from], &error);
            CHECK(reader != NULL);
            CHECK_NUMBER(recording_reader_length(reader), sized ? text.length : 0);
            for (unsigned i = from; i < LINES; i++) {
                CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
                CHECK_NUMBER(event.seconds, i);
                CHECK_NUMBER(event.next_offset, offsets[i + 1]);
            }
            CHECK_NUMBER(recording_reader_next(reader, &event, &error), 0);
            CHECK(!recording_reader_torn(reader));
            recording_reader_destroy(reader);
        }
        buffer_finish(&packed);
    }
    buffer_finish(&text);
}

/* What is read of a damaged file: each event as it was, ascending, and the damage told. */
static void check_damaged(struct recording_reader *reader, const uint64_t *offsets, unsigned least,
                          bool *told)
{
    struct recording_event event;
    struct error error;
    unsigned seen = 0, next = 0;
    int got;

    *told = false;
    while ((got = recording_reader_next(reader, &event, &error)) == 1) {
        unsigned line;
        if (event.type == 'm') {
            *told = *told || strncmp(event.text, "gap: ", 5) == 0;
            continue;
        }
        CHECK_NUMBER(sscanf(event.text, "line %u", &line), 1);
        CHECK(line >= next && line < LINES);
        /* The \n may be in what was passed over; the size of it is not known when the frame's header is damaged. */
        CHECK(*told || event.next_offset == offsets[line + 1] || event.next_offset == offsets[line + 1] - 1);
        next = line + 1;
        seen++;
    }
    CHECK_NUMBER(got, 0);
    if (seen < least)
        TEST_FAIL("only %u events", seen);
}

TEST(damaged_frames_are_passed_over)
{
    static uint64_t offsets[LINES + 1];
    struct buffer text = long_recording(LINES, offsets),
                  packed = compressed(text.bytes, text.length, 8000, true);

    for (size_t at = 4; at < packed.length; at += 1 + packed.length / 97) {
        struct error error;
        struct recording_reader *reader;
        bool told;
        packed.bytes[at] ^= 0x55;
        reader = packed_attempt(&packed, 0, &error);
        packed.bytes[at] ^= 0x55;
        CHECK(reader != NULL);
        check_damaged(reader, offsets, LINES - 2 * 8000 / 20, &told);
        recording_reader_destroy(reader);
        if (test_failed)
            printf("# byte %zu of %zu\n", at, packed.length);
    }
    buffer_finish(&packed);
    buffer_finish(&text);
}

/* A frame that ends in damage, and in which every few bytes another one seems to begin. */
TEST(a_packed_part_whose_first_bytes_are_damaged_is_a_gap)
{
    uint64_t offsets[LINES + 1];
    struct buffer text = long_recording(LINES, offsets),
                  packed = compressed(text.bytes, text.length, 16384, true);
    struct recording_event event;
    struct error error;
    struct recording_reader *reader;

    memcpy(packed.bytes, "not zstd", 8);
    reader = packed_attempt(&packed, 0, &error);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK(event.type == 'm' && strncmp(event.text, "gap: ", 5) == 0);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK(event.type == 'o' && event.seconds > 100);
    recording_reader_destroy(reader);
    buffer_finish(&text);
    buffer_finish(&packed);
}

TEST(a_packed_file_that_is_cut_off_is_said_to_be)
{
    uint64_t offsets[LINES + 1];
    struct buffer text = long_recording(LINES, offsets),
                  packed = compressed(text.bytes, text.length, text.length, true);
    struct error error = {0};

    CHECK(reader_over(packed.bytes, 30, 0, &error) == NULL);
    CHECK_STRING(error.text,
                 "not a recording that can be read: the compressed file (zstd) is cut off or damaged");
    buffer_finish(&text);
    buffer_finish(&packed);
}

TEST(lines_that_are_no_events_are_counted)
{
    static const char text[] =
        HEADER "[1,\"o\",\"a\"]\n[null,\"o\",\"c\"]\n\nnonsense\n# comment\n[2,\"x\",\"0\"]\n"
               "[3,\"o\",\"b\"]\n[4,\"o\",\"to";
    struct error error;
    struct recording_reader *reader = reader_over(text, sizeof text - 1, 0, &error);
    struct recording_event event;

    while (recording_reader_next(reader, &event, &error) == 1)
        ;
    CHECK_NUMBER(recording_reader_left_out(reader), 2);
    CHECK(recording_reader_torn(reader));
    recording_reader_destroy(reader);
}

TEST(frames_within_damaged_frames_are_given_up)
{
    static const char header[] = "{\"version\":2}\n", frame[] = "\x28\xB5\x2F\xFD\0\x58",
                      block[] = "\x30\0\0\x28\xB5\x2F\xFD\0\x58";
    struct buffer packed = compressed(header, sizeof header - 1, 100, true);
    struct recording_reader *reader;
    struct recording_event event;
    struct error error;
    unsigned gaps = 0;

    buffer_append(&packed, frame, sizeof frame - 1);
    for (int i = 0; i < 300; i++)
        buffer_append(&packed, block, sizeof block - 1);
    buffer_append(&packed, "\x07\0\0", 3);
    reader = reader_over(packed.bytes, packed.length, 0, &error);
    CHECK(reader != NULL);
    while (recording_reader_next(reader, &event, &error) == 1)
        gaps += event.type == 'm';
    CHECK(gaps > 1 && gaps < 110);
    CHECK(recording_reader_torn(reader));
    recording_reader_destroy(reader);
    buffer_finish(&packed);
}

TEST(packed_files_that_end_early)
{
    static uint64_t offsets[LINES + 1];
    struct buffer text = long_recording(LINES, offsets),
                  packed = compressed(text.bytes, text.length, 8000, true);

    for (size_t length = 30; length < packed.length; length += 1 + packed.length / 53) {
        struct error error;
        struct buffer cut = {.bytes = packed.bytes, .length = length};
        struct recording_reader *reader = packed_attempt(&cut, 0, &error);
        bool told;
        CHECK(reader != NULL);
        check_damaged(reader, offsets, 0, &told);
        recording_reader_destroy(reader);
    }
    buffer_finish(&packed);
    buffer_finish(&text);
}

/* gzip members, each of `member` bytes. */
static struct buffer gzipped(const char *text, size_t length, size_t member)
{
    struct buffer out = {0};

    for (size_t at = 0; at < length; at += member) {
        z_stream stream = {0};
        size_t room = member + 1000;
        if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            abort();
        stream.next_in = (unsigned char *)(uintptr_t)(text + at);
        stream.avail_in = (unsigned)(length - at < member ? length - at : member);
        stream.next_out = (unsigned char *)buffer_reserve(&out, room);
        stream.avail_out = (unsigned)room;
        if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
            abort();
        out.length += room - stream.avail_out;
        (void)deflateEnd(&stream);
    }
    return out;
}

TEST(gzip)
{
    static uint64_t offsets[LINES + 1];
    struct buffer text = long_recording(LINES, offsets), packed = gzipped(text.bytes, text.length, 10000);
    struct error error;
    struct recording_reader *reader = reader_over(packed.bytes, packed.length, offsets[77], &error);
    struct recording_event event;
    bool told;

    CHECK(reader != NULL);
    CHECK_NUMBER(recording_reader_length(reader), 0);
    CHECK_NUMBER(recording_reader_next(reader, &event, &error), 1);
    CHECK_NUMBER(event.seconds, 77);
    recording_reader_destroy(reader);
    reader = reader_over(packed.bytes, packed.length, 0, &error);
    check_damaged(reader, offsets, LINES, &told);
    CHECK(!told && !recording_reader_torn(reader));
    recording_reader_destroy(reader);
    reader = reader_over(packed.bytes, packed.length - 100, 0, &error);
    check_damaged(reader, offsets, LINES / 2, &told);
    CHECK(recording_reader_torn(reader));
    recording_reader_destroy(reader);
    /* Its checksum comes at the end of a member: bytes before that may be wrong. */
    packed.bytes[packed.length / 2] ^= 0x55;
    reader = reader_over(packed.bytes, packed.length, 0, &error);
    told = false;
    while (recording_reader_next(reader, &event, &error) == 1)
        told = strcmp(event.text, "gap: the packed recording is damaged here") == 0;
    CHECK(told && recording_reader_torn(reader));
    recording_reader_destroy(reader);
    buffer_finish(&packed);
    buffer_finish(&text);
}

TEST(a_pipe_is_read)
{
    static uint64_t offsets[LINES + 1];
    struct buffer text = long_recording(LINES, offsets),
                  packed = compressed(text.bytes, text.length, 8000, false);
    struct error error;
    struct recording_reader *reader;
    int ends[2];
    bool told;

    CHECK_NUMBER(pipe2(ends, O_CLOEXEC), 0);
    CHECK(packed.length <= 65536);
    CHECK_NUMBER(write(ends[1], packed.bytes, packed.length), packed.length);
    close(ends[1]);
    reader = recording_reader_file(ends[0], 0, 0, &error);
    CHECK(reader != NULL);
    check_damaged(reader, offsets, LINES, &told);
    CHECK(!told);
    recording_reader_destroy(reader);
    buffer_finish(&packed);
    buffer_finish(&text);
}

TEST(a_part_may_be_compressed_at_any_moment)
{
    struct error error;
    struct buffer packed = compressed(PART_1, sizeof PART_1 - 1, 50, true);
    char *folder = folder_with(NULL, 0, PART_2, sizeof PART_2 - 1);

    free(scratch_file(folder, "attempt-1.cast.zst", packed.bytes, packed.length));
    CHECK_EVENTS(attempt_in(folder, 74, 0, &error), "2 o two@88\n3.5 o three@218\n");
    folder = folder_with(PART_1, sizeof PART_1 - 1, PART_2, sizeof PART_2 - 1);
    free(scratch_file(folder, "attempt-1.cast.zst", packed.bytes, 20));
    CHECK_EVENTS(attempt_in(folder, 0, 0, &error), "1 o one@74\n2 o two@88\n3.5 o three@218\n");
    buffer_finish(&packed);
}

TEST(one_part_of_the_whole)
{
    struct error error;
    char *folder = folder_with(PART_1, sizeof PART_1 - 1, PART_2, sizeof PART_2 - 1);
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK_EVENTS(recording_reader_part(directory, 1, 2, &error), "3.5 o three@218\n");
    CHECK_EVENTS(recording_reader_part(directory, 1, 1, &error), "1 o one@74\n2 o two@88\n");
    CHECK(recording_reader_part(directory, 1, 3, &error) == NULL);
    CHECK_NUMBER(error.code, ENOENT);
    close(directory);
    free(folder);
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

TEST(a_byte_order_mark)
{
    static const char text[] = "\xEF\xBB\xBF" HEADER "[1,\"o\",\"x\"]\n";
    struct error error;

    CHECK_EVENTS(reader_over(text, sizeof text - 1, 0, &error), "1 o x@58\n");
}

TEST(an_attempt_that_is_gone_has_the_usual_size)
{
    char *folder = scratch_folder(), *path = path_join(folder, "attempt-1.cast");
    struct error error;
    struct recording_reader *reader;
    int cols, rows;

    CHECK_NUMBER(mkdir(path, 0700), 0);
    reader = attempt_in(folder, 0, 0, &error);
    CHECK(reader != NULL);
    recording_reader_size(reader, &cols, &rows);
    CHECK_NUMBER(cols, 80);
    CHECK_NUMBER(rows, 24);
    CHECK_EVENTS(reader, "0 m gap: part 1 is missing or damaged, 0 bytes@0\n");
    free(path);
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
        {"{\"version\":2", "not a recording, or one that is cut off in its first line"},
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
