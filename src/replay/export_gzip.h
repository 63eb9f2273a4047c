/*
 * A gzip stream (RFC 1952), piece by piece.
 */
#ifndef REPLAY_EXPORT_GZIP_H
#define REPLAY_EXPORT_GZIP_H

#include <stddef.h>

#include "base/buffer.h"

struct gzip;

struct gzip *gzip_create(void);
void gzip_destroy(struct gzip *gzip);
/* Appends what is compressed so far, which may be nothing; with `last` all of it. */
void gzip_add(struct gzip *gzip, const void *bytes, size_t length, int last, struct buffer *out);

#endif
