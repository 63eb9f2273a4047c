#include "store/zstd_frame.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define MAGIC 0xFD2FB528u
#define MAGIC_SKIPPABLE 0x184D2A50u /* its last four bits are any */
#define BLOCK_HEADER 3
#define BLOCKS_MAX 100000000 /* of a frame; a longer one is not walked over */
#define SEARCHED_AT_ONCE 65536

static uint64_t little_endian(const char *bytes, size_t length)
{
    uint64_t value = 0;

    for (size_t i = length; i > 0; i--)
        value = value << 8 | (unsigned char)bytes[i - 1];
    return value;
}

bool zstd_frame_scan(const char *bytes, size_t length, struct zstd_frame *frame)
{
    static const unsigned char dictionary_bytes[] = {0, 1, 2, 4}, size_bytes[] = {0, 2, 4, 8};
    uint32_t magic = length < 8 ? 0 : (uint32_t)little_endian(bytes, 4);
    unsigned descriptor, size_length;
    bool single;

    *frame = (struct zstd_frame){.size = ZSTD_FRAME_UNKNOWN};
    if ((magic & ~0xFu) == MAGIC_SKIPPABLE) {
        *frame = (struct zstd_frame){.header = 8, .skippable = true, .blocks = little_endian(bytes + 4, 4)};
        return true;
    }
    if (magic != MAGIC)
        return false;
    descriptor = (unsigned char)bytes[4];
    single = (descriptor & 0x20) != 0;
    size_length = single && descriptor >> 6 == 0 ? 1 : size_bytes[descriptor >> 6];
    frame->checksum = (descriptor & 4) != 0;
    frame->header = 5 + (size_t)!single + dictionary_bytes[descriptor & 3] + size_length;
    if ((descriptor & 8) != 0 || frame->header > length)
        return false;
    if (size_length > 0)
        frame->size =
            little_endian(bytes + frame->header - size_length, size_length) + (size_length == 2 ? 256 : 0);
    return true;
}

static size_t read_at(int descriptor, uint64_t position, char *to, size_t room)
{
    ssize_t got;

    if (position > INT64_MAX)
        return 0;
    do {
        got = pread(descriptor, to, room, (off_t)position);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? 0 : (size_t)got;
}

bool zstd_frame_read(int descriptor, uint64_t position, struct zstd_frame *frame)
{
    char bytes[ZSTD_FRAME_HEADER_MAX];
    size_t got = read_at(descriptor, position, bytes, sizeof bytes);

    if (!zstd_frame_scan(bytes, got, frame))
        return false;
    position += frame->header;
    if (frame->skippable) {
        frame->end = position + frame->blocks;
        return frame->blocks == 0 || read_at(descriptor, frame->end - 1, bytes, 1) == 1;
    }
    for (int i = 0; i < BLOCKS_MAX; i++) {
        uint64_t header;
        if (read_at(descriptor, position, bytes, BLOCK_HEADER) != BLOCK_HEADER)
            return false;
        header = little_endian(bytes, BLOCK_HEADER);
        if ((header >> 1 & 3) == 3)
            return false;
        position += BLOCK_HEADER + ((header >> 1 & 3) == 1 ? 1 : header >> 3);
        if ((header & 1) == 0)
            continue;
        frame->end = position + (frame->checksum ? 4 : 0);
        return read_at(descriptor, frame->end - 1, bytes, 1) == 1;
    }
    return false;
}

/* The next bytes that look like the beginning of a frame. */
static uint64_t search(int descriptor, uint64_t position)
{
    static const char magic[] = "\x28\xB5\x2F\xFD";
    char bytes[SEARCHED_AT_ONCE];
    size_t got;

    while ((got = read_at(descriptor, position, bytes, sizeof bytes)) >= 4) {
        const char *found = memmem(bytes, got, magic, 4);
        if (found != NULL)
            return position + (uint64_t)(found - bytes);
        position += got - 3;
    }
    return position + got;
}

uint64_t zstd_frame_after_damage(int descriptor, uint64_t position)
{
    struct zstd_frame frame, next;

    if (zstd_frame_read(descriptor, position, &frame)) {
        char byte;
        if (read_at(descriptor, frame.end, &byte, 1) == 0 || zstd_frame_read(descriptor, frame.end, &next))
            return frame.end;
    }
    return search(descriptor, position + 1);
}
