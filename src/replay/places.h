/*
 * Checkpoints of a track: the state of the terminal after so many events. In bounded memory: when there are too many bytes of
 * them, every second one goes and their distance doubles.
 */
#ifndef REPLAY_PLACES_H
#define REPLAY_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct place {
    uint64_t event;       /* events applied */
    uint64_t offset;      /* of the next event in the recording */
    uint64_t written;     /* bytes of output applied, and something for each event */
    double seconds;       /* time of the last event */
    struct buffer screen; /* terminal_save */
};

struct places {
    struct place *entries; /* in the order of their events */
    size_t count, capacity;
    size_t bytes, limit;
    uint64_t spacing; /* of `written` */
};

void places_init(struct places *places, size_t limit, uint64_t spacing);
void places_finish(struct places *places);
/* Whether a checkpoint is due after so much was written. */
bool places_due(const struct places *places, uint64_t written);
/* Takes `place` with its screen. It is beyond those that there are. */
void places_add(struct places *places, struct place *place);
/* The last one at or before both, or NULL. */
const struct place *places_find(const struct places *places, uint64_t event, double seconds);

#endif
