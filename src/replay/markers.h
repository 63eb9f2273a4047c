/*
 * The markers of a recording in the order they were made, in bounded memory, and which follows which.
 */
#ifndef REPLAY_MARKERS_H
#define REPLAY_MARKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a label begins with, "approval: …"; foreign recordings have any text. */
enum marker_kind {
    MARKER_ANY, /* for looking */
    MARKER_PHASE,
    MARKER_PROMPT,
    MARKER_ERROR,
    MARKER_LIMIT,
    MARKER_APPROVAL,
    MARKER_GAP,
    MARKER_OTHER,
};

struct marker {
    uint64_t event; /* its number, from 0: it was passed at positions above that */
    double seconds;
    enum marker_kind kind;
    char *label; /* one line of clean UTF-8 */
};

#define MARKERS_MAX 50000 /* further ones are counted only */
#define MARKER_LABEL_MAX 240

struct markers {
    struct marker *entries;
    size_t count, capacity;
    size_t left_out;
};

void markers_finish(struct markers *markers);
/* `event` is above that of the marker before. The label is cleaned and cut. */
void markers_add(struct markers *markers, uint64_t event, double seconds, const char *label, size_t length);

/* The last marker that was passed when `event` events were applied; NULL when there is none. */
const struct marker *markers_passed(const struct markers *markers, uint64_t event);
/* The first marker of the kind that is not passed yet, or (direction below 0) the last of it that is passed, leaving out the
 * one that was passed just now and those within `slack` seconds before `seconds`: who goes back twice goes further. NULL
 * when there is none. */
const struct marker *markers_find(const struct markers *markers, enum marker_kind kind, uint64_t event,
                                  double seconds, int direction, double slack);

/* "approval", "limit" …; "marker" for MARKER_ANY and MARKER_OTHER. */
const char *marker_kind_name(enum marker_kind kind);

/* Text of any origin as one line: controls, what is no UTF-8 and what turns the direction of writing become '?', line feeds
 * and tabs blanks. Cut at `most` bytes. Allocated. */
char *marker_clean(const char *text, size_t length, size_t most);

#endif
