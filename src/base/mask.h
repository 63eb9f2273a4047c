/*
 * Secrets that must not be written: each occurrence in a text is replaced by as many '*', so that positions stay valid. A
 * secret is also known as it stands in JSON strings, and in JSON within JSON. A NULL mask knows none and costs nothing.
 * A mask is only read once it is in use; another thread gets a copy of its own.
 */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define MASK_SHORTEST 8   /* bytes; what is shorter is no secret */
#define MASK_PIECE 1024   /* a longer secret is looked for in pieces of this length */
#define MASK_LONGEST 8192 /* bytes of a piece in any of its forms */

struct mask;

struct mask *mask_create(void);
struct mask *mask_copy(const struct mask *mask);
/* Zeroes the secrets. */
void mask_destroy(struct mask *mask);
/* False when it is too short or known already. */
bool mask_add(struct mask *mask, const char *secret, size_t length);

/* Masks in place. Returns whether there was anything to mask. */
bool mask_text(const struct mask *mask, char *bytes, size_t length);
/* The same in JSON text, which stays what it was but for its strings: names of members are kept. */
bool mask_json(const struct mask *mask, char *bytes, size_t length);
/* How many bytes at the end may be the beginning of a secret whose rest is still to come; below MASK_LONGEST. */
size_t mask_pending(const struct mask *mask, const char *bytes, size_t length);

/* A text that comes in pieces. */
struct mask_stream {
    size_t reach;       /* bytes at the beginning of what comes next that belong to a secret seen before */
    struct buffer copy; /* of a piece in which there was something to mask */
};

void mask_stream_init(struct mask_stream *stream);
void mask_stream_finish(struct mask_stream *stream);
/*
 * Returns the piece as it may be written, valid until the next call (the bytes themselves when there is nothing to mask), and
 * lowers *length to what is decided: all but what mask_pending says, or all when it is the `last` one. The caller takes some
 * or all of that, says so by mask_stream_taken with the same piece, and gives the rest again in front of what follows.
 */
const char *mask_stream_piece(struct mask_stream *stream, const struct mask *mask, const char *bytes,
                              size_t *length, bool last);
void mask_stream_taken(struct mask_stream *stream, const struct mask *mask, const char *bytes, size_t length,
                       size_t taken);

#endif
