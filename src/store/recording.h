/*
 * A recording: attempt-N.cast, asciicast v2. The first line is the header; then one JSON array a line: [seconds,
 * "o" output | "i" input | "m" marker | "r" resize, text]. Text is UTF-8; an unfinished sequence waits for the next
 * event, invalid bytes become U+FFFD. A file is cut to the length the ring last committed, so it never ends in a torn line.
 *
 * Encoding (any thread, no file) is apart from writing (the host's writer thread).
 */
#ifndef STORE_RECORDING_H
#define STORE_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* The header line, with \n. `command` and `title` may be NULL. */
void recording_encode_header(struct buffer *out, int cols, int rows, int64_t started_ms, const char *command,
                             const char *title);
/*
 * Appends an output event (time in ns since the attempt's start). Returns how many bytes were taken: all but an unfinished
 * UTF-8 tail of at most 3, unless `last`. Nothing is appended when nothing was taken.
 */
size_t recording_encode_output(struct buffer *out, int64_t at_ns, const char *bytes, size_t length, int last);
void recording_encode_resize(struct buffer *out, int64_t at_ns, int cols, int rows);
void recording_encode_marker(struct buffer *out, int64_t at_ns, const char *label);

/* Opens (or makes) DIR/attempt-N.cast for reading and writing, cut to `length` bytes, its offset at the end. A file that
 * is shorter (the machine went down) is never lengthened, but cut after its last whole line. Returns a descriptor or -1. */
int recording_open(int session_dir, unsigned attempt, uint64_t length, struct error *error);

/* ---- reading ---- */
struct recording_event {
    double seconds;
    char type;        /* 'o', 'i', 'm', 'r' */
    const char *text; /* decoded, NUL-terminated after `length` bytes; valid until the next call */
    size_t length;
    uint64_t next_offset; /* of the file, after this event */
};
struct recording_reader;

/* Reads from `offset` (0: from the header; else the start of a line) to `end` (0: to the end of file). A torn last line
 * ends the reading without an error. Takes the descriptor, also when it fails: NULL for a file without the header of an
 * asciicast v2. */
struct recording_reader *recording_reader_create(int descriptor, uint64_t offset, uint64_t end,
                                                 struct error *error);
void recording_reader_destroy(struct recording_reader *reader);
/* Size from the header, 1 to 1000 columns and rows (80x24 when the header does not say or was not read). */
void recording_reader_size(const struct recording_reader *reader, int *cols, int *rows);
/* 1 and the event, 0 at the end, -1 on an error. Lines that are not events are skipped. Large files are read in blocks.
 * `text` is what the file says: in a foreign one it may hold NUL bytes and invalid UTF-8. */
int recording_reader_next(struct recording_reader *reader, struct recording_event *event,
                          struct error *error);

#endif
