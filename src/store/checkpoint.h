/*
 * DIR/checkpoint: a terminal's saved state and the place in stream and recording to which it belongs. Written whole or not
 * at all; a file that is damaged, of another version or of another attempt is ignored.
 */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct checkpoint {
    uint32_t attempt;
    uint64_t stream_position;  /* bytes of the stream that the state contains */
    uint64_t recording_offset; /* of the first event after it */
    char *state;               /* allocated by checkpoint_read */
    size_t length;
};

int checkpoint_write(int session_dir, const struct checkpoint *checkpoint, struct error *error);
/* 1 and the checkpoint, 0 when there is no usable one. */
int checkpoint_read(int session_dir, uint32_t attempt, struct checkpoint *checkpoint);

#endif
