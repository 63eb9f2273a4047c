/*
 * Turns a screen notification of any valid JSON shape (other key order, white space, escapes) into the one that
 * frame_begin and its companions write, through jansson: slow, and hardly ever needed.
 */
#ifndef RPC_FRAME_USUAL_H
#define RPC_FRAME_USUAL_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends the usual shape to `out`. Members of the right type are taken over as they are: the caller checks ranges.
 * Returns 0, or -1 and the error when the line is not a screen notification. */
int frame_usual(const char *line, size_t length, struct buffer *out, struct error *error);

#endif
