/*
 * Between recording_source and the ways in which a file can be packed.
 */
#ifndef STORE_RECORDING_UNPACK_H
#define STORE_RECORDING_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define RAW_HEAD 18 /* the longest header of a zstd frame */

/* The file as it is. */
struct raw_file {
    int descriptor;
    bool seekable; /* a regular file: read from any place */
    uint64_t size; /* of a regular file */
    uint64_t at;   /* of the next byte */
    char head[RAW_HEAD];
    size_t head_length; /* the first bytes, looked at already; they come once more */
};

/* Up to `room` bytes, 0 at the end, -1 and the error. */
ssize_t raw_file_read(struct raw_file *raw, char *to, size_t room, struct error *error);

/* A way to pack. `create` never fails; the others are as in recording_source.h. */
struct unpack_kind {
    const char *name;
    char magic[4];
    size_t magic_length;
    void *(*create)(struct raw_file *raw);
    void (*destroy)(void *state);
    ssize_t (*read)(void *state, char *to, size_t room, struct error *error);
    uint64_t (*at)(const void *state);
    /* May do less than asked for, or nothing. */
    int (*skip)(void *state, uint64_t offset, struct error *error);
    uint64_t (*length)(const void *state);
    bool (*torn)(const void *state);
};

extern const struct unpack_kind unpack_zstd, unpack_gzip;

#endif
