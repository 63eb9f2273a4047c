/*
 * The frames of a zstd file, walked over without unpacking them (RFC 8878, section 3.1).
 */
#ifndef STORE_ZSTD_FRAME_H
#define STORE_ZSTD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZSTD_FRAME_HEADER_MAX 18
#define ZSTD_FRAME_UNKNOWN UINT64_MAX

struct zstd_frame {
    size_t header;   /* bytes of its header */
    uint64_t size;   /* unpacked, or ZSTD_FRAME_UNKNOWN */
    bool skippable;  /* holds no recording; size is 0 */
    bool checksum;   /* 4 bytes after its blocks */
    uint64_t blocks; /* of a skippable one: bytes after the header */
    uint64_t end;    /* in the file; set by zstd_frame_read */
};

/* Of the bytes at the beginning of a frame. False: it is none, or there are too few bytes. */
bool zstd_frame_scan(const char *bytes, size_t length, struct zstd_frame *frame);
/* Of the frame at `position`, with its end. False: there is no whole one. */
bool zstd_frame_read(int descriptor, uint64_t position, struct zstd_frame *frame);
/* The frame at `position` is damaged: where the next one begins, or the end of the file. */
uint64_t zstd_frame_after_damage(int descriptor, uint64_t position);

#endif
