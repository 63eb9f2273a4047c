/* The writer thread, with real files. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/recorder.h"
#include "scratch.h"
#include "store/checkpoint.h"
#include "store/event_log.h"
#include "store/recording.h"
#include "test.h"

#define WAIT_MS 10000

struct bench {
    char *path;
    int folder;
    int in;
    int out;
    struct ring *ring;
    struct recorder *recorder;
};

static struct ring *make_ring(void)
{
    struct ring_header header = {.magic = RING_MAGIC, .size = RING_SIZE};
    unsigned char guard[RING_GUARD];
    int ring = memfd_create("test-ring", MFD_CLOEXEC);

    memset(guard, 0xFF, sizeof guard);
    if (ftruncate(ring, RING_HEADER_SIZE + RING_SIZE) != 0 ||
        pwrite(ring, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        pwrite(ring, guard, sizeof guard, RING_HEADER_SIZE) != (ssize_t)sizeof guard)
        abort();
    return ring_attach(ring, false, NULL);
}

static void bench_open(struct bench *bench)
{
    struct event_log_end end;
    int ends[2], events;

    bench->path = scratch_folder();
    bench->folder = open(bench->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bench->ring = make_ring();
    events = event_log_open(bench->folder, &end, NULL);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        abort();
    bench->out = ends[0];
    bench->in = ends[1];
    bench->recorder = recorder_create(bench->folder, events, NULL);
}

static void bench_close(struct bench *bench)
{
    recorder_destroy(bench->recorder, WAIT_MS);
    ring_detach(bench->ring);
    close(bench->folder);
    close(bench->in);
    close(bench->out);
    free(bench->path);
}

/* Bytes through the ring, as the loop would bring them. */
static void output(struct bench *bench, const char *text, int64_t at_ns)
{
    const char *bytes;

    if (write(bench->in, text, strlen(text)) != (ssize_t)strlen(text) ||
        ring_read(bench->ring, bench->out) < 0)
        abort();
    while (ring_slice(bench->ring, &bytes) > 0)
        ring_slice_done(bench->ring);
    recorder_output(bench->recorder, ring_parsed(bench->ring), at_ns);
}

/* `*bytes` is allocated; NULL when the file cannot be read. */
static void read_content(const struct bench *bench, const char *name, char **bytes)
{
    char *path = path_join(bench->path, name);
    size_t length;

    *bytes = NULL;
    (void)path_read_file(path, 1 << 20, bytes, &length, NULL);
    free(path);
}

static bool in_order(const char *text, const char *first, const char *second)
{
    const char *at = strstr(text, first);

    return at != NULL && strstr(at, second) != NULL;
}

static void begin_with(struct bench *bench, uint64_t length, uint64_t part_bytes, bool keep)
{
    struct recorder_recording recording = {.attempt = 1,
                                           .ring = bench->ring,
                                           .part_bytes = part_bytes,
                                           .keep = keep,
                                           .cols = 80,
                                           .rows = 24,
                                           .started_ms = 1795238384000};

    CHECK_NUMBER(recording_part_open(bench->folder, 1, length, &recording.part, NULL), 0);
    recorder_begin(bench->recorder, &recording);
}

static void begin(struct bench *bench)
{
    begin_with(bench, 0, 1 << 20, true);
}

TEST(output_is_recorded_and_freed)
{
    struct bench bench;
    char *text;

    bench_open(&bench);
    begin(&bench);
    output(&bench, "one\n\xc3", 1000000);
    recorder_resize(bench.recorder, 20000000, 100, 30);
    output(&bench, "\xa9 two", 30000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK_NUMBER(ring_tail(bench.ring), ring_head(bench.ring));
    read_content(&bench, "attempt-1.cast", &text);
    CHECK(text != NULL);
    CHECK(
        strstr(text, "\"o\",\"one\\n\"]\n[0.020000,\"r\",\"100x30\"]\n[0.030000,\"o\",\"\xc3\xa9 two\"]\n") !=
        NULL);
    CHECK_NUMBER(ring_recorded_length(bench.ring), strlen(text));
    free(text);
    bench_close(&bench);
}

TEST(little_output_waits_and_is_one_event)
{
    struct bench bench;
    char *text;

    bench_open(&bench);
    begin(&bench);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    output(&bench, "a", 1000000);
    output(&bench, "b", 2000000);
    CHECK_NUMBER(ring_tail(bench.ring), 0);
    recorder_flush(bench.recorder);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    read_content(&bench, "attempt-1.cast", &text);
    CHECK(strstr(text, "[0.001000,\"o\",\"ab\"]\n") != NULL);
    free(text);
    bench_close(&bench);
}

TEST(end_writes_what_is_unfinished)
{
    struct bench bench;
    char *text;

    bench_open(&bench);
    begin(&bench);
    output(&bench, "x\xe4\xb8", 1000000);
    recorder_end(bench.recorder, 2000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    read_content(&bench, "attempt-1.cast", &text);
    CHECK(strstr(text, "\xef\xbf\xbd\"]\n") != NULL);
    CHECK_NUMBER(ring_tail(bench.ring), 3);
    free(text);
    bench_close(&bench);
}

TEST(events_are_stored_and_told)
{
    struct recorder_news news;
    struct pollfd wait;
    struct bench bench;
    char *text;

    bench_open(&bench);
    recorder_event(bench.recorder, 1, "{\"seq\":1}", 9);
    recorder_event(bench.recorder, 2, "{\"seq\":2}", 9);
    wait = (struct pollfd){.fd = recorder_descriptor(bench.recorder), .events = POLLIN};
    do {
        CHECK_NUMBER(poll(&wait, 1, WAIT_MS), 1);
        recorder_collect(bench.recorder, &news);
    } while (news.events < 2);
    read_content(&bench, "events.jsonl", &text);
    CHECK_STRING(text, "{\"seq\":1}\n{\"seq\":2}\n");
    free(text);
    bench_close(&bench);
}

TEST(files_are_replaced)
{
    struct bench bench;
    char *text;

    bench_open(&bench);
    recorder_file(bench.recorder, "session.json", strdup("old"), 3);
    recorder_file(bench.recorder, "screen.json", strdup("{}"), 2);
    recorder_file(bench.recorder, "session.json", strdup("newer"), 5);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    read_content(&bench, "session.json", &text);
    CHECK_STRING(text, "newer");
    free(text);
    bench_close(&bench);
}

TEST(checkpoint_belongs_to_its_place)
{
    struct checkpoint saved;
    struct bench bench;

    bench_open(&bench);
    begin(&bench);
    output(&bench, "state", 1000000);
    recorder_checkpoint(bench.recorder, 1, 5, strdup("S"), 1);
    output(&bench, "more", 90000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK_NUMBER(checkpoint_read(bench.folder, 1, &saved), 1);
    CHECK_NUMBER(saved.stream_position, 5);
    CHECK(saved.recording_offset < ring_recorded_length(bench.ring));
    free(saved.state);
    /* One for a position that the recording does not end at is not kept. */
    recorder_checkpoint(bench.recorder, 1, 6, strdup("T"), 1);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK_NUMBER(checkpoint_read(bench.folder, 1, &saved), 1);
    CHECK_NUMBER(saved.stream_position, 5);
    free(saved.state);
    bench_close(&bench);
}

TEST(full_disk_stops_nothing)
{
    struct recorder_news news;
    struct bench bench;

    bench_open(&bench);
    recorder_begin(bench.recorder, &(struct recorder_recording){
                                       .attempt = 1,
                                       .ring = bench.ring,
                                       .part = {.file = open("/dev/full", O_RDWR | O_CLOEXEC), .part = 1},
                                       .part_bytes = 1 << 20,
                                       .keep = true,
                                       .cols = 80,
                                       .rows = 24});
    output(&bench, "lost", 1000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    recorder_collect(bench.recorder, &news);
    CHECK(news.problem);
    CHECK(strstr(news.text, strerror(ENOSPC)) != NULL);
    CHECK_NUMBER(news.lost, 4);
    CHECK_NUMBER(ring_tail(bench.ring), 4);
    CHECK_NUMBER(ring_recorded_length(bench.ring), 0);
    output(&bench, "again", 20000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    recorder_collect(bench.recorder, &news);
    CHECK(!news.problem);
    CHECK_NUMBER(news.lost, 5);
    bench_close(&bench);
}

/* A disk that takes the first write and refuses the second, as a nearly full one does. */
TEST(a_gap_is_marked_where_it_is)
{
    struct recorder_news news;
    struct rlimit limit, small;
    struct bench bench;
    char *text;

    bench_open(&bench);
    begin(&bench);
    output(&bench, "before", 1000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small = (struct rlimit){.rlim_cur = recorder_length(bench.recorder) + 10, .rlim_max = limit.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    output(&bench, "what is lost", 2000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    output(&bench, "after", 3000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    recorder_collect(bench.recorder, &news);
    CHECK(news.problem && !news.mended);
    CHECK_NUMBER(news.lost, 12);
    read_content(&bench, "attempt-1.cast", &text);
    CHECK(strstr(text, "what") == NULL);
    CHECK(in_order(text, "before", "gap: 12 bytes") && in_order(text, "gap: 12 bytes", "after"));
    free(text);
    bench_close(&bench);
}

TEST(room_is_told_when_asked_for)
{
    struct recorder_news news;
    struct pollfd wait;
    struct bench bench;

    bench_open(&bench);
    begin(&bench);
    output(&bench, "x", 1000000);
    recorder_await_room(bench.recorder);
    wait = (struct pollfd){.fd = recorder_descriptor(bench.recorder), .events = POLLIN};
    do {
        CHECK_NUMBER(poll(&wait, 1, WAIT_MS), 1);
        recorder_collect(bench.recorder, &news);
    } while (!news.room);
    CHECK_NUMBER(ring_tail(bench.ring), 1);
    bench_close(&bench);
}

static void print(struct bench *bench, struct ring *ring, const char *text)
{
    const char *bytes;

    CHECK_NUMBER(ring_append(ring, text, strlen(text)), strlen(text));
    while (ring_slice(ring, &bytes) > 0)
        ring_slice_done(ring);
    recorder_stream(bench->recorder, ring_parsed(ring));
}

TEST(a_stream_is_kept_at_its_offsets)
{
    struct ring *ring = make_ring();
    struct bench bench;
    char *text;
    int file;

    bench_open(&bench);
    begin(&bench);
    file = openat(bench.folder, "stream-1.jsonl", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    recorder_stream_begin(bench.recorder, ring, file);
    print(&bench, ring, "{\"a\":1}\n");
    print(&bench, ring, "{\"b\":");
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK_NUMBER(ring_tail(ring), 13);
    print(&bench, ring, "2}\n");
    recorder_stream_end(bench.recorder);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK_NUMBER(ring_tail(ring), ring_head(ring));
    read_content(&bench, "stream-1.jsonl", &text);
    CHECK_STRING(text, "{\"a\":1}\n{\"b\":2}\n");
    free(text);
    bench_close(&bench);
    ring_detach(ring);
}

TEST(a_stream_that_cannot_be_written_is_freed_all_the_same)
{
    struct ring *ring = make_ring();
    struct recorder_news news;
    struct bench bench;

    bench_open(&bench);
    begin(&bench);
    recorder_stream_begin(bench.recorder, ring, open("/dev/full", O_RDWR | O_CLOEXEC));
    print(&bench, ring, "lost\n");
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK_NUMBER(ring_tail(ring), 5);
    recorder_collect(bench.recorder, &news);
    CHECK(news.problem);
    bench_close(&bench);
    ring_detach(ring);
}

/* ---- parts ---- */

static bool is_there(const struct bench *bench, const char *name)
{
    return faccessat(bench->folder, name, F_OK, 0) == 0;
}

static void rotate(struct bench *bench, int64_t at_ns)
{
    recorder_rotate(bench->recorder, ring_parsed(bench->ring), at_ns, 80, 24, strdup("\033[Hscreen"), 9);
    CHECK(recorder_drain(bench->recorder, WAIT_MS));
}

/* What is printed in the whole recording of the attempt. */
static char *printed(const struct bench *bench)
{
    struct recording_reader *reader = recording_reader_attempt(bench->folder, 1, 0, 0, NULL);
    struct recording_event event;
    struct buffer out = {0};

    while (reader != NULL && recording_reader_next(reader, &event, NULL) == 1) {
        if (event.type == 'o')
            buffer_append(&out, event.text, event.length);
    }
    recording_reader_destroy(reader);
    buffer_append_char(&out, '\0');
    return buffer_steal(&out);
}

TEST(parts_follow_one_another)
{
    struct recorder_news news;
    struct bench bench;
    char *text;

    bench_open(&bench);
    begin_with(&bench, 0, 150, true);
    output(&bench, "one", 1000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK(!recorder_part_full(bench.recorder));
    output(&bench, "a line that is long enough for the first part to be full", 2000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK(recorder_part_full(bench.recorder));
    rotate(&bench, 1500000999);
    CHECK_NUMBER(recorder_part(bench.recorder), 2);
    recorder_collect(bench.recorder, &news);
    CHECK(news.changed && !news.problem);
    output(&bench, " two", 2500000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    read_content(&bench, "attempt-1.2.cast", &text);
    CHECK(strstr(text, ",\"start_s\":1.500000,\"screen\":true}") != NULL);
    CHECK(strstr(text, "[0.000000,\"o\",\"\\u001b[Hscreen\"]\n[1.000000,\"o\",\" two\"]\n") != NULL);
    free(text);
    CHECK_NUMBER(ring_recorded_length(bench.ring), recorder_length(bench.recorder));
    text = printed(&bench);
    CHECK_STRING(text, "onea line that is long enough for the first part to be full two");
    free(text);
    bench_close(&bench);
}

TEST(a_part_that_cannot_be_made_is_tried_again_later)
{
    struct bench bench;
    char *text;

    bench_open(&bench);
    begin_with(&bench, 0, 10, true);
    output(&bench, "one", 1000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK_NUMBER(mkdirat(bench.folder, "attempt-1.2.cast", 0700), 0);
    rotate(&bench, 2000000);
    CHECK_NUMBER(recorder_part(bench.recorder), 1);
    CHECK(!recorder_part_full(bench.recorder));
    output(&bench, " two", 3000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    read_content(&bench, "attempt-1.cast", &text);
    CHECK(strstr(text, "one") != NULL && strstr(text, " two") != NULL);
    free(text);
    CHECK_NUMBER(unlinkat(bench.folder, "attempt-1.2.cast", AT_REMOVEDIR), 0);
    bench_close(&bench);
}

TEST(what_may_be_half_a_secret_keeps_the_part)
{
    struct mask *mask = mask_create();
    struct bench bench;
    char *text;

    CHECK(mask_add(mask, "hunter2hunter2", 14));
    bench_open(&bench);
    recorder_mask(bench.recorder, mask);
    begin_with(&bench, 0, 10, true);
    output(&bench, "is hunter2", 1000000);
    rotate(&bench, 2000000);
    CHECK_NUMBER(recorder_part(bench.recorder), 1);
    output(&bench, "hunter2.", 3000000);
    recorder_input(bench.recorder, 4000000, "hun", 3);
    recorder_input(bench.recorder, 5000000, "ter2hunter2\r", 12);
    rotate(&bench, 6000000);
    CHECK_NUMBER(recorder_part(bench.recorder), 2);
    read_content(&bench, "attempt-1.cast", &text);
    CHECK(strstr(text, "hunter") == NULL);
    CHECK(strstr(text, "**************.\"]\n[0.005000,\"i\",\"**************\\r\"]\n") != NULL);
    free(text);
    bench_close(&bench);
}

TEST(parts_that_are_not_kept_are_removed_behind_the_checkpoint)
{
    struct bench bench;

    bench_open(&bench);
    begin_with(&bench, 0, 10, false);
    output(&bench, "one", 1000000);
    rotate(&bench, 2000000);
    CHECK(is_there(&bench, "attempt-1.cast"));
    output(&bench, "two", 3000000);
    recorder_checkpoint(bench.recorder, 1, ring_parsed(bench.ring), strdup("state"), 5);
    rotate(&bench, 4000000);
    CHECK(!is_there(&bench, "attempt-1.cast") && !is_there(&bench, "attempt-1.2.cast"));
    CHECK(is_there(&bench, "attempt-1.3.cast"));
    recorder_end(bench.recorder, 5000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    CHECK(!is_there(&bench, "attempt-1.3.cast"));
    bench_close(&bench);
}

TEST(a_recording_that_cannot_be_opened_is_tried_again)
{
    struct recorder_recording recording = {
        .attempt = 1, .part_bytes = 1000, .keep = true, .cols = 80, .rows = 24};
    int64_t until = clock_monotonic_ns() + WAIT_MS * 1000000LL;
    struct bench bench;
    char *text;

    bench_open(&bench);
    recording.ring = bench.ring;
    recording.part.file = -1;
    recorder_begin(bench.recorder, &recording);
    output(&bench, "lost", 1000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    while (!is_there(&bench, "attempt-1.cast") && clock_monotonic_ns() < until) {
        output(&bench, "x", 2000000);
        CHECK(recorder_drain(bench.recorder, WAIT_MS));
        (void)poll(NULL, 0, 20);
    }
    output(&bench, "after", 3000000);
    CHECK(recorder_drain(bench.recorder, WAIT_MS));
    read_content(&bench, "attempt-1.cast", &text);
    CHECK(text != NULL && text[0] == '{');
    CHECK(strstr(text, "\"gap: ") != NULL && strstr(text, "after") != NULL);
    free(text);
    bench_close(&bench);
}

TEST(events_that_a_full_disk_refused_for_too_long_are_told)
{
    char line[4097] = {0};
    struct recorder_news news = {0};
    struct rlimit limit, small;
    struct bench bench;
    uint64_t from = 0;

    memset(line, 'x', sizeof line - 1);
    bench_open(&bench);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small = (struct rlimit){.rlim_cur = 10, .rlim_max = limit.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (uint64_t seq = 1; seq <= 600 && from == 0; seq++) {
        recorder_event(bench.recorder, seq, line, sizeof line - 1);
        CHECK(recorder_drain(bench.recorder, WAIT_MS));
        recorder_collect(bench.recorder, &news);
        from = news.events_from;
    }
    CHECK_NUMBER(from, 1);
    CHECK(news.events_to > 200 && news.events_to < 400);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    bench_close(&bench);
}

TEST_MAIN
