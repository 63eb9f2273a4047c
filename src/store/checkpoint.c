#include "store/checkpoint.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/path.h"

#define NAME "checkpoint"
#define MAGIC "ganger 1"
#define STATE_MAX (512u * 1024 * 1024)

/* What the file begins with, in the machine's byte order: it never leaves the machine. */
struct header {
    char magic[8];
    uint32_t attempt;
    uint32_t reserved;
    uint64_t stream_position;
    uint64_t recording_offset;
    uint64_t length;
    uint64_t checksum; /* of the state and the fields above */
};

/* FNV-1a over 8 bytes at a time, then the rest. */
static uint64_t checksum(uint64_t sum, const void *bytes, size_t length)
{
    const char *at = bytes;
    uint64_t word = 0;

    for (; length >= sizeof word; at += sizeof word, length -= sizeof word) {
        memcpy(&word, at, sizeof word);
        sum = (sum ^ word) * 0x100000001B3u;
        sum ^= sum >> 29;
    }
    word = length;
    memcpy(&word, at, length);
    return (sum ^ word) * 0x100000001B3u;
}

static uint64_t header_checksum(const struct header *header, const char *state)
{
    uint64_t sum = checksum(0xCBF29CE484222325u, header, offsetof(struct header, checksum));

    return checksum(sum, state, header->length);
}

int checkpoint_write(int session_dir, const struct checkpoint *checkpoint, struct error *error)
{
    struct header header = {.magic = MAGIC,
                            .attempt = checkpoint->attempt,
                            .stream_position = checkpoint->stream_position,
                            .recording_offset = checkpoint->recording_offset,
                            .length = checkpoint->length};
    struct buffer whole;
    int result;

    if (checkpoint->length > STATE_MAX)
        return error_set(error, "the terminal's state is too large for a checkpoint: %zu bytes",
                         checkpoint->length);
    header.checksum = header_checksum(&header, checkpoint->state);
    buffer_init(&whole);
    (void)buffer_reserve(&whole, sizeof header + checkpoint->length);
    buffer_append(&whole, &header, sizeof header);
    buffer_append(&whole, checkpoint->state, checkpoint->length);
    result = path_write_atomic(session_dir, NAME, whole.bytes, whole.length, error);
    buffer_finish(&whole);
    return result;
}

static bool read_whole(int file, void *to, size_t length)
{
    char *at = to;

    while (length > 0) {
        ssize_t got = read(file, at, length);
        if (got <= 0)
            return false;
        at += got;
        length -= (size_t)got;
    }
    return true;
}

static bool header_usable(const struct header *header, uint32_t attempt, int64_t size)
{
    return memcmp(header->magic, MAGIC, sizeof header->magic) == 0 && header->attempt == attempt &&
           header->length <= STATE_MAX && size == (int64_t)(sizeof *header + header->length);
}

int checkpoint_read(int session_dir, uint32_t attempt, struct checkpoint *checkpoint)
{
    int file = openat(session_dir, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), result = 0;
    struct header header;
    struct stat status;
    char *state;

    if (file < 0)
        return 0;
    if (fstat(file, &status) == 0 && read_whole(file, &header, sizeof header) &&
        header_usable(&header, attempt, status.st_size)) {
        state = xmalloc(header.length + 1);
        if (read_whole(file, state, header.length) && header_checksum(&header, state) == header.checksum) {
            state[header.length] = '\0';
            *checkpoint = (struct checkpoint){header.attempt, header.stream_position, header.recording_offset,
                                              state, header.length};
            result = 1;
        } else {
            free(state);
        }
    }
    close(file);
    return result;
}
