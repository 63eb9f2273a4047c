#include "host/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "host/recorder_jobs.h"

#define STACK_BYTES (64 * 1024)
#define OUTPUT_BATCH (64 * 1024) /* output that is written without waiting for company */
#define OUTPUT_MERGE_NS 8000000  /* output within this time is one event of the recording */
#define QUEUE_BYTES (8 * 1024 * 1024)
#define ERRANDS_MS 2000 /* for what was written to become durable at the end */

static bool has_work(const struct recorder *recorder)
{
    const struct job *first = STAILQ_FIRST(&recorder->jobs);

    return first != NULL && (recorder->flush || recorder->quit || recorder->output_bytes >= OUTPUT_BATCH);
}

static void take_mask(struct recorder *recorder)
{
    if (recorder->new_mask == NULL)
        return;
    mask_destroy(recorder->mask);
    recorder->mask = recorder->new_mask;
    recorder->new_mask = NULL;
}

/* The room may have been there already when the loop asked for it. */
static void rest_locked(struct recorder *recorder)
{
    if (!recorder->await_room || !STAILQ_EMPTY(&recorder->jobs))
        return;
    recorder_tell_room_locked(recorder);
    recorder_notify(recorder);
}

static void *run(void *argument)
{
    struct recorder *recorder = argument;
    struct jobs jobs;

    pthread_mutex_lock(&recorder->mutex);
    for (;;) {
        while (!has_work(recorder) && !recorder->quit)
            pthread_cond_wait(&recorder->work, &recorder->mutex);
        if (STAILQ_EMPTY(&recorder->jobs))
            break;
        STAILQ_INIT(&jobs);
        STAILQ_CONCAT(&jobs, &recorder->jobs);
        take_mask(recorder);
        recorder->newest = NULL;
        recorder->bytes = 0;
        recorder->output_bytes = 0;
        recorder->flush = false;
        recorder->busy = true;
        pthread_mutex_unlock(&recorder->mutex);
        recorder_carry_out(recorder, &jobs);
        pthread_mutex_lock(&recorder->mutex);
        recorder->busy = false;
        rest_locked(recorder);
        pthread_cond_broadcast(&recorder->idle);
    }
    pthread_mutex_unlock(&recorder->mutex);
    return NULL;
}

static int start_thread(struct recorder *recorder)
{
    pthread_attr_t attributes;
    pthread_condattr_t clock;
    sigset_t all, old;
    int result;

    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&recorder->mutex, NULL);
    pthread_cond_init(&recorder->work, NULL);
    pthread_cond_init(&recorder->idle, &clock);
    pthread_condattr_destroy(&clock);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    result = pthread_create(&recorder->thread, &attributes, run, recorder);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
    return result;
}

struct recorder *recorder_create(int session_dir, int events, struct error *error)
{
    struct recorder *recorder = xcalloc(1, sizeof *recorder);

    STAILQ_INIT(&recorder->jobs);
    recorder->session_dir = session_dir;
    recorder->events = events;
    recorder->events_length = lseek(events, 0, SEEK_END);
    recorder->recording.part.file = recorder->stream_file = -1;
    recorder->transcript.text = -1;
    recorder_errands_init(recorder);
    recorder->notice = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    errno = recorder->notice < 0 ? errno : start_thread(recorder);
    if (recorder->notice >= 0 && errno == 0)
        return recorder;
    error_errno(error, "cannot start the writer thread");
    if (recorder->notice >= 0)
        close(recorder->notice);
    close(events);
    free(recorder);
    return NULL;
}

static void close_files(struct recorder *recorder)
{
    int files[] = {recorder->notice, recorder->events, recorder->recording.part.file, recorder->stream_file};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i] >= 0)
            close(files[i]);
    }
    transcript_close(&recorder->transcript);
}

void recorder_destroy(struct recorder *recorder, int wait_ms)
{
    if (recorder == NULL)
        return;
    /* A thread that hangs in the disk is left to the end of the process. */
    if (!recorder_drain(recorder, wait_ms))
        return;
    pthread_mutex_lock(&recorder->mutex);
    recorder->quit = true;
    pthread_cond_signal(&recorder->work);
    pthread_mutex_unlock(&recorder->mutex);
    (void)pthread_join(recorder->thread, NULL);
    if (!recorder_errands_finish(recorder, wait_ms < ERRANDS_MS ? wait_ms : ERRANDS_MS))
        return;
    close_files(recorder);
    buffer_finish(&recorder->out);
    buffer_finish(&recorder->head);
    buffer_finish(&recorder->input);
    mask_stream_finish(&recorder->masked);
    mask_stream_finish(&recorder->stream_masked);
    mask_stream_finish(&recorder->input_masked);
    mask_destroy(recorder->mask);
    mask_destroy(recorder->new_mask);
    buffer_finish(&recorder->event_out);
    pthread_mutex_destroy(&recorder->mutex);
    pthread_cond_destroy(&recorder->work);
    pthread_cond_destroy(&recorder->idle);
    free(recorder);
}

void recorder_mask(struct recorder *recorder, struct mask *mask)
{
    struct mask *before;

    pthread_mutex_lock(&recorder->mutex);
    before = recorder->new_mask;
    recorder->new_mask = mask;
    pthread_mutex_unlock(&recorder->mutex);
    mask_destroy(before);
}

int recorder_descriptor(const struct recorder *recorder)
{
    return recorder->notice;
}

void recorder_collect(struct recorder *recorder, struct recorder_news *news)
{
    eventfd_t count;

    (void)eventfd_read(recorder->notice, &count);
    pthread_mutex_lock(&recorder->mutex);
    *news = recorder->news;
    recorder->news = (struct recorder_news){.events = news->events, .stored = news->stored};
    pthread_mutex_unlock(&recorder->mutex);
}

void recorder_give(struct recorder *recorder, struct job *job, bool wake)
{
    pthread_mutex_lock(&recorder->mutex);
    STAILQ_INSERT_TAIL(&recorder->jobs, job, entries);
    recorder->newest = job;
    recorder->bytes += job->length;
    if (wake) {
        recorder->flush = true;
        pthread_cond_signal(&recorder->work);
    }
    pthread_mutex_unlock(&recorder->mutex);
}

struct job *recorder_job(enum job_type type)
{
    struct job *job = xcalloc(1, sizeof *job);

    job->type = type;
    job->file = -1;
    return job;
}

void recorder_begin(struct recorder *recorder, const struct recorder_recording *recording)
{
    struct job *job = recorder_job(JOB_BEGIN);

    job->recording = *recording;
    pthread_mutex_lock(&recorder->mutex);
    recorder->last_output = recorder->tail = ring_tail(recording->ring);
    recorder->length = recorder_recorded(recording);
    recorder->part = recording->part.part;
    recorder->part_from = recording->part.offset;
    recorder->part_bytes = recording->part_bytes;
    /* Until the thread has begun. */
    recorder->rotating = true;
    pthread_mutex_unlock(&recorder->mutex);
    recorder_give(recorder, job, true);
}

bool recorder_part_full(struct recorder *recorder)
{
    bool full;

    pthread_mutex_lock(&recorder->mutex);
    full = !recorder->rotating && recorder->part > 0 && recorder->bytes <= QUEUE_BYTES &&
           recorder->length >= recorder->rotate_from &&
           recorder->length - recorder->part_from >= recorder->part_bytes;
    pthread_mutex_unlock(&recorder->mutex);
    return full;
}

void recorder_rotate(struct recorder *recorder, uint64_t position, int64_t at_ns, int cols, int rows,
                     char *drawing, size_t length)
{
    struct job *job = recorder_job(JOB_ROTATE);

    job->number = position;
    job->at = at_ns;
    job->cols = cols;
    job->rows = rows;
    job->text = drawing;
    job->length = length;
    pthread_mutex_lock(&recorder->mutex);
    recorder->rotating = true;
    pthread_mutex_unlock(&recorder->mutex);
    recorder_give(recorder, job, true);
}

/* Output that belongs to the newest job joins it. */
static bool merge_output(struct recorder *recorder, uint64_t to, int64_t at_ns)
{
    struct job *last = recorder->newest;

    if (last == NULL || last->type != JOB_OUTPUT || at_ns - last->at > OUTPUT_MERGE_NS)
        return false;
    last->number = to;
    return true;
}

void recorder_output(struct recorder *recorder, uint64_t to, int64_t at_ns)
{
    struct job *job;

    pthread_mutex_lock(&recorder->mutex);
    recorder->output_bytes += to - recorder->last_output;
    recorder->last_output = to;
    if (!merge_output(recorder, to, at_ns)) {
        job = recorder_job(JOB_OUTPUT);
        job->number = to;
        job->at = at_ns;
        STAILQ_INSERT_TAIL(&recorder->jobs, job, entries);
        recorder->newest = job;
    }
    if (recorder->output_bytes >= OUTPUT_BATCH && !recorder->busy)
        pthread_cond_signal(&recorder->work);
    pthread_mutex_unlock(&recorder->mutex);
}

void recorder_resize(struct recorder *recorder, int64_t at_ns, int cols, int rows)
{
    struct job *job = recorder_job(JOB_RESIZE);

    job->at = at_ns;
    job->cols = cols;
    job->rows = rows;
    recorder_give(recorder, job, true);
}

void recorder_marker(struct recorder *recorder, int64_t at_ns, const char *label)
{
    struct job *job = recorder_job(JOB_MARKER);

    job->at = at_ns;
    job->text = xstrdup(label);
    recorder_give(recorder, job, false);
}

void recorder_input(struct recorder *recorder, int64_t at_ns, const char *bytes, size_t length)
{
    struct job *job = recorder_job(JOB_INPUT);

    job->at = at_ns;
    job->text = xstrndup(bytes, length);
    job->length = length;
    recorder_give(recorder, job, false);
}

void recorder_end(struct recorder *recorder, int64_t at_ns)
{
    struct job *job = recorder_job(JOB_END);

    job->at = at_ns;
    recorder_give(recorder, job, true);
}

/* What can be spared is dropped while the disk does not keep up. */
static bool crowded(struct recorder *recorder)
{
    bool result;

    pthread_mutex_lock(&recorder->mutex);
    result = recorder->bytes > QUEUE_BYTES;
    pthread_mutex_unlock(&recorder->mutex);
    return result;
}

void recorder_event(struct recorder *recorder, uint64_t seq, const char *text, size_t length)
{
    struct job *job;

    if (crowded(recorder)) {
        pthread_mutex_lock(&recorder->mutex);
        recorder_lose_events_locked(recorder, seq, seq);
        pthread_mutex_unlock(&recorder->mutex);
        return;
    }
    job = recorder_job(JOB_EVENT);
    job->number = seq;
    job->text = xstrndup(text, length);
    job->length = length;
    recorder_give(recorder, job, true);
}

void recorder_file(struct recorder *recorder, const char *name, char *text, size_t length)
{
    struct job *job;
    bool replaced = false;

    pthread_mutex_lock(&recorder->mutex);
    STAILQ_FOREACH(job, &recorder->jobs, entries)
    {
        if (job->type != JOB_FILE || strcmp(job->name, name) != 0)
            continue;
        free(job->text);
        job->text = text;
        job->length = length;
        replaced = true;
        break;
    }
    pthread_mutex_unlock(&recorder->mutex);
    if (replaced)
        return;
    job = recorder_job(JOB_FILE);
    job->text = text;
    job->length = length;
    (void)strlcpy(job->name, name, sizeof job->name);
    recorder_give(recorder, job, true);
}

void recorder_transcript(struct recorder *recorder, char *text, size_t length, uint32_t attempt,
                         uint64_t next_line)
{
    struct job *job = recorder_job(JOB_TRANSCRIPT);

    job->attempt = attempt;
    job->number = next_line;
    job->text = text;
    job->length = length;
    if (crowded(recorder)) {
        free(text);
        job->text = xstrdup("[lines are missing here: the disk did not keep up]\n");
        job->length = strlen(job->text);
    }
    recorder_give(recorder, job, true);
}

void recorder_checkpoint(struct recorder *recorder, uint32_t attempt, uint64_t position, char *state,
                         size_t length)
{
    struct job *job;

    if (crowded(recorder)) {
        free(state);
        return;
    }
    job = recorder_job(JOB_CHECKPOINT);
    job->attempt = attempt;
    job->number = position;
    job->text = state;
    job->length = length;
    recorder_give(recorder, job, true);
}

void recorder_flush(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->flush = true;
    pthread_cond_signal(&recorder->work);
    pthread_mutex_unlock(&recorder->mutex);
}

void recorder_await_room(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->await_room = true;
    recorder->flush = true;
    if (!recorder->busy)
        rest_locked(recorder);
    pthread_cond_signal(&recorder->work);
    pthread_mutex_unlock(&recorder->mutex);
}

bool recorder_stalled(struct recorder *recorder, int64_t ns)
{
    bool stalled;

    pthread_mutex_lock(&recorder->mutex);
    stalled = recorder->operation_since != 0 && clock_monotonic_ns() - recorder->operation_since > ns;
    pthread_mutex_unlock(&recorder->mutex);
    return stalled;
}

/* Jobs that would find nothing to do. */
static void forget_output(struct recorder *recorder, uint64_t to)
{
    struct jobs kept = STAILQ_HEAD_INITIALIZER(kept);

    while (!STAILQ_EMPTY(&recorder->jobs)) {
        struct job *job = STAILQ_FIRST(&recorder->jobs);
        STAILQ_REMOVE_HEAD(&recorder->jobs, entries);
        if (job->type == JOB_OUTPUT && job->number <= to && job != recorder->newest)
            free(job);
        else
            STAILQ_INSERT_TAIL(&kept, job, entries);
    }
    STAILQ_CONCAT(&recorder->jobs, &kept);
}

void recorder_drop(struct recorder *recorder, uint64_t to)
{
    pthread_mutex_lock(&recorder->mutex);
    if (to > recorder->tail) {
        recorder->news.lost += to - recorder->tail;
        recorder->missing += to - recorder->tail;
        recorder->tail = to;
        ring_set_unmarked(recorder->ring, recorder->missing);
        ring_commit(recorder->ring, to, recorder->length);
        forget_output(recorder, to);
    }
    pthread_mutex_unlock(&recorder->mutex);
}

bool recorder_drain(struct recorder *recorder, int wait_ms)
{
    struct timespec until;
    int64_t at = clock_monotonic_ns() + (int64_t)wait_ms * 1000000;
    int result = 0;
    bool done;

    until = (struct timespec){.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000};
    pthread_mutex_lock(&recorder->mutex);
    recorder->flush = true;
    pthread_cond_signal(&recorder->work);
    while ((recorder->busy || !STAILQ_EMPTY(&recorder->jobs)) && result == 0) {
        recorder->flush = true;
        result = pthread_cond_timedwait(&recorder->idle, &recorder->mutex, &until);
    }
    done = !recorder->busy && STAILQ_EMPTY(&recorder->jobs);
    pthread_mutex_unlock(&recorder->mutex);
    return done;
}

uint64_t recorder_length(struct recorder *recorder)
{
    uint64_t length;

    pthread_mutex_lock(&recorder->mutex);
    length = recorder->length;
    pthread_mutex_unlock(&recorder->mutex);
    return length;
}

unsigned recorder_part(struct recorder *recorder)
{
    unsigned part;

    pthread_mutex_lock(&recorder->mutex);
    part = recorder->part;
    pthread_mutex_unlock(&recorder->mutex);
    return part;
}
