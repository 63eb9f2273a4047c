/*
 * What a recording holds as a whole, read beside the playing in slices: how long it is, how many events, its markers.
 */
#ifndef REPLAY_SURVEY_H
#define REPLAY_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "replay/markers.h"
#include "replay/source.h"

struct survey {
    const struct source *source;
    struct recording_reader *reader; /* NULL: nothing to read */
    uint64_t event, offset;          /* read so far */
    uint64_t skip;                   /* events to pass that were read before */
    uint64_t length;                 /* bytes in all; 0: not known */
    double seconds;                  /* time of the last event read */
    struct markers markers;
    uint64_t stamp;
    bool complete;     /* all was read that there was */
    uint64_t left_out; /* lines that are no events */
    bool torn;         /* it ends in the middle of a line */
    char *title;       /* clean; NULL: none */
};

/* The source stays the caller's. Returns 0 or -1. */
int survey_init(struct survey *survey, const struct source *source, struct error *error);
void survey_finish(struct survey *survey);
/* Reads until `deadline_ns` (clock_monotonic_ns). Returns true while there is more. What cannot be read ends it. */
bool survey_step(struct survey *survey, int64_t deadline_ns);
/* Looks whether the recording was written to since; true when it was. */
bool survey_more(struct survey *survey);
/* How long the recording is, in seconds, at least `least`; as far as that can be told while not all was read. */
double survey_total(const struct survey *survey, double least);

#endif
