/*
 * Where a recording comes from: an attempt of a session, or a file of any tool. It can be opened again and again, also while
 * it is written.
 */
#ifndef REPLAY_SOURCE_H
#define REPLAY_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/name.h"
#include "store/recording.h"

struct source {
    /* Either of these: */
    char *file;
    char *state_dir;
    char uuid[UUID_SIZE];
    unsigned attempt;

    bool seekable; /* readers can begin at an offset; else they begin at 0 */
};

/* What a session recorded. Copies the strings. */
void source_init_session(struct source *source, const char *state_dir, const char *uuid, unsigned attempt);
/* A file, of which the first bytes are read. Returns 0 or -1. */
int source_init_file(struct source *source, const char *path, struct error *error);
void source_finish(struct source *source);

/* A reader at `offset`, which is 0 unless the source is seekable. NULL and the error. */
struct recording_reader *source_open(const struct source *source, uint64_t offset, struct error *error);
/* Whether somebody may still write it: the session goes on, in this attempt. False for files, of which nobody knows. */
bool source_alive(const struct source *source);
/* "7 lines are no events and were left out". */
#define SOURCE_LEFT_OUT_SIZE 80
void source_say_left_out(uint64_t lines, char text[SOURCE_LEFT_OUT_SIZE]);
/* The same on standard error, unless there are none. */
void source_tell_left_out(uint64_t lines);
/* Whether the session was removed. */
bool source_gone(const struct source *source);
/* Changes when the recording was written to: for looking whether there is more. */
uint64_t source_stamp(const struct source *source);

#endif
