/*
 * Recordings as one: the attempts of a session one after another on one time line, or a file. Each attempt begins one second
 * after the end of the one before. Times never go back.
 */
#ifndef REPLAY_EXPORT_TIMELINE_H
#define REPLAY_EXPORT_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct timeline;

/* What is known before reading. Strings may be hostile. */
struct timeline_facts {
    const char *name; /* the session's, or the file's */
    bool foreign;     /* it is a file */
    /* What a file's header says, or NULL. */
    const char *title, *term;
    const char *agent; /* NULL: not known */
    int64_t started_s; /* of the first attempt; 0: not known */
    uint64_t length;   /* bytes, uncompressed; 0: not known */
    unsigned attempts; /* how many there are on the line; 1 for a file */
    unsigned left_out; /* how many cannot be read */
    int cols, rows;    /* at the beginning */
};

/*
 * 'a' an attempt begins, on an empty screen of cols x rows: the first event, and at each further attempt. 'o' output, 'i' input,
 * 'm' marker: text. 'r' resize: cols, rows. The text is valid until the next call, and is what the file says: it may be
 * invalid UTF-8 and hold NUL bytes.
 */
struct timeline_event {
    int64_t at_ns;
    char type;
    const char *text;
    size_t length;
    unsigned attempt; /* its number; 0: a file's */
    int cols, rows;   /* 1 to 1000 */
};

/* An attempt of a session, or (0) all of which there is a recording. A living session's end is where it is now. NULL and the
 * error. */
struct timeline *timeline_session(const char *state_dir, const char *uuid, unsigned attempt,
                                  struct error *error);
struct timeline *timeline_file(const char *path, struct error *error);
void timeline_destroy(struct timeline *timeline);

/* Valid as long as the timeline. */
const struct timeline_facts *timeline_facts(const struct timeline *timeline);
/* 1 and the event, 0 at the end, -1 on an error. */
int timeline_next(struct timeline *timeline, struct timeline_event *event, struct error *error);
/* How many bytes of recordings were read. */
uint64_t timeline_read(const struct timeline *timeline);
/* After the end: how many lines were no events. */
uint64_t timeline_no_events(const struct timeline *timeline);
/* After the end: whether a recording ended in the middle of a line. */
bool timeline_torn(const struct timeline *timeline);

#endif
