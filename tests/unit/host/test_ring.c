/* The ring, with readers that are killed at any moment. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/ring.h"
#include "test.h"

/* As the keeper makes one. */
static int ring_make(void)
{
    struct ring_header header = {.magic = RING_MAGIC, .size = RING_SIZE};
    unsigned char guard[RING_GUARD];
    int ring = memfd_create("test-ring", MFD_CLOEXEC);

    memset(guard, 0xFF, sizeof guard);
    if (ftruncate(ring, RING_HEADER_SIZE + RING_SIZE) != 0 ||
        pwrite(ring, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        pwrite(ring, guard, sizeof guard, RING_HEADER_SIZE) != (ssize_t)sizeof guard)
        abort();
    return ring;
}

static struct ring *attach(int descriptor, bool taken_over)
{
    struct error error;

    return ring_attach(fcntl(descriptor, F_DUPFD_CLOEXEC, 3), taken_over, &error);
}

struct channel {
    int ring, in, out;
};

static void channel_open(struct channel *channel)
{
    int ends[2];

    channel->ring = ring_make();
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        abort();
    channel->out = ends[0];
    channel->in = ends[1];
}

static void channel_close(struct channel *channel)
{
    (void)close(channel->ring);
    (void)close(channel->in);
    (void)close(channel->out);
}

static void put(const struct channel *channel, const char *text)
{
    if (write(channel->in, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
}

TEST(bytes_arrive_and_the_end_is_seen)
{
    struct channel channel;
    struct ring *ring;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    CHECK_NUMBER(ring_read(ring, channel.out), -1);
    CHECK_NUMBER(errno, EAGAIN);
    put(&channel, "hello");
    CHECK_NUMBER(ring_read(ring, channel.out), 5);
    CHECK_NUMBER(ring_head(ring), 5);
    CHECK(memcmp(ring_bytes(ring, 1), "ello\xFF", 5) == 0);
    (void)close(channel.in);
    CHECK_NUMBER(ring_read(ring, channel.out), 0);
    channel.in = -1;
    ring_detach(ring);
    channel_close(&channel);
}

TEST(full_ring_refuses_until_a_commit)
{
    struct channel channel;
    struct ring *ring;
    static char block[RING_GUARD];
    uint64_t total = 0;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    memset(block, 'x', sizeof block);
    for (;;) {
        ssize_t got;
        CHECK_NUMBER(write(channel.in, block, sizeof block), sizeof block);
        got = ring_read(ring, channel.out);
        if (got < 0)
            break;
        total += (uint64_t)got;
    }
    CHECK_NUMBER(errno, ENOBUFS);
    CHECK_NUMBER(total, RING_SIZE - RING_GUARD);
    ring_commit(ring, 4096, 7);
    CHECK_NUMBER(ring_tail(ring), 4096);
    CHECK_NUMBER(ring_recorded_length(ring), 7);
    CHECK_NUMBER(ring_read(ring, channel.out), RING_GUARD);
    CHECK_NUMBER(ring_read(ring, channel.out), -1);
    ring_detach(ring);
    channel_close(&channel);
}

TEST(view_is_contiguous_across_the_seam)
{
    struct channel channel;
    struct ring *ring;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    for (unsigned i = 0; i < RING_SIZE / 8 * 3; i++) {
        char number[9];
        (void)snprintf(number, sizeof number, "%07u\n", i);
        put(&channel, number);
        if (i % 512 == 511) {
            CHECK_NUMBER(ring_read(ring, channel.out), RING_GUARD);
            CHECK(memcmp(ring_bytes(ring, ring_head(ring) - 8), number, 8) == 0);
            CHECK_NUMBER(atol(ring_bytes(ring, ring_head(ring) - RING_GUARD)), i - 511);
            ring_commit(ring, ring_head(ring), i);
        }
    }
    ring_detach(ring);
    channel_close(&channel);
}

TEST(what_was_read_but_not_published_is_found)
{
    struct channel channel;
    struct ring *ring;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    put(&channel, "one ");
    CHECK_NUMBER(ring_read(ring, channel.out), 4);
    ring_detach(ring);
    /* Killed on the return from the read of "two". */
    CHECK_NUMBER(pwrite(channel.ring, "two", 3, RING_HEADER_SIZE + 4), 3);
    ring = attach(channel.ring, true);
    CHECK_NUMBER(ring_head(ring), 7);
    CHECK(memcmp(ring_bytes(ring, 0), "one two\xFF", 8) == 0);
    ring_detach(ring);
    ring = attach(channel.ring, true);
    CHECK_NUMBER(ring_head(ring), 7);
    ring_detach(ring);
    channel_close(&channel);
}

TEST(what_is_no_ring_is_refused)
{
    struct error error;
    int wrong = memfd_create("wrong", MFD_CLOEXEC), ring = ring_make();
    uint64_t head = 10, tail = 20;

    CHECK(ring_attach(wrong, false, &error) == NULL);
    CHECK_NUMBER(pwrite(ring, &tail, sizeof tail, offsetof(struct ring_header, commits)), sizeof tail);
    CHECK_NUMBER(pwrite(ring, &head, sizeof head, offsetof(struct ring_header, head)), sizeof head);
    CHECK(attach(ring, true) == NULL);
    CHECK_NUMBER(pwrite(ring, "xxxx", 4, 0), 4);
    CHECK(attach(ring, false) == NULL);
    (void)close(ring);
}

TEST(slices_cover_what_was_read_once)
{
    struct channel channel;
    struct ring *ring;
    const char *bytes;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    CHECK_NUMBER(ring_slice(ring, &bytes), 0);
    put(&channel, "abc");
    CHECK_NUMBER(ring_read(ring, channel.out), 3);
    CHECK_NUMBER(ring_slice(ring, &bytes), 3);
    CHECK_NUMBER(ring_parsed(ring), 0);
    ring_slice_done(ring);
    CHECK_NUMBER(ring_parsed(ring), 3);
    CHECK_NUMBER(ring_slice(ring, &bytes), 0);
    ring_commit(ring, 1, 1);
    put(&channel, "def");
    CHECK_NUMBER(ring_read(ring, channel.out), 3);
    ring_detach(ring);
    /* The next host replays "bc" and parses "def". */
    ring = attach(channel.ring, true);
    CHECK_NUMBER(ring_crashes(ring), 0);
    CHECK_NUMBER(ring_replay_slice(ring, &bytes), 2);
    CHECK(memcmp(bytes, "bc", 2) == 0);
    ring_slice_done(ring);
    CHECK_NUMBER(ring_replay_slice(ring, &bytes), 0);
    CHECK_NUMBER(ring_slice(ring, &bytes), 3);
    CHECK(memcmp(bytes, "def", 3) == 0);
    ring_slice_done(ring);
    ring_detach(ring);
    channel_close(&channel);
}

TEST(slice_that_kills_five_hosts_is_dropped)
{
    struct channel channel;
    struct ring *ring;
    const char *bytes;
    uint64_t from = 0;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    put(&channel, "good ");
    CHECK_NUMBER(ring_read(ring, channel.out), 5);
    CHECK_NUMBER(ring_slice(ring, &bytes), 5);
    ring_slice_done(ring);
    put(&channel, "EVIL ");
    CHECK_NUMBER(ring_read(ring, channel.out), 5);
    for (unsigned crashes = 1; crashes <= RING_CRASHES; crashes++) {
        CHECK_NUMBER(ring_slice(ring, &bytes), 5);
        CHECK(memcmp(bytes, "EVIL ", 5) == 0);
        ring_detach(ring);
        ring = attach(channel.ring, true);
        CHECK_NUMBER(ring_crashes(ring), crashes % RING_CRASHES);
        /* What comes meanwhile does not make it another slice. */
        if (crashes == 1) {
            put(&channel, "fine");
            CHECK_NUMBER(ring_read(ring, channel.out), 4);
        }
    }
    CHECK_NUMBER(ring_dropped(ring), 1);
    CHECK_NUMBER(ring_slice(ring, &bytes), 4);
    CHECK(memcmp(bytes, "fine", 4) == 0);
    ring_slice_done(ring);
    CHECK_NUMBER(ring_parsed(ring), 14);
    /* Neither is it replayed nor recorded. */
    ring_detach(ring);
    ring = attach(channel.ring, true);
    CHECK_NUMBER(ring_replay_slice(ring, &bytes), 5);
    ring_slice_done(ring);
    CHECK_NUMBER(ring_replay_slice(ring, &bytes), 4);
    ring_slice_done(ring);
    CHECK_NUMBER(ring_recordable(ring, &from, 14), 5);
    from = 5;
    CHECK_NUMBER(ring_recordable(ring, &from, 14), 4);
    CHECK_NUMBER(from, 10);
    ring_detach(ring);
    channel_close(&channel);
}

TEST(success_forgets_the_crashes)
{
    struct channel channel;
    struct ring *ring;
    const char *bytes;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    put(&channel, "slow");
    CHECK_NUMBER(ring_read(ring, channel.out), 4);
    for (int round = 0; round < RING_CRASHES - 1; round++) {
        CHECK_NUMBER(ring_slice(ring, &bytes), 4);
        ring_detach(ring);
        ring = attach(channel.ring, true);
    }
    CHECK_NUMBER(ring_crashes(ring), RING_CRASHES - 1);
    CHECK_NUMBER(ring_slice(ring, &bytes), 4);
    ring_slice_done(ring);
    CHECK_NUMBER(ring_crashes(ring), 0);
    CHECK_NUMBER(ring_dropped(ring), 0);
    ring_detach(ring);
    channel_close(&channel);
}

TEST(appended_bytes_are_like_read_ones)
{
    struct channel channel;
    struct ring *ring;
    char piece[1000];
    size_t taken = 0, total = 0;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    CHECK_NUMBER(ring_append(ring, "drawn ", 6), 6);
    CHECK_NUMBER(write(channel.in, "read", 4), 4);
    CHECK_NUMBER(ring_read(ring, channel.out), 4);
    CHECK(memcmp(ring_bytes(ring, 0), "drawn read", 10) == 0);
    memset(piece, 'x', sizeof piece);
    while ((taken = ring_append(ring, piece, sizeof piece)) == sizeof piece)
        total += taken;
    CHECK(total + taken > RING_SIZE - 3 * RING_GUARD);
    CHECK_NUMBER(ring_read(ring, channel.out), -1);
    ring_commit(ring, ring_head(ring), 0);
    CHECK_NUMBER(ring_append(ring, piece, sizeof piece), sizeof piece);
    ring_detach(ring);
    ring = attach(channel.ring, true);
    CHECK_NUMBER(ring_head(ring), 10 + total + taken + sizeof piece);
    ring_detach(ring);
    channel_close(&channel);
}

TEST(places_are_kept)
{
    struct ring_place place = {.line = 5, .drawn = 70, .cols = 80}, kept;
    struct channel channel;
    struct ring *ring;

    channel_open(&channel);
    ring = attach(channel.ring, false);
    CHECK_NUMBER(ring_place(ring).line, 0);
    ring_set_place(ring, place);
    place.line = 6;
    ring_set_place(ring, place);
    ring_detach(ring);
    ring = attach(channel.ring, true);
    kept = ring_place(ring);
    CHECK_NUMBER(kept.line, 6);
    CHECK_NUMBER(kept.drawn, 70);
    CHECK_NUMBER(kept.cols, 80);
    ring_detach(ring);
    channel_close(&channel);
}

TEST(side_notes_are_kept)
{
    int descriptor = ring_make();
    struct ring *ring = attach(descriptor, false);
    uint64_t number;
    uint32_t state;

    ring_set_event_seq(ring, 77);
    ring_set_prompt(ring, 5, 2);
    ring_detach(ring);
    ring = attach(descriptor, true);
    CHECK_NUMBER(ring_event_seq(ring), 77);
    ring_prompt(ring, &number, &state);
    CHECK_NUMBER(number, 5);
    CHECK_NUMBER(state, 2);
    ring_detach(ring);
    (void)close(descriptor);
}

/* ---- torture ---- */

#define KILLS 200
#define TORTURE_NS (60 * 1000000000LL)

/* Numbered lines at full speed until the parent says so, then an end mark. */
static _Noreturn void talk(int terminal, const volatile bool *stop)
{
    char lines[8192];
    size_t length = 0;

    for (unsigned long number = 0;; number++) {
        length += (size_t)snprintf(lines + length, 64, "%lu\n", number);
        if (length < (number % 7 == 0 ? 10U : 2000U) && !*stop)
            continue;
        for (size_t at = 0; at < length;) {
            ssize_t sent = write(terminal, lines + at, length - at);
            if (sent <= 0)
                _exit(1);
            at += (size_t)sent;
        }
        length = 0;
        if (*stop)
            _exit(write(terminal, "end\n", 4) != 4);
    }
}

/* A host in small: reads, records at the committed length, commits. Ends when the channel does. */
static _Noreturn void host(int descriptor, int terminal, int file)
{
    struct ring *ring = attach(descriptor, true);
    uint64_t length = ring_recorded_length(ring);
    struct pollfd wait = {.fd = terminal, .events = POLLIN};

    if (ftruncate(file, (off_t)length) != 0)
        _exit(1);
    for (ssize_t got = 1; got != 0 || ring_tail(ring) < ring_head(ring);) {
        uint64_t tail = ring_tail(ring);
        size_t waiting;
        got = ring_read(ring, terminal);
        if (got < 0 && errno == EAGAIN)
            (void)poll(&wait, 1, 100);
        waiting = (size_t)(ring_head(ring) - tail);
        /* Late now and then, so that the ring fills. */
        if (waiting == 0 || (got > 0 && waiting < 100000 && tail % 3 != 0))
            continue;
        if (pwrite(file, ring_bytes(ring, tail), waiting, (off_t)length) != (ssize_t)waiting)
            _exit(1);
        length += waiting;
        ring_commit(ring, tail + waiting, length);
    }
    _exit(0);
}

/* A raw terminal, so that bytes pass unchanged. */
static int open_terminal(int *slave)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    struct termios modes;

    if (grantpt(terminal) != 0 || unlockpt(terminal) != 0)
        abort();
    *slave = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tcgetattr(*slave, &modes) != 0)
        abort();
    cfmakeraw(&modes);
    (void)tcsetattr(*slave, TCSANOW, &modes);
    return terminal;
}

/* Every line once and in order. Returns how many, or -1. */
static long check_lines(FILE *file)
{
    char line[64], expected[64];
    long count = 0;

    rewind(file);
    while (fgets(line, sizeof line, file) != NULL && strcmp(line, "end\n") != 0) {
        (void)snprintf(expected, sizeof expected, "%ld\n", count);
        if (strcmp(line, expected) != 0) {
            printf("# line %ld is %s", count, line);
            return -1;
        }
        count++;
    }
    return strcmp(line, "end\n") == 0 && fgets(line, sizeof line, file) == NULL ? count : -1;
}

TEST(killed_readers_lose_and_double_nothing)
{
    int descriptor = ring_make(), slave, terminal = open_terminal(&slave), status = -1, kills = 0;
    bool *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FILE *file = tmpfile();
    int64_t deadline = clock_monotonic_ns() + TORTURE_NS;
    unsigned random = (unsigned)getpid();
    pid_t talker = fork(), reader;
    long lines;

    if (talker == 0) {
        (void)close(terminal);
        talk(slave, stop);
    }
    (void)close(slave);
    while (clock_monotonic_ns() < deadline) {
        struct timespec pause = {.tv_nsec = 0};
        random = random * 1103515245 + 12345;
        pause.tv_nsec = (long)(random >> 8) % 12000000;
        reader = fork();
        if (reader == 0)
            host(descriptor, terminal, fileno(file));
        if (kills == KILLS) {
            *stop = true;
            CHECK(waitpid(reader, &status, 0) == reader);
            break;
        }
        (void)nanosleep(&pause, NULL);
        (void)kill(reader, SIGKILL);
        CHECK(waitpid(reader, &status, 0) == reader && WIFSIGNALED(status));
        kills++;
    }
    CHECK_NUMBER(kills, KILLS);
    CHECK_NUMBER(status, 0);
    CHECK(waitpid(talker, &status, 0) == talker && status == 0);
    lines = check_lines(file);
    printf("# %ld lines through %d kills\n", lines, kills);
    CHECK(lines > 1000);
    (void)fclose(file);
    (void)close(terminal);
    (void)close(descriptor);
    (void)munmap(stop, 4096);
}

TEST_MAIN
