/*
 * Which parts of an attempt's recording there are, plain or compressed.
 */
#ifndef STORE_RECORDING_PARTS_H
#define STORE_RECORDING_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "store/recording.h"

struct recording_parts {
    unsigned *numbers; /* ascending, each once */
    size_t count;
};

/* Lists them; none is no error. Returns 0 or -1. */
int recording_parts_list(struct recording_parts *parts, int session_dir, unsigned attempt,
                         struct error *error);
void recording_parts_finish(struct recording_parts *parts);
/* Opens a part for reading in the form that it has at the moment; *packed (may be NULL): whether that is the compressed one. A
 * descriptor, or -1 (error.code ENOENT: gone). */
int recording_parts_open(int session_dir, unsigned attempt, unsigned part, bool *packed, struct error *error);
/* One part as a section of the whole recording: times and offsets are those of the whole, the drawing at its beginning is left
 * out. For who reads several at once. NULL: it is gone, or cannot be read. */
struct recording_reader *recording_reader_part(int session_dir, unsigned attempt, unsigned part,
                                               struct error *error);

#endif
