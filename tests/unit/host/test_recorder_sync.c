/* What was written becomes durable soon, in a thread of its own. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/recorder.h"
#include "scratch.h"
#include "store/event_log.h"
#include "test.h"

#define WAIT_NS 10000000000

/* In place of the C library's. */
static atomic_int synced, failing;
static _Atomic int64_t synced_at, blocked_until;

int fdatasync(int file)
{
    struct stat status;

    while (clock_monotonic_ns() < atomic_load(&blocked_until))
        (void)poll(NULL, 0, 10);
    if (fstat(file, &status) < 0)
        return -1;
    atomic_store(&synced_at, clock_monotonic_ns());
    atomic_fetch_add(&synced, 1);
    errno = atomic_load(&failing);
    return errno == 0 ? 0 : -1;
}

static struct recorder *make(int *folder)
{
    char *path = scratch_folder();
    struct event_log_end end;

    *folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(path);
    atomic_store(&synced, 0);
    atomic_store(&failing, 0);
    atomic_store(&blocked_until, 0);
    return recorder_create(*folder, event_log_open(*folder, &end, NULL), NULL);
}

static bool wait_synced(int count)
{
    int64_t until = clock_monotonic_ns() + WAIT_NS;

    while (atomic_load(&synced) < count && clock_monotonic_ns() < until)
        (void)poll(NULL, 0, 5);
    return atomic_load(&synced) >= count;
}

TEST(written_files_are_synced_together_after_a_moment)
{
    int64_t began = clock_monotonic_ns();
    int folder;
    struct recorder *recorder = make(&folder);

    for (uint64_t seq = 1; seq <= 10; seq++)
        recorder_event(recorder, seq, "{}", 2);
    recorder_transcript(recorder, strdup("line\n"), 5, 1, 1);
    /* The events, the transcript and the note of how far it goes. */
    CHECK(wait_synced(3));
    CHECK(atomic_load(&synced_at) - began >= (RECORDER_SYNC_MS - 50) * 1000000LL);
    (void)poll(NULL, 0, 50);
    CHECK_NUMBER(atomic_load(&synced), 3);
    recorder_event(recorder, 11, "{}", 2);
    CHECK(wait_synced(4));
    recorder_destroy(recorder, 1000);
    close(folder);
}

TEST(the_end_does_not_wait_for_the_moment)
{
    int64_t began = clock_monotonic_ns();
    int folder;
    struct recorder *recorder = make(&folder);

    recorder_event(recorder, 1, "{}", 2);
    recorder_destroy(recorder, 5000);
    CHECK_NUMBER(atomic_load(&synced), 1);
    CHECK(clock_monotonic_ns() - began < (RECORDER_SYNC_MS - 100) * 1000000LL);
    close(folder);
}

TEST(a_sync_that_fails_is_told)
{
    struct recorder_news news = {0};
    int64_t until = clock_monotonic_ns() + WAIT_NS;
    int folder;
    struct recorder *recorder = make(&folder);

    atomic_store(&failing, EIO);
    recorder_event(recorder, 1, "{}", 2);
    while (!news.problem && clock_monotonic_ns() < until) {
        (void)poll(&(struct pollfd){.fd = recorder_descriptor(recorder), .events = POLLIN}, 1, 1000);
        recorder_collect(recorder, &news);
    }
    CHECK_STRING(news.text, "cannot write events.jsonl: Input/output error");
    recorder_destroy(recorder, 1000);
    close(folder);
}

TEST(a_slow_sync_does_not_hold_up_writing)
{
    struct recorder_news news;
    int folder;
    struct recorder *recorder = make(&folder);

    recorder_event(recorder, 1, "{}", 2);
    CHECK(wait_synced(1));
    atomic_store(&blocked_until, clock_monotonic_ns() + 1500000000);
    recorder_event(recorder, 2, "{}", 2);
    (void)poll(NULL, 0, RECORDER_SYNC_MS + 100);
    recorder_event(recorder, 3, "{}", 2);
    CHECK(recorder_drain(recorder, 500));
    CHECK(!recorder_stalled(recorder, 100000000));
    recorder_collect(recorder, &news);
    CHECK_NUMBER(news.events, 3);
    recorder_destroy(recorder, 5000);
    close(folder);
}

TEST_MAIN
