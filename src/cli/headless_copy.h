/*
 * A session's recording in a file of the caller's choice, asciicast v2, written while it happens: all attempts on one time line,
 * each beginning where the one before ended, or later when there was a pause. Who is killed leaves a file that plays. When the file
 * cannot be written the copy waits, and goes on where it was.
 */
#ifndef CLI_HEADLESS_COPY_H
#define CLI_HEADLESS_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/name.h"

struct headless_copy {
    const char *path;
    int file, folder; /* -1: closed */
    unsigned attempt; /* being copied */
    uint64_t offset;  /* in its recording */
    double base_s;    /* of the attempt's start on the time line */
    double last_s;    /* of the last event on the time line */
    int64_t first_s;  /* wall clock, of the first attempt's start */
    int64_t length;   /* of what is written whole */
    bool begun;       /* the header is written */
    size_t batch;     /* bytes written at once: less, when a disk has little room */
    bool failing;     /* even the least could not be written */
};

/* Makes the file, or finds it; the error says what to do instead. Returns 0 or -1. */
int headless_copy_make(const char *path, bool force, struct error *error);
/* Opens the file that was made. Returns 0 or -1; finish in either case. */
int headless_copy_open(struct headless_copy *copy, const char *path, const char *uuid, struct error *error);
/* Copies what there is of the attempts up to `attempt`, but no more than takes a moment. Returns true when more is there. */
bool headless_copy_step(struct headless_copy *copy, unsigned attempt);
/* The session is over: copies the rest and closes. Returns 0, or -1 when the file lacks something. */
int headless_copy_finish(struct headless_copy *copy, unsigned attempt);

#endif
