#include "host/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

struct ring {
    struct ring_header *header;
    unsigned char *bytes; /* RING_SIZE of them, mapped twice in a row */
    uint64_t filled_to;   /* 0xFF from head to here; this host's own knowledge */
    uint64_t replayed;
    bool replaying; /* the slice in work is one of ring_replay_slice */
};

#define LOAD(field) atomic_load_explicit(&(field), memory_order_acquire)
#define STORE(field, value) atomic_store_explicit(&(field), value, memory_order_release)

static unsigned char *at(const struct ring *ring, uint64_t position)
{
    return ring->bytes + position % RING_SIZE;
}

/* ---- attaching ---- */

static int map_twice(struct ring *ring, int descriptor)
{
    unsigned char *area = mmap(NULL, 2 * RING_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED)
        return -1;
    ring->bytes = area;
    for (size_t i = 0; i < 2; i++) {
        if (mmap(area + i * RING_SIZE, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor,
                 RING_HEADER_SIZE) == MAP_FAILED)
            return -1;
    }
    return 0;
}

static int map(struct ring *ring, int descriptor, struct error *error)
{
    struct stat status;
    void *header;

    if (fstat(descriptor, &status) != 0 || status.st_size != RING_HEADER_SIZE + RING_SIZE)
        return error_set(error, "the ring has a wrong size");
    header = mmap(NULL, RING_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (header == MAP_FAILED)
        return error_errno(error, "cannot map the ring");
    ring->header = header;
    if (map_twice(ring, descriptor) != 0)
        return error_errno(error, "cannot map the ring");
    if (ring->header->magic != RING_MAGIC || ring->header->size != RING_SIZE)
        return error_set(error, "the ring has a wrong header");
    return 0;
}

/* The bytes that were read and not published, then the guard behind them. */
static int recover_head(struct ring *ring, struct error *error)
{
    uint64_t head = ring_head(ring), tail = ring_tail(ring);
    size_t unpublished = RING_GUARD;

    if (tail > head || head - tail > RING_SIZE - RING_GUARD)
        return error_set(error, "the ring's positions contradict each other");
    while (unpublished > 0 && at(ring, head)[unpublished - 1] == 0xFF)
        unpublished--;
    if (head + unpublished + RING_GUARD - tail > RING_SIZE)
        return error_set(error, "the ring holds more than fits");
    memset(at(ring, head + unpublished), 0xFF, RING_GUARD);
    STORE(ring->header->head, head + unpublished);
    ring->filled_to = head + unpublished + RING_GUARD;
    return 0;
}

static void drop_slice(struct ring_header *header, uint64_t from, uint64_t to)
{
    uint32_t count = LOAD(header->skip_count);

    STORE(header->skips[count % RING_SKIPS].from, from);
    STORE(header->skips[count % RING_SKIPS].to, to);
    STORE(header->skip_count, count + 1);
    STORE(header->crashes, 0);
}

/* The host before died in a slice, or between two. */
static void count_crash(struct ring *ring)
{
    struct ring_header *header = ring->header;
    uint64_t from = LOAD(header->parsing_from), to = LOAD(header->parsing_to);
    uint32_t crashes = LOAD(header->crashes);

    STORE(header->parsing_to, from);
    if (from >= to || to > ring_head(ring) || to - from > RING_GUARD)
        return;
    crashes = from == LOAD(header->crash_from) ? crashes + 1 : 1;
    STORE(header->crash_from, from);
    STORE(header->crash_to, to);
    STORE(header->crashes, crashes);
    if (crashes >= RING_CRASHES)
        drop_slice(header, from, to);
}

struct ring *ring_attach(int descriptor, bool taken_over, struct error *error)
{
    struct ring *ring = xcalloc(1, sizeof *ring);
    int result = map(ring, descriptor, error);

    if (result == 0)
        result = recover_head(ring, error);
    (void)close(descriptor);
    if (result != 0) {
        ring_detach(ring);
        return NULL;
    }
    if (taken_over)
        count_crash(ring);
    /* What is recorded was replayed from the recording. */
    if (ring_parsed(ring) < ring_tail(ring) || ring_parsed(ring) > ring_head(ring))
        STORE(ring->header->parsed, ring_tail(ring));
    ring->replayed = ring_tail(ring);
    return ring;
}

void ring_detach(struct ring *ring)
{
    if (ring == NULL)
        return;
    if (ring->bytes != NULL)
        (void)munmap(ring->bytes, 2 * RING_SIZE);
    if (ring->header != NULL)
        (void)munmap(ring->header, RING_HEADER_SIZE);
    free(ring);
}

void ring_relax(struct ring *ring)
{
    uint64_t page = RING_HEADER_SIZE;
    uint64_t from = (ring->filled_to + page - 1) / page * page;
    uint64_t to = (ring_tail(ring) + RING_SIZE) / page * page;

    if (ring->filled_to >= ring_head(ring) + RING_GUARD && from < to)
        (void)madvise(at(ring, from), (size_t)(to - from), MADV_REMOVE);
}

/* ---- reading ---- */

/* Makes the guard of the next position; false when there is no room for it. */
static bool guard_next(struct ring *ring, uint64_t head)
{
    if (head + 2 * RING_GUARD - ring_tail(ring) > RING_SIZE)
        return false;
    memset(at(ring, ring->filled_to), 0xFF, (size_t)(head + 2 * RING_GUARD - ring->filled_to));
    ring->filled_to = head + 2 * RING_GUARD;
    return true;
}

ssize_t ring_read(struct ring *ring, int channel)
{
    uint64_t head = ring_head(ring);
    ssize_t got;

    if (!guard_next(ring, head)) {
        errno = ENOBUFS;
        return -1;
    }
    got = read(channel, at(ring, head), RING_GUARD);
    if (got > 0)
        STORE(ring->header->head, head + (uint64_t)got);
    return got < 0 && errno == EIO ? 0 : got;
}

size_t ring_append(struct ring *ring, const char *bytes, size_t length)
{
    size_t done = 0;

    while (done < length && guard_next(ring, ring_head(ring))) {
        uint64_t head = ring_head(ring);
        size_t part = length - done < RING_GUARD ? length - done : RING_GUARD;
        volatile unsigned char *to = at(ring, head);
        /* In order, which memcpy is not: a host killed in between leaves a beginning. */
        for (size_t i = 0; i < part; i++)
            to[i] = (unsigned char)bytes[done + i];
        STORE(ring->header->head, head + part);
        done += part;
    }
    return done;
}

uint64_t ring_head(const struct ring *ring)
{
    return LOAD(ring->header->head);
}

const char *ring_bytes(const struct ring *ring, uint64_t from)
{
    return (const char *)at(ring, from);
}

/* ---- recording ---- */

static const struct ring_commit *committed(const struct ring *ring)
{
    return &ring->header->commits[LOAD(ring->header->current) & 1];
}

uint64_t ring_tail(const struct ring *ring)
{
    return LOAD(committed(ring)->tail);
}

uint64_t ring_recorded_length(const struct ring *ring)
{
    return LOAD(committed(ring)->recorded_length);
}

void ring_commit(struct ring *ring, uint64_t tail, uint64_t recorded_length)
{
    uint32_t other = (LOAD(ring->header->current) & 1) ^ 1;
    struct ring_commit *commit = &ring->header->commits[other];

    STORE(commit->tail, tail);
    STORE(commit->recorded_length, recorded_length);
    STORE(ring->header->current, other);
}

/* The first dropped slice that ends behind `from`; false when there is none. */
static bool next_dropped(const struct ring *ring, uint64_t from, uint64_t *start, uint64_t *end)
{
    uint32_t count = LOAD(ring->header->skip_count);
    bool found = false;

    for (uint32_t i = 0; i < RING_SKIPS && i < count; i++) {
        uint64_t skip_from = LOAD(ring->header->skips[i].from), skip_to = LOAD(ring->header->skips[i].to);
        if (skip_to <= from || (found && skip_from >= *start))
            continue;
        *start = skip_from;
        *end = skip_to;
        found = true;
    }
    return found;
}

size_t ring_recordable(const struct ring *ring, uint64_t *from, uint64_t to)
{
    uint64_t start = 0, end = 0;

    while (next_dropped(ring, *from, &start, &end)) {
        if (start > *from) {
            to = start < to ? start : to;
            break;
        }
        *from = end;
    }
    return *from < to ? (size_t)(to - *from) : 0;
}

/* ---- parsing ---- */

uint64_t ring_parsed(const struct ring *ring)
{
    return LOAD(ring->header->parsed);
}

unsigned ring_crashes(const struct ring *ring)
{
    return LOAD(ring->header->crashes);
}

unsigned ring_dropped(const struct ring *ring)
{
    return LOAD(ring->header->skip_count);
}

/* Publishes a slice of [*position, end); moves *position over what was dropped. */
static size_t publish(struct ring *ring, uint64_t *position, uint64_t end, const char **bytes)
{
    struct ring_header *header = ring->header;
    size_t length = ring_recordable(ring, position, end);
    bool again = LOAD(header->crashes) > 0 && LOAD(header->crash_from) == *position;
    size_t longest = again ? (size_t)(LOAD(header->crash_to) - *position) : RING_GUARD;

    if (length == 0)
        return 0;
    length = length < longest ? length : longest;
    STORE(header->parsing_to, 0);
    STORE(header->parsing_from, *position);
    STORE(header->parsing_to, *position + length);
    *bytes = ring_bytes(ring, *position);
    return length;
}

size_t ring_slice(struct ring *ring, const char **bytes)
{
    uint64_t position = ring_parsed(ring);
    size_t length = publish(ring, &position, ring_head(ring), bytes);

    ring->replaying = false;
    STORE(ring->header->parsed, position);
    return length;
}

size_t ring_replay_slice(struct ring *ring, const char **bytes)
{
    ring->replaying = true;
    return publish(ring, &ring->replayed, ring_parsed(ring), bytes);
}

void ring_slice_done(struct ring *ring)
{
    struct ring_header *header = ring->header;
    uint64_t to = LOAD(header->parsing_to);

    if (ring->replaying)
        ring->replayed = to;
    else
        STORE(header->parsed, to);
    STORE(header->parsing_from, to);
    if (LOAD(header->crashes) > 0 && to >= LOAD(header->crash_to))
        STORE(header->crashes, 0);
}

/* ---- what the host keeps beside it ---- */

uint64_t ring_event_seq(const struct ring *ring)
{
    return LOAD(ring->header->event_seq);
}

void ring_set_event_seq(struct ring *ring, uint64_t seq)
{
    STORE(ring->header->event_seq, seq);
}

uint64_t ring_unmarked(const struct ring *ring)
{
    return LOAD(ring->header->unmarked);
}

void ring_set_unmarked(struct ring *ring, uint64_t bytes)
{
    STORE(ring->header->unmarked, bytes);
}

uint64_t ring_untold(const struct ring *ring)
{
    return LOAD(ring->header->untold);
}

void ring_set_untold(struct ring *ring, uint64_t bytes)
{
    STORE(ring->header->untold, bytes);
}

int64_t ring_started(const struct ring *ring)
{
    return (int64_t)LOAD(ring->header->started_ns);
}

void ring_set_started(struct ring *ring, int64_t started_ns)
{
    STORE(ring->header->started_ns, (uint64_t)started_ns);
}

void ring_prompt(const struct ring *ring, uint64_t *number, uint32_t *state)
{
    *number = LOAD(ring->header->prompt_number);
    *state = LOAD(ring->header->prompt_state);
}

void ring_set_prompt(struct ring *ring, uint64_t number, uint32_t state)
{
    /* A successor that finds the number changed alone takes the new prompt as queued. */
    if (ring->header->prompt_number != number)
        STORE(ring->header->prompt_state, 0);
    STORE(ring->header->prompt_write, 0);
    STORE(ring->header->prompt_number, number);
    STORE(ring->header->prompt_state, state);
}

uint32_t ring_prompt_write(const struct ring *ring)
{
    return LOAD(ring->header->prompt_write);
}

void ring_set_prompt_write(struct ring *ring, uint32_t write)
{
    STORE(ring->header->prompt_write, write);
}

struct ring_place ring_place(const struct ring *ring)
{
    const struct ring_mark *mark = &ring->header->marks[LOAD(ring->header->mark) & 1];

    return (struct ring_place){
        .line = LOAD(mark->line), .drawn = LOAD(mark->drawn), .cols = (int)LOAD(mark->cols)};
}

void ring_set_place(struct ring *ring, struct ring_place place)
{
    uint32_t other = (LOAD(ring->header->mark) & 1) ^ 1;
    struct ring_mark *mark = &ring->header->marks[other];

    STORE(mark->line, place.line);
    STORE(mark->drawn, place.drawn);
    STORE(mark->cols, (uint64_t)place.cols);
    STORE(ring->header->mark, other);
}
