/*
 * The recording of an attempt, asciicast v2: attempt-N.cast and, once that is long enough (limits.recording_bytes), further
 * parts attempt-N.2.cast, attempt-N.3.cast … Each part plays by itself in asciinema. A part that is complete is compressed:
 * attempt-N.K.cast.zst replaces attempt-N.K.cast, in frames of which each says its size, so that one can begin anywhere.
 *
 * The first line of a part is the header; then one JSON array a line: [seconds, "o" output | "i" input | "m" marker | "r"
 * resize, text]. Text is UTF-8; an unfinished sequence waits for the next event, invalid bytes become U+FFFD. The header of
 * part K above 1 has "ganger": {"part": K, "offset": O, "start_s": S, "screen": true}: the part begins at offset O of the
 * whole recording and S seconds after the attempt's start (its times count from there). With "screen": true its first event
 * draws the screen as it was: no output of the agent, left out when all parts are read as one.
 *
 * Offsets count the bytes of all parts, headers included, uncompressed. The ring's committed length is such an offset; the
 * last part is cut to it, so a recording never ends in a torn line.
 *
 * Encoding (any thread, no file) is apart from writing (the host's writer thread).
 */
#ifndef STORE_RECORDING_H
#define STORE_RECORDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* The header line, with \n. `command` and `title` may be NULL. */
void recording_encode_header(struct buffer *out, int cols, int rows, int64_t started_ms, const char *command,
                             const char *title);
/* The same of a recording that another one is made of: what that does not say (0, NULL) is not said. */
void recording_encode_copied_header(struct buffer *out, int cols, int rows, int64_t started_s,
                                    const char *title, const char *term);
/*
 * Appends an output event (time in ns since the attempt's start). Returns how many bytes were taken: all but an unfinished
 * UTF-8 tail of at most 3, unless `last`. Nothing is appended when nothing was taken.
 */
size_t recording_encode_output(struct buffer *out, int64_t at_ns, const char *bytes, size_t length, int last);
void recording_encode_resize(struct buffer *out, int64_t at_ns, int cols, int rows);
void recording_encode_marker(struct buffer *out, int64_t at_ns, const char *label);

/* Of a further part; the header's times and offset are above. `screen` (may be NULL) becomes the first event. */
void recording_encode_part(struct buffer *out, unsigned part, uint64_t offset, int64_t start_ns, int cols,
                           int rows, int64_t now_ms, const char *command, const char *screen,
                           size_t screen_length);
/* What a person typed. */
void recording_encode_input(struct buffer *out, int64_t at_ns, const char *bytes, size_t length);

/* ---- parts ---- */

#define RECORDING_NAME_SIZE 48
/* "attempt-N.cast", "attempt-N.K.cast" for K above 1. */
void recording_part_name(unsigned attempt, unsigned part, char name[RECORDING_NAME_SIZE]);

/* The part that is written. */
struct recording_part {
    int file;         /* for reading and writing, its offset at the end; the caller closes it */
    unsigned part;    /* from 1 */
    uint64_t offset;  /* at which it begins in the whole recording */
    int64_t start_ns; /* after the attempt's start */
};

/* The highest attempt of which there is a recording; 0: there is none, or the folder cannot be read. */
unsigned recording_last_attempt(int session_dir);
/* Opens the last part (or makes the first), cut so that the whole recording has `length` bytes, at least its header and first
 * drawing. A part that was begun beyond `length` and has no whole header is removed. What is shorter (the machine went down) is
 * never lengthened, but cut after its last whole line. Returns 0 or -1. */
int recording_part_open(int session_dir, unsigned attempt, uint64_t length, struct recording_part *part,
                        struct error *error);
/* Makes part `part`, empty. A descriptor or -1. */
int recording_part_create(int session_dir, unsigned attempt, unsigned part, struct error *error);
/* Removes the parts of the attempt below part `before`; 0: all of them. Returns 0 or -1. */
int recording_remove(int session_dir, unsigned attempt, unsigned before, struct error *error);
/*
 * Compresses the parts of all attempts that are complete: those after which another one has begun. So the last part of each
 * stays as it is, also that which is being written. What an earlier call left half done is done again. Takes its time: up to a
 * few seconds of processor time a part; `stop` (may be NULL) is looked at in between. A part that another process compresses is
 * left to it. Returns 0 (also when stopped) or -1.
 */
int recording_compress(int session_dir, const atomic_bool *stop, struct error *error);
/* How many parts are complete and not compressed. */
unsigned recording_uncompressed(int session_dir);

/* ---- reading ---- */
struct recording_event {
    double seconds;   /* after the start of the recording */
    char type;        /* 'o', 'i', 'm', 'r' */
    const char *text; /* decoded, NUL-terminated after `length` bytes; valid until the next call */
    size_t length;
    uint64_t next_offset; /* of the recording, after this event */
};
struct recording_reader;

/* The recording of an attempt, all parts as one, from `offset` (0: from the beginning; else the start of a line) to `end` (0:
 * to the end of what there is). A torn last line ends the reading without an error; a part that is missing or damaged is
 * passed over, and an 'm' event "gap: …" says so. NULL: no such recording (error.code ENOENT), or it cannot be read. */
struct recording_reader *recording_reader_attempt(int session_dir, unsigned attempt, uint64_t offset,
                                                  uint64_t end, struct error *error);
/*
 * A file of any tool: asciicast v1, v2 or v3, plain, gzip'd or zstd'd, and attempt-N.K.cast[.zst] of a session folder as the
 * part it is. Times and offsets are those of the file; offset is 0 or, in an uncompressed v2, the start of a line. Takes the
 * descriptor, also when it fails. An error says what the file is instead and what to do.
 */
struct recording_reader *recording_reader_file(int descriptor, uint64_t offset, uint64_t end,
                                               struct error *error);
void recording_reader_destroy(struct recording_reader *reader);
/* Size from the header, 1 to 1000 columns and rows (80x24 when the header does not say or was not read). */
void recording_reader_size(const struct recording_reader *reader, int *cols, int *rows);
/* Of the header; NULL or 0 when it does not say. Valid as long as the reader. */
const char *recording_reader_title(const struct recording_reader *reader);
/* What kind of terminal it was recorded for: TERM. */
const char *recording_reader_term(const struct recording_reader *reader);
int64_t recording_reader_started_s(const struct recording_reader *reader);
/* How many bytes there are in all, or 0 when that is not known before they were read (gzip). */
uint64_t recording_reader_length(const struct recording_reader *reader);
/* How many whole lines, of those that were read, were no events; empty lines and comments are not counted. */
uint64_t recording_reader_left_out(const struct recording_reader *reader);
/* Whether the reading ended in the middle of a line, or of a compressed file. */
bool recording_reader_torn(const struct recording_reader *reader);

/* 1 and the event, 0 at the end, -1 on an error. Lines that are not events are skipped. Large files are read in blocks.
 * `text` is what the file says: in a foreign one it may hold NUL bytes and invalid UTF-8. */
int recording_reader_next(struct recording_reader *reader, struct recording_event *event,
                          struct error *error);

#endif
