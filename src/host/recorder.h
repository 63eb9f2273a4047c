/*
 * The one writer thread of a host (64 KiB of stack): it owns the recording, events.jsonl, transcript.log and
 * session.json, so that a slow disk never stops the loop. Jobs are carried out in the order in which they
 * were given. Output is not copied: the thread encodes it from the ring, and frees it there once it is in
 * the recording; small amounts of it wait for other work or recorder_flush.
 *
 * Two more threads come and go: one makes what was written durable, RECORDER_SYNC_MS after the first write that is not, so
 * that a slow disk does not fill the ring; one compresses complete parts of the recording, at the lowest priority.
 *
 * All functions are for the loop thread and return at once, but recorder_drain and recorder_destroy.
 * Times are nanoseconds since the start of the attempt.
 */
#ifndef HOST_RECORDER_H
#define HOST_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mask.h"
#include "host/ring.h"
#include "store/recording.h"

#define RECORDER_SYNC_MS 600

struct recorder;

/* Starts the thread. `session_dir` stays the caller's; `events` is from event_log_open and taken. */
struct recorder *recorder_create(int session_dir, int events, struct error *error);
/* Finishes all jobs (at most `wait_ms`), ends the thread and frees it. */
void recorder_destroy(struct recorder *recorder, int wait_ms);

/* From here on the values are masked in all that is written, but in events, checkpoints: their makers do that. Taken. What
 * may be the beginning of a value waits, in the ring, for what follows it or for the end. */
void recorder_mask(struct recorder *recorder, struct mask *mask);

/* Becomes readable when there is news. */
int recorder_descriptor(const struct recorder *recorder);
struct recorder_news {
    uint64_t events; /* every event up to this number is in events.jsonl, or can not be written */
    uint64_t stored; /* that much was in events.jsonl after the last write that succeeded */
    bool room;       /* space in the ring was freed after recorder_await_room */
    bool problem;    /* a file cannot be written; text says which and why */
    bool mended;     /* what could not be written can be again */
    uint64_t lost;   /* bytes of output that are missing from the recording, since the last news */
    uint64_t events_from,
        events_to; /* events that are missing from events.jsonl, since the last news; 0: none */
    bool changed;  /* another part is written, or the recording is complete */
    char text[256];
};
void recorder_collect(struct recorder *recorder, struct recorder_news *news);

struct recorder_recording {
    uint32_t attempt;
    struct ring *ring;
    struct recording_part part; /* from recording_part_open; its file is taken, -1: it could not be opened */
    uint64_t part_bytes;        /* a part of this size is complete */
    bool keep;                  /* else complete parts are removed, and everything at the end */
    int cols, rows;
    int64_t started_ms; /* wall clock */
};

/* From here on output is recorded, from the ring's tail on. A file that is empty is given its header first; one that could
 * not be opened is tried again. */
void recorder_begin(struct recorder *recorder, const struct recorder_recording *recording);
/* Whether another part is to be begun, as soon as the screen can be drawn. */
bool recorder_part_full(struct recorder *recorder);
/* Begins another part after the output up to `position`, with what draws the screen as it is there. Takes `drawing`. When it
 * cannot be, the part goes on and recorder_part_full says so again later. Parts that are not kept are removed up to the last
 * checkpoint. */
void recorder_rotate(struct recorder *recorder, uint64_t position, int64_t at_ns, int cols, int rows,
                     char *drawing, size_t length);
/* The ring holds output up to the stream position `to`. */
void recorder_output(struct recorder *recorder, uint64_t to, int64_t at_ns);
void recorder_resize(struct recorder *recorder, int64_t at_ns, int cols, int rows);
void recorder_marker(struct recorder *recorder, int64_t at_ns, const char *label);
/* What a person typed. */
void recorder_input(struct recorder *recorder, int64_t at_ns, const char *bytes, size_t length);
/* Nothing more comes: an unfinished UTF-8 tail is written too and the file closed. */
void recorder_end(struct recorder *recorder, int64_t at_ns);

/*
 * What a program in stream mode prints is kept too: bytes of `ring` go to `file` (taken; -1: nowhere) at the offset of
 * their position, and are freed in the ring then, whether they could be written or not. A long file loses its middle.
 */
void recorder_stream_begin(struct recorder *recorder, struct ring *ring, int file);
/* The ring holds what was read up to the position `to`. Waits for other work or recorder_flush, if it is little. */
void recorder_stream(struct recorder *recorder, uint64_t to);
/* Gives up what is before `to` and not written. Only while stalled. */
void recorder_stream_drop(struct recorder *recorder, uint64_t to);
void recorder_stream_end(struct recorder *recorder);

/* An event's line, without \n. */
void recorder_event(struct recorder *recorder, uint64_t seq, const char *text, size_t length);
/* Replaces a file of the session folder atomically. Takes `text` (malloc). A waiting job for the same file is
 * given the new text. */
void recorder_file(struct recorder *recorder, const char *name, char *text, size_t length);
/* Appends to transcript.log and notes that it holds the lines before `next_line` of the attempt. Takes text. */
void recorder_transcript(struct recorder *recorder, char *text, size_t length, uint32_t attempt,
                         uint64_t next_line);
/* A checkpoint of the stream up to `position`, which is where recorder_output stands. Takes `state`. */
void recorder_checkpoint(struct recorder *recorder, uint32_t attempt, uint64_t position, char *state,
                         size_t length);

/* Output that waits is written. */
void recorder_flush(struct recorder *recorder);
/* The ring is full: asks for news when there is room. */
void recorder_await_room(struct recorder *recorder);
/* True when the thread has been within one file operation for `ns`. */
bool recorder_stalled(struct recorder *recorder, int64_t ns);
/* Gives up the output before `to` that is not recorded yet. Only while stalled. */
void recorder_drop(struct recorder *recorder, uint64_t to);
/* Waits until every job given so far is done. False when that took longer than wait_ms. */
bool recorder_drain(struct recorder *recorder, int wait_ms);
/* Bytes of the recording, and the part that is written. */
uint64_t recorder_length(struct recorder *recorder);
unsigned recorder_part(struct recorder *recorder);

#endif
