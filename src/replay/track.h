/*
 * A recording that is played into a terminal, and the way to any place of it: forward event by event, backward by checkpoints
 * that are made on the way and thinned out when they take too much memory.
 *
 * A place is the number of events that were applied. Times never go back: an earlier one counts as the one before it.
 */
#ifndef REPLAY_TRACK_H
#define REPLAY_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replay/source.h"
#include "term/terminal.h"

struct track;

struct track_options {
    int cols, rows; /* in place of what the recording says; 0: as it says */
    /* 0: what is usual. */
    size_t spacing; /* bytes of output between two checkpoints, at least */
    size_t memory;  /* bytes of all checkpoints, at most, but for the last one made */
};

/* The source stays the caller's and is used as long as the track. NULL and the error. */
struct track *track_create(const struct source *source, const struct track_options *options,
                           struct error *error);
void track_destroy(struct track *track);

/* The screen. Another one after each track_back; track_generation changes then. */
struct terminal *track_terminal(const struct track *track);
unsigned track_generation(const struct track *track);
/* How many events were applied, and the time of the last of them (0 before the first). */
uint64_t track_event(const struct track *track);
double track_seconds(const struct track *track);

/*
 * The event that comes next, and its time. 1; 0 at the end; 2 when much has to be read until then: call again; -1 on an error
 * (the track stays where it is).
 */
int track_next(struct track *track, const struct recording_event **event, double *seconds,
               struct error *error);
/* Applies the event of track_next. `piece` (may be NULL) is called whenever so much was written that up to
 * TRACK_PIECE_LINES lines can have left the screen. */
#define TRACK_PIECE_LINES 900
void track_apply(struct track *track, void (*piece)(void *argument), void *argument);

/*
 * Goes to the last place at or before `event` and `seconds` that is known, if that is nearer to them than where the track is,
 * or if the track is beyond them. Returns 0 or -1.
 */
int track_back(struct track *track, uint64_t event, double seconds, struct error *error);
/* At the end: looks whether the recording has grown since. */
int track_more(struct track *track, struct error *error);

/* For tests: how many checkpoints there are, and their bytes. */
size_t track_checkpoints(const struct track *track, size_t *bytes);

#endif
