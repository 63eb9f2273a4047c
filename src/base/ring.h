/*
 * The memory ring (memfd) through which one output channel of an attempt reaches the host. The keeper makes
 * it and keeps it open; only the host reads the channel into it, so that a host killed at any moment loses no
 * byte. Layout: one page of header, then RING_SIZE bytes, which the host maps twice in a row. Positions are
 * bytes since the start of the attempt and never wrap. The rules of use, and why, are in host/ring.h.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <stdint.h>

#define RING_MAGIC 0x31676E72u /* "rng1" */
#define RING_HEADER_SIZE 4096
#define RING_SIZE (256 * 1024)
#define RING_GUARD 4096 /* bytes of 0xFF kept from head on; also the largest read */

#define RING_SKIPS 8

/* What is committed to the recording; written to the slot that is not current, then `current` flips. */
struct ring_commit {
    _Atomic uint64_t tail;            /* every byte before it is in the recording */
    _Atomic uint64_t recorded_length; /* bytes of the recording file that are valid */
};

/* A slice that is never parsed again: [from, to). */
struct ring_skip {
    _Atomic uint64_t from;
    _Atomic uint64_t to;
};

/* Where the program's lines and what was drawn of them meet (stream mode; host/stream.h). */
struct ring_mark {
    _Atomic uint64_t line;  /* position at which the oldest line begins that may not be drawn whole */
    _Atomic uint64_t drawn; /* the terminal's position when its drawing began */
    _Atomic uint64_t cols;  /* and the columns it was drawn for */
};

struct ring_header {
    uint32_t magic;
    uint32_t size;
    _Atomic uint64_t head; /* every byte before it has been read from the channel */
    struct ring_commit commits[2];
    _Atomic uint32_t current;
    /* The slice in work: published before its effects, so that a slice that crashes the host five times is
     * known. */
    _Atomic uint64_t parsed;       /* every byte before it has had its effects (replies, events) */
    _Atomic uint64_t parsing_from; /* the slice: at `parsed`, or below it while an older part is replayed */
    _Atomic uint64_t parsing_to;   /* equals `parsing_from` between slices */
    _Atomic uint64_t crash_from;   /* the slice that hosts crashed in, `crashes` times in a row */
    _Atomic uint64_t crash_to;
    _Atomic uint32_t crashes;
    _Atomic uint32_t skip_count; /* slices dropped so far; the last RING_SKIPS are in `skips` */
    struct ring_skip skips[RING_SKIPS];
    _Atomic uint64_t event_seq; /* highest event number given out, while the disk cannot say */
    /* The prompt being delivered (host/prompt.h); the host's own to interpret. */
    _Atomic uint64_t prompt_number;
    _Atomic uint32_t prompt_state;
    _Atomic uint32_t prompt_write;
    /* Of the ring of a program's standard output; written to the slot that is not current, then `mark` flips. */
    struct ring_mark marks[2];
    _Atomic uint32_t mark;
    _Atomic uint32_t mark_reserved;
    _Atomic uint64_t started_ns; /* of the attempt, by the monotonic clock; 0: not known */
    /* Bytes that are missing from the recording, of which no marker in it speaks, and of which no event does. */
    _Atomic uint64_t unmarked;
    _Atomic uint64_t untold;
};

#endif
