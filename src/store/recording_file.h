/*
 * The events of one file: asciicast v1, v2 or v3. recording_reader makes one recording of the parts of an attempt of it.
 */
#ifndef STORE_RECORDING_FILE_H
#define STORE_RECORDING_FILE_H

#include "base/buffer.h"
#include "store/line_file.h"
#include "store/recording.h"
#include "store/recording_header.h"
#include "store/recording_source.h"

#define RECORDING_GAP_SIZE 160

struct recording_file {
    struct recording_source *source; /* NULL: not open */
    struct recording_header header;
    struct line_file lines;
    struct buffer whole;           /* version 1: the file's text */
    char *next;                    /* version 1: its next event in it */
    double seconds;                /* of the last event */
    uint64_t offset;               /* of the last event */
    uint64_t body;                 /* where the events begin */
    uint64_t left_out;             /* lines that were no events */
    bool torn;                     /* it ended in the middle of something */
    bool gap;                      /* the source has passed over something */
    char told[RECORDING_GAP_SIZE]; /* text of the last gap */
};

/* Reads the header. Takes the descriptor, also when it fails. With `lenient` a damaged or missing header is taken for one of
 * version 2 that says nothing (header.version is 0 then). `zstd` as in recording_source_create. Fails when the file is no
 * recording, and says what it is. */
int recording_file_open(struct recording_file *file, int descriptor, bool lenient, bool zstd,
                        struct error *error);
/* Once, before the first event: they are those from `offset` (0, or the start of a line) to `end` (0: all). */
int recording_file_begin(struct recording_file *file, uint64_t offset, uint64_t end, struct error *error);
/* For one that is not open, too. */
void recording_file_close(struct recording_file *file);
/* As recording_reader_next, with the times and offsets of the file. */
int recording_file_next(struct recording_file *file, struct recording_event *event, struct error *error);
/* An 'm' event "gap: …" at the last event's time and `next_offset`. Returns 1. */
int recording_file_tell_gap(struct recording_file *file, uint64_t next_offset, struct recording_event *event,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
