/*
 * Feeds the reader of recordings damaged files of all kinds it knows. Whatever the file, times must not go back, texts must keep
 * their bounds, and the reading must end; and the text in the output must be the same however the output is cut.
 *
 * fuzz_recording SECONDS [SEED]: random damage to recordings made of pieces. Deterministic by seed.
 * Built with -DFUZZ_LIBFUZZER it is a libFuzzer target instead.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "store/recording.h"
#include "store/recording_text.h"

enum { INPUT_MAX = 64 * 1024, EVENTS_MAX = 1000000 };

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % limit;
}

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fault: %s\n", what);
        abort();
    }
}

/* ---- the text in it ---- */

static int add_line(void *argument, const char *bytes, size_t length)
{
    require(length > 0 && length <= RECORDING_LINE_MAX && bytes[length] == '\0', "a line out of bounds");
    require(memchr(bytes, 0x1B, length) == NULL && memchr(bytes, '\n', length) == NULL,
            "a line with a control character");
    buffer_append(argument, bytes, length);
    buffer_append_char(argument, '\n');
    return 0;
}

static char *text_of(const struct buffer *output, size_t piece)
{
    struct recording_text text;
    struct buffer out = {0};

    recording_text_init(&text);
    buffer_append_string(&out, "");
    for (size_t at = 0; at < output->length; at += piece) {
        size_t left = output->length - at;
        (void)recording_text_feed(&text, output->bytes + at, left < piece ? left : piece, add_line, &out);
    }
    (void)recording_text_end(&text, add_line, &out);
    recording_text_finish(&text);
    return buffer_steal(&out);
}

static void check_text(const struct buffer *output)
{
    char *whole = text_of(output, output->length + 1), *pieces = text_of(output, 1 + random_below(9));

    /* A line of more than RECORDING_LINE_MAX may be divided elsewhere. */
    if (output->length <= RECORDING_LINE_MAX)
        require(strcmp(whole, pieces) == 0, "pieces give other lines");
    free(whole);
    free(pieces);
}

/* ---- reading ---- */

static void check_reader(struct recording_reader *reader, size_t length)
{
    struct recording_event event;
    struct error error;
    struct buffer output = {0};
    double last = 0;
    size_t count = 0;
    int cols, rows;

    recording_reader_size(reader, &cols, &rows);
    require(cols >= 1 && cols <= 1000 && rows >= 1 && rows <= 1000, "a size out of bounds");
    (void)recording_reader_length(reader);
    (void)recording_reader_title(reader);
    while (recording_reader_next(reader, &event, &error) == 1) {
        require(event.seconds >= last && event.seconds <= 3e9, "a time that goes back");
        require(event.type != '\0' && strchr("oimr", event.type) != NULL, "an event of no type");
        require(event.text[event.length] == '\0', "a text without an end");
        require(++count <= EVENTS_MAX, "a reading without an end");
        last = event.seconds;
        if (event.type == 'o' && output.length < 4 * length)
            buffer_append(&output, event.text, event.length);
    }
    (void)recording_reader_torn(reader);
    check_text(&output);
    buffer_finish(&output);
}

static int file_of(const char *bytes, size_t length)
{
    int file = memfd_create("fuzz", MFD_CLOEXEC);

    require(file >= 0 && write(file, bytes, length) == (ssize_t)length, "cannot make a file");
    return file;
}

static void run_one(const char *bytes, size_t length)
{
    struct error error = {0};
    uint64_t offset = random_below(2) * random_below((uint32_t)length + 10);
    uint64_t end = random_below(4) == 0 ? random_below((uint32_t)length + 10) : 0;
    struct recording_reader *reader = recording_reader_file(file_of(bytes, length), offset, end, &error);

    if (reader == NULL) {
        require(error.text[0] != '\0', "a refusal that says nothing");
        return;
    }
    check_reader(reader, length);
    recording_reader_destroy(reader);
}

/* The bytes as the parts of an attempt. */
static void run_attempt(const char *folder, const char *bytes, size_t length)
{
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t first = random_below((uint32_t)length + 1);
    struct error error;
    struct recording_reader *reader;
    static const char *const names[] = {"attempt-1.cast", "attempt-1.2.cast.zst"};

    for (int i = 0; i < 2; i++) {
        int file = openat(directory, names[i], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        size_t from = i == 0 ? 0 : first, to = i == 0 ? first : length;
        require(file >= 0 && write(file, bytes + from, to - from) == (ssize_t)(to - from), "cannot write");
        close(file);
    }
    reader = recording_reader_attempt(directory, 1, random_below(2) * random_below((uint32_t)length + 10),
                                      random_below(3) == 0 ? random_below((uint32_t)length + 10) : 0, &error);
    require(reader != NULL, "an attempt that cannot be read");
    check_reader(reader, length);
    recording_reader_destroy(reader);
    close(directory);
}

#ifdef FUZZ_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    random_state = length * 977 + 1 + (length > 0 ? bytes[0] : 0);
    run_one((const char *)bytes, length);
    return 0;
}

#else

static const char *const headers[] = {
    "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1700000000,\"title\":\"t\\u0000\\ud800x\"}\n",
    "{\"version\":2,\"width\":99999999999999999999,\"height\":-1,\"env\":{\"a\":[[[[{}]]]]}}\n",
    "{\"version\":3,\"term\":{\"cols\":80,\"rows\":1e999},\"tags\":[\"a\"]}\n# comment\n",
    "{\"version\":1,\"width\":80,\"height\":24,\"stdout\":[\n",
    "{\"version\":2,\"ganger\":{\"part\":2,\"offset\":100,\"start_s\":3.5,\"screen\":true}}\n",
    "{\"version\":2,\"ganger\":{\"part\":2,\"offset\":9007199254740992,\"start_s\":1e9,\"screen\":1}}\n",
};

static const char *const events[] = {
    "[0.5,\"o\",\"text \\u001b[1mbold\\u001b[0m\\r\\n\"]\n",
    "[1,\"o\",\"\\u001b[5;10Hword\\u001b[5;20Hword\\u001b]0;title\\u0007\\rback\\b\\b\"]\n",
    "[2,\"r\",\"100x30\"]\n",
    "[3,\"m\",\"marker\"]\n",
    "[1e308,\"i\",\"k\"]\n",
    "[-5,\"x\",\"0\"]\n",
    "[0.1,\"o\",\"\\ud83d\\ude42 \xC3\xA9 \xFF \\u0000\"]\n",
    "[0.1,\"text of version 1\"],\n",
    "[0.1,\"last\"]]}\n",
    "[\n",
    "\n",
};

static void make_plain(struct buffer *out)
{
    uint32_t count = random_below(60);

    buffer_clear(out);
    buffer_append_string(out, headers[random_below(sizeof headers / sizeof headers[0])]);
    for (uint32_t i = 0; i < count && out->length < INPUT_MAX; i++)
        buffer_append_string(out, events[random_below(sizeof events / sizeof events[0])]);
}

static void pack_zstd(struct buffer *out, const struct buffer *plain)
{
    size_t frame = 1 + random_below(2000);

    for (size_t at = 0; at < plain->length; at += frame) {
        size_t part = plain->length - at < frame ? plain->length - at : frame,
               room = ZSTD_compressBound(part);
        out->length += ZSTD_compress(buffer_reserve(out, room), room, plain->bytes + at, part, 1);
    }
}

static void pack_gzip(struct buffer *out, const struct buffer *plain)
{
    z_stream stream = {0};
    size_t room = plain->length + 1000;

    require(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflate");
    stream.next_in = (unsigned char *)plain->bytes;
    stream.avail_in = (unsigned)plain->length;
    stream.next_out = (unsigned char *)buffer_reserve(out, room);
    stream.avail_out = (unsigned)room;
    (void)deflate(&stream, Z_FINISH);
    out->length += room - stream.avail_out;
    (void)deflateEnd(&stream);
}

static void damage(struct buffer *bytes)
{
    for (uint32_t i = random_below(5); i > 0 && bytes->length > 0; i--)
        bytes->bytes[random_below((uint32_t)bytes->length)] = (char)random_below(256);
    if (random_below(4) == 0)
        bytes->length = random_below((uint32_t)bytes->length + 1);
}

static void make_input(struct buffer *input, struct buffer *plain)
{
    uint32_t kind = random_below(4);

    make_plain(plain);
    buffer_clear(input);
    if (kind == 0)
        pack_zstd(input, plain);
    else if (kind == 1)
        pack_gzip(input, plain);
    else
        buffer_append(input, plain->bytes, plain->length);
    damage(input);
}

static void remove_folder(const char *folder)
{
    char path[128];
    static const char *const names[] = {"attempt-1.cast", "attempt-1.2.cast.zst"};

    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, iterations = 0;
    int64_t end = clock_monotonic_ns() + (int64_t)(seconds * 1e9);
    struct buffer input = {0}, plain = {0};
    char folder[] = "/tmp/ganger-fuzz-XXXXXX";

    if (argc < 2) {
        fprintf(stderr, "usage: fuzz_recording SECONDS [SEED]\n");
        return 2;
    }
    require(mkdtemp(folder) != NULL, "cannot make a folder");
    do {
        random_state = (seed + iterations) * 0x9E3779B97F4A7C15u + 1;
        if (getenv("FUZZ_TRACE") != NULL)
            fprintf(stderr, "seed %llu\n", (unsigned long long)(seed + iterations));
        make_input(&input, &plain);
        if (iterations % 4 == 0)
            run_attempt(folder, input.bytes, input.length);
        else
            run_one(input.bytes, input.length);
        iterations++;
    } while (clock_monotonic_ns() < end);
    printf("%llu iterations, no fault\n", (unsigned long long)iterations);
    remove_folder(folder);
    buffer_finish(&input);
    buffer_finish(&plain);
    return 0;
}

#endif
