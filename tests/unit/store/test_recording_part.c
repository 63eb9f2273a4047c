/* Parts of a recording: what a crash at any point leaves is opened again without loss; complete ones are compressed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/path.h"
#include "scratch.h"
#include "store/recording.h"
#include "store/recording_names.h"
#include "test.h"

#define HEADER "{\"version\":2,\"width\":80,\"height\":24}\n"
#define EVENT "[1.000000,\"o\",\"one\"]\n"

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static char *content(const char *folder, const char *name, size_t *length)
{
    char *path = path_join(folder, name), *bytes = NULL;

    *length = 0;
    (void)path_read_file(path, 64 << 20, &bytes, length, NULL);
    free(path);
    return bytes;
}

static bool exists(int folder, const char *name)
{
    return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void write_file(const char *folder, const char *name, const char *bytes, size_t length)
{
    free(scratch_file(folder, name, bytes, length));
}

TEST(names)
{
    struct recording_name name;
    char text[RECORDING_NAME_SIZE];

    recording_part_name(7, 1, text);
    CHECK_STRING(text, "attempt-7.cast");
    recording_part_name(4294967295u, 4294967295u, text);
    CHECK_STRING(text, "attempt-4294967295.4294967295.cast");
    CHECK(recording_name_parse(text, &name));
    CHECK_NUMBER(name.part, 4294967295u);
    CHECK(recording_name_parse("attempt-3.12.cast.zst", &name) && name.attempt == 3 && name.part == 12 &&
          name.compressed);
    CHECK(recording_name_parse("attempt-3.cast.zst", &name) && name.part == 1 && name.compressed);
    CHECK(!recording_name_parse("attempt-3.1.cast", &name));
    CHECK(!recording_name_parse("attempt-03.cast", &name));
    CHECK(!recording_name_parse("attempt-3.2.cast.zst.tmp", &name));
    CHECK(!recording_name_parse("attempt-99999999999.cast", &name));
    CHECK(!recording_name_parse("attempt-3", &name));
}

TEST(first_part_is_cut_to_the_committed_length)
{
    char *path = scratch_folder();
    int folder = open_folder(path);
    struct recording_part part;
    struct error error;
    struct stat status;

    write_file(path, "attempt-3.cast", "one\ntwo\nthr", 11);
    CHECK_NUMBER(recording_part_open(folder, 3, 100, &part, &error), 0);
    CHECK_NUMBER(lseek(part.file, 0, SEEK_CUR), 8);
    CHECK_NUMBER(part.part, 1);
    CHECK_NUMBER(part.offset, 0);
    close(part.file);
    CHECK_NUMBER(recording_part_open(folder, 3, 4, &part, &error), 0);
    CHECK_NUMBER(fstat(part.file, &status), 0);
    CHECK_NUMBER(status.st_size, 4);
    close(part.file);
    CHECK_NUMBER(recording_part_open(folder, 4, 0, &part, &error), 0);
    CHECK(exists(folder, "attempt-4.cast"));
    close(part.file);
    CHECK_NUMBER(unlinkat(folder, "attempt-3.cast", 0), 0);
    CHECK_NUMBER(symlinkat("elsewhere", folder, "attempt-3.cast"), 0);
    CHECK_NUMBER(recording_part_open(folder, 3, 0, &part, &error), -1);
    CHECK_STRING(error.text, "cannot open the recording attempt-3.cast: Too many levels of symbolic links");
    close(folder);
    free(path);
}

/* What a host leaves that dies in a rotation after `second` bytes of the next part were written. `committed`: what the ring
 * says of the whole recording. */
static void check_crash(const char *first, const struct buffer *next, size_t second, bool made,
                        uint64_t committed, unsigned want_part, uint64_t want_length)
{
    char *path = scratch_folder();
    int folder = open_folder(path);
    struct recording_part part;
    struct error error;
    struct stat status;

    write_file(path, "attempt-1.cast", first, strlen(first));
    if (made)
        write_file(path, "attempt-1.2.cast", next->bytes, second);
    CHECK_NUMBER(recording_part_open(folder, 1, committed, &part, &error), 0);
    CHECK_NUMBER(part.part, want_part);
    CHECK_NUMBER(fstat(part.file, &status), 0);
    CHECK_NUMBER(part.offset + (uint64_t)status.st_size, want_length);
    CHECK_NUMBER(exists(folder, "attempt-1.2.cast"), want_part == 2);
    if (want_part == 2) {
        CHECK_NUMBER(part.offset, strlen(first));
        CHECK_NUMBER(part.start_ns, 5000001000);
    }
    close(part.file);
    close(folder);
    free(path);
}

TEST(a_crash_at_any_point_of_a_rotation)
{
    struct buffer next = {0};
    uint64_t length = strlen(HEADER EVENT);
    size_t prologue;

    recording_encode_part(&next, 2, length, 5000001999, 80, 24, 1795238384000, NULL, "\033[Hdrawn\n", 9);
    CHECK(strstr(next.bytes, "\"start_s\":5.000001,\"screen\":true}") != NULL);
    prologue = next.length;
    buffer_append_string(&next, EVENT);
    /* Before the next part is made; and with a torn write at the end of the first one. */
    check_crash(HEADER EVENT, &next, 0, false, length, 1, length);
    check_crash(HEADER EVENT "[2.0000", &next, 0, false, length, 1, length);
    for (size_t written = 0; written < prologue; written++)
        check_crash(HEADER EVENT, &next, written, true, length, 1, length);
    /* Whole, but not committed; committed; with a torn event. */
    check_crash(HEADER EVENT, &next, prologue, true, length, 2, length + prologue);
    check_crash(HEADER EVENT, &next, prologue, true, length + prologue, 2, length + prologue);
    check_crash(HEADER EVENT, &next, next.length - 3, true, length, 2, length + prologue);
    check_crash(HEADER EVENT, &next, next.length - 3, true, length + prologue, 2, length + prologue);
    check_crash(HEADER EVENT, &next, next.length, true, length + next.length, 2, length + next.length);
    /* The machine went down: less is there than was committed. */
    check_crash(HEADER EVENT, &next, next.length - 3, true, length + next.length, 2, length + prologue);
    buffer_finish(&next);
}

/* The length of `count` events of `bytes` each. */
static void make_events(struct buffer *out, size_t count, size_t bytes)
{
    char *text = malloc(bytes);

    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)('a' + (i * 7 + i / 31) % 26);
    for (size_t i = 0; i < count; i++)
        (void)recording_encode_output(out, (int64_t)i * 1000000, text, bytes, 0);
    free(text);
}

static void make_parts(const char *path, struct buffer *first, size_t events, size_t bytes)
{
    struct buffer next = {0};

    buffer_append_string(first, HEADER);
    make_events(first, events, bytes);
    write_file(path, "attempt-2.cast", first->bytes, first->length);
    recording_encode_part(&next, 2, first->length, 1000, 80, 24, 0, NULL, "x", 1);
    write_file(path, "attempt-2.2.cast", next.bytes, next.length);
    buffer_finish(&next);
}

/* Frame by frame, as a reader would: each says its size, has a checksum and ends with a line. */
static void check_frames(const char *packed, size_t length, const struct buffer *plain, size_t frames)
{
    size_t done = 0, count = 0;

    while (length > 0) {
        size_t frame = ZSTD_findFrameCompressedSize(packed, length);
        unsigned long long size = ZSTD_getFrameContentSize(packed, length);
        char *text = malloc(size);
        CHECK(!ZSTD_isError(frame) && size > 0 && size <= plain->length - done);
        CHECK((packed[4] & 4) != 0);
        CHECK_NUMBER(ZSTD_decompress(text, size, packed, frame), size);
        CHECK_NUMBER(memcmp(text, plain->bytes + done, size), 0);
        CHECK(text[size - 1] == '\n');
        free(text);
        done += size;
        packed += frame;
        length -= frame;
        count++;
    }
    CHECK_NUMBER(done, plain->length);
    CHECK_NUMBER(count, frames);
}

TEST(complete_parts_are_compressed)
{
    char *path = scratch_folder(), *packed;
    int folder = open_folder(path);
    struct buffer first = {0};
    struct error error;
    size_t length;

    make_parts(path, &first, 150, 64000);
    write_file(path, "attempt-1.cast", HEADER, strlen(HEADER));
    write_file(path, "attempt-2.cast.zst.tmp", "half", 4);
    CHECK_NUMBER(recording_compress(folder, NULL, &error), 0);
    CHECK(exists(folder, "attempt-1.cast") && exists(folder, "attempt-2.2.cast"));
    CHECK(!exists(folder, "attempt-2.cast") && !exists(folder, "attempt-2.cast.zst.tmp"));
    packed = content(path, "attempt-2.cast.zst", &length);
    check_frames(packed, length, &first, 3);
    free(packed);
    /* Between the renaming and the removal. */
    write_file(path, "attempt-2.cast", first.bytes, first.length);
    CHECK_NUMBER(recording_compress(folder, NULL, &error), 0);
    CHECK(!exists(folder, "attempt-2.cast") && exists(folder, "attempt-2.cast.zst"));
    CHECK_NUMBER(recording_remove(folder, 2, 2, &error), 0);
    CHECK(!exists(folder, "attempt-2.cast.zst") && exists(folder, "attempt-2.2.cast"));
    CHECK_NUMBER(recording_remove(folder, 2, 0, &error), 0);
    CHECK(!exists(folder, "attempt-2.2.cast") && exists(folder, "attempt-1.cast"));
    buffer_finish(&first);
    close(folder);
    free(path);
}

TEST(a_line_longer_than_a_frame_is_a_frame)
{
    char *path = scratch_folder(), *packed;
    int folder = open_folder(path);
    struct buffer first = {0};
    struct error error;
    size_t length;

    make_parts(path, &first, 2, 6000000);
    CHECK_NUMBER(recording_compress(folder, NULL, &error), 0);
    packed = content(path, "attempt-2.cast.zst", &length);
    check_frames(packed, length, &first, 3); /* the header's too */
    free(packed);
    buffer_finish(&first);
    close(folder);
    free(path);
}

TEST(compression_can_be_stopped_and_a_part_that_has_not_begun_completes_nothing)
{
    char *path = scratch_folder();
    int folder = open_folder(path);
    atomic_bool stop = true;
    struct buffer first = {0};
    struct error error;

    make_parts(path, &first, 3, 100);
    CHECK_NUMBER(recording_compress(folder, &stop, &error), 0);
    CHECK(exists(folder, "attempt-2.cast") && !exists(folder, "attempt-2.cast.zst"));
    CHECK(!exists(folder, "attempt-2.cast.zst.tmp"));
    write_file(path, "attempt-2.2.cast", "{\"version\":2", 12);
    CHECK_NUMBER(recording_compress(folder, NULL, &error), 0);
    CHECK(exists(folder, "attempt-2.cast") && !exists(folder, "attempt-2.cast.zst"));
    buffer_finish(&first);
    close(folder);
    free(path);
}

TEST(a_part_that_another_process_compresses_is_left_to_it)
{
    char *path = scratch_folder();
    int folder = open_folder(path), other;
    struct buffer first = {0};
    struct error error;

    make_parts(path, &first, 3, 100);
    other = openat(folder, "attempt-2.cast", O_RDONLY | O_CLOEXEC);
    CHECK_NUMBER(flock(other, LOCK_EX | LOCK_NB), 0);
    write_file(path, "attempt-2.cast.zst.tmp", "its", 3);
    CHECK_NUMBER(recording_uncompressed(folder), 1);
    CHECK_NUMBER(recording_compress(folder, NULL, &error), 0);
    CHECK(exists(folder, "attempt-2.cast") && !exists(folder, "attempt-2.cast.zst"));
    CHECK(exists(folder, "attempt-2.cast.zst.tmp"));
    close(other);
    CHECK_NUMBER(recording_compress(folder, NULL, &error), 0);
    CHECK(!exists(folder, "attempt-2.cast") && exists(folder, "attempt-2.cast.zst"));
    CHECK_NUMBER(recording_uncompressed(folder), 0);
    buffer_finish(&first);
    close(folder);
    free(path);
}

TEST(all_parts_compressed_another_one_follows)
{
    char *path = scratch_folder();
    int folder = open_folder(path);
    struct recording_part part;
    struct error error;

    write_file(path, "attempt-1.3.cast.zst", "", 0);
    CHECK_NUMBER(recording_part_open(folder, 1, 500, &part, &error), 0);
    CHECK_NUMBER(part.part, 4);
    CHECK_NUMBER(part.offset, 500);
    close(part.file);
    close(folder);
    free(path);
}

TEST_MAIN
