/*
 * The host's side of a ring (base/ring.h): reads an output channel of the agent into memory that the keeper holds too,
 * so that a host killed at any moment loses no byte and doubles none. Positions count bytes since the start of the
 * attempt:
 *
 *     tail <= parsed <= head <= tail + RING_SIZE
 *
 * Reading. SIGKILL is taken on the return from read(2): the bytes have left the channel, and `head` does not say so.
 * Therefore the RING_GUARD bytes from head on always hold 0xFF, a byte that no valid UTF-8 has. With 8 KiB free a
 * read first fills [head + 4096, head + 8192) with 0xFF, then reads at most 4,096 bytes at head, then advances
 * head: the guard of the next position is there before the bytes are. Whoever takes over keeps the bytes at head up to
 * the last that is not 0xFF.
 *
 * Recording. What is written to the recording at its committed length is published with the position it reaches, as one:
 * into the slot that is not current, then the index flips. A successor cuts the file to ring_recorded_length() and
 * records on from ring_tail(). Record up to ring_parsed(), not further, and leave out what was dropped
 * (ring_recordable): a recording then never holds bytes that kill the host that replays it.
 *
 * Parsing. A slice is published before it has effects. A slice in which RING_CRASHES hosts in a row died is dropped,
 * exactly it. Its successor is given the same slice again, so that it is known as the same one.
 *
 * ring_commit, ring_tail, ring_recorded_length, ring_bytes and ring_recordable may be used by one other thread than the
 * rest.
 */
#ifndef HOST_RING_H
#define HOST_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/ring.h"

#define RING_CRASHES 5

struct ring;

/*
 * Maps the ring and settles what a host before left undone. `taken_over`: there may have been one; its death in a slice
 * is counted. Takes the descriptor, also when it fails. NULL and the error when it is no ring.
 */
struct ring *ring_attach(int descriptor, bool taken_over, struct error *error);
void ring_detach(struct ring *ring);

/*
 * Reads once, at most RING_GUARD bytes, from a non-blocking channel. Returns how many; 0 at its end (EIO of a terminal
 * counts as that); -1 with errno ENOBUFS when the ring is full until something is committed, else EAGAIN, EINTR or why.
 */
ssize_t ring_read(struct ring *ring, int channel);

/*
 * Adds bytes as if they had been read from the channel: the ring of a terminal also takes what the host draws. Returns
 * how many it took, less than `length` when it is full. None of them is 0xFF.
 */
size_t ring_append(struct ring *ring, const char *bytes, size_t length);

/* Everything before it was read. */
uint64_t ring_head(const struct ring *ring);
/* The bytes from a position in [tail, head] on, in one piece up to head. */
const char *ring_bytes(const struct ring *ring, uint64_t from);

/* Gives memory that holds nothing of use back to the system; to be called when the program rests. */
void ring_relax(struct ring *ring);

/* ---- recording ---- */
uint64_t ring_tail(const struct ring *ring);
uint64_t ring_recorded_length(const struct ring *ring);
void ring_commit(struct ring *ring, uint64_t tail, uint64_t recorded_length);
/* How many bytes from *from on, before `to`, are to be recorded in one piece; *from is moved over a dropped slice. */
size_t ring_recordable(const struct ring *ring, uint64_t *from, uint64_t to);

/* ---- parsing ---- */
/* Everything before it had its effects, or was dropped. */
uint64_t ring_parsed(const struct ring *ring);
/* Publishes the next slice to parse, at most RING_GUARD bytes. Returns its length; 0: all was parsed. */
size_t ring_slice(struct ring *ring, const char **bytes);
/* The same for what a host before parsed and did not record: to be parsed without effects. 0: all was. */
size_t ring_replay_slice(struct ring *ring, const char **bytes);
/* The slice published last is done. */
void ring_slice_done(struct ring *ring);
/* How many hosts in a row died in the slice that comes next. */
unsigned ring_crashes(const struct ring *ring);
/* Slices dropped in this attempt. */
unsigned ring_dropped(const struct ring *ring);

/* ---- what the host keeps beside it ---- */
uint64_t ring_event_seq(const struct ring *ring);
void ring_set_event_seq(struct ring *ring, uint64_t seq);
/* Bytes missing from the recording of which no marker in it speaks yet (the writer thread's), and no event (the loop's). */
uint64_t ring_unmarked(const struct ring *ring);
void ring_set_unmarked(struct ring *ring, uint64_t bytes);
uint64_t ring_untold(const struct ring *ring);
void ring_set_untold(struct ring *ring, uint64_t bytes);
void ring_prompt(const struct ring *ring, uint64_t *number, uint32_t *state);
void ring_set_prompt(struct ring *ring, uint64_t number, uint32_t state);
/* Of that prompt, which write to the keeper comes next (the host's own to interpret); 0: not known. ring_set_prompt forgets
 * it. */
uint32_t ring_prompt_write(const struct ring *ring);
void ring_set_prompt_write(struct ring *ring, uint32_t write);

/* When the attempt started, by the monotonic clock; 0: not known. */
int64_t ring_started(const struct ring *ring);
void ring_set_started(struct ring *ring, int64_t started_ns);

/* As in struct ring_mark. */
struct ring_place {
    uint64_t line, drawn;
    int cols;
};
struct ring_place ring_place(const struct ring *ring);
void ring_set_place(struct ring *ring, struct ring_place place);

#endif
