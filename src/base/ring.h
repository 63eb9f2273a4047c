/*
 * The memory ring (memfd) through which one output channel of an attempt reaches the host. The keeper makes it and
 * keeps it open; only the host reads the channel into it, so that a host killed at any moment loses no byte.
 * Layout: one page of header, then RING_SIZE bytes, which the host maps twice in a row. Positions are bytes since
 * the start of the attempt and never wrap. The rules of use, and why, are in host/ring.h.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <stdint.h>

#define RING_MAGIC 0x31676E72u /* "rng1" */
#define RING_HEADER_SIZE 4096
#define RING_SIZE (256 * 1024)
#define RING_GUARD 4096 /* bytes of 0xFF kept from head on; also the largest read */

/* What is committed to the recording; written to the slot that is not current, then `current` flips. */
struct ring_commit {
    uint64_t tail;            /* every byte before it is in the recording */
    uint64_t recorded_length; /* bytes of the recording file that are valid */
};

struct ring_header {
    uint32_t magic;
    uint32_t size;
    _Atomic uint64_t head; /* every byte before it has been read from the channel */
    struct ring_commit commits[2];
    _Atomic uint32_t current;
    /* The slice in work: published before its effects, so that a slice that crashes the host five times is known. */
    _Atomic uint64_t parsed;      /* every byte before it has had its effects (replies, events) */
    _Atomic uint64_t parsing_to;  /* end of the slice in work; equals `parsed` between slices */
    _Atomic uint64_t skip_to;     /* bytes before it, from `skip_from` on, are never parsed */
    _Atomic uint64_t skip_from;
    _Atomic uint32_t crashes;     /* in a row, of hosts in the slice [parsed, parsing_to) */
    _Atomic uint32_t reserved;
    _Atomic uint64_t event_seq;   /* highest event number given out, while the disk cannot say */
    /* The prompt being delivered (host/prompt.h); the host's own to interpret. */
    _Atomic uint64_t prompt_number;
    _Atomic uint32_t prompt_state;
    _Atomic uint32_t prompt_reserved;
};

#endif
