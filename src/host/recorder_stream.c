/* The recorder's part that keeps what a program in stream mode prints. */
#include <fcntl.h>
#include <unistd.h>

#include "base/file_write.h"
#include "host/recorder_jobs.h"

#define BATCH (64 * 1024) /* bytes that are written without waiting for company */
/* Above `LONG` bytes the file keeps its first and its last ones, looked at every `STEP` bytes. */
#define LONG (64ULL * 1024 * 1024)
#define STEP (8ULL * 1024 * 1024)
#define FIRST (1024 * 1024)
#define LAST (32ULL * 1024 * 1024)

/* ---- on the loop ---- */

void recorder_stream_begin(struct recorder *recorder, struct ring *ring, int file)
{
    struct job *job = recorder_job(JOB_STREAM_BEGIN);

    job->ring = ring;
    job->file = file;
    pthread_mutex_lock(&recorder->mutex);
    recorder->stream_tail = recorder->last_stream = ring_tail(ring);
    pthread_mutex_unlock(&recorder->mutex);
    recorder_give(recorder, job, true);
}

void recorder_stream(struct recorder *recorder, uint64_t to)
{
    struct job *last;
    bool wake;

    pthread_mutex_lock(&recorder->mutex);
    recorder->last_stream = to;
    wake = to - recorder->stream_tail >= BATCH;
    last = recorder->newest;
    if (last != NULL && last->type == JOB_STREAM) {
        last->number = to;
        recorder->flush = recorder->flush || wake;
        if (wake)
            pthread_cond_signal(&recorder->work);
        pthread_mutex_unlock(&recorder->mutex);
        return;
    }
    pthread_mutex_unlock(&recorder->mutex);
    last = recorder_job(JOB_STREAM);
    last->number = to;
    recorder_give(recorder, last, wake);
}

void recorder_stream_end(struct recorder *recorder)
{
    recorder_give(recorder, recorder_job(JOB_STREAM_END), true);
}

static void commit_locked(struct recorder *recorder, struct ring *ring, uint64_t to)
{
    if (to <= recorder->stream_tail)
        return;
    recorder->stream_tail = to;
    ring_commit(ring, to, to);
    recorder_tell_room_locked(recorder);
}

void recorder_stream_drop(struct recorder *recorder, uint64_t to)
{
    pthread_mutex_lock(&recorder->mutex);
    if (recorder->stream_ring != NULL)
        commit_locked(recorder, recorder->stream_ring, to);
    pthread_mutex_unlock(&recorder->mutex);
}

/* ---- in the thread ---- */

/* What is neither at the beginning nor at the end becomes a hole. */
static void shorten(int file, uint64_t from, uint64_t to)
{
    if (to <= LONG || from / STEP == to / STEP)
        return;
    (void)fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FIRST, (off_t)(to - LAST - FIRST));
}

/* Writes the bytes before `to`, all or those of which the mask has decided; `to` becomes what they reach. */
static int write_masked(struct recorder *recorder, uint64_t from, uint64_t *to, bool last)
{
    struct mask_stream *stream = &recorder->stream_masked;
    const char *bytes = ring_bytes(recorder->stream_ring, from), *masked;
    size_t length = (size_t)(*to - from), decided = length;
    int result = 0;

    masked = mask_stream_piece(stream, recorder->mask, bytes, &decided, last);
    if (recorder->stream_file >= 0 && decided > 0)
        result = file_write_at(recorder->stream_file, masked, decided, (off_t)from);
    mask_stream_taken(stream, recorder->mask, bytes, length, decided);
    *to = from + decided;
    return result;
}

static void write_stream(struct recorder *recorder, uint64_t to, bool last)
{
    uint64_t from;
    int result;
    bool news;

    pthread_mutex_lock(&recorder->mutex);
    from = recorder->stream_tail;
    pthread_mutex_unlock(&recorder->mutex);
    if (recorder->stream_ring == NULL || from >= to)
        return;
    recorder_operation_begin(recorder);
    result = write_masked(recorder, from, &to, last);
    if (result == 0 && recorder->stream_file >= 0)
        shorten(recorder->stream_file, from, to);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, "the agent's output", result);
    commit_locked(recorder, recorder->stream_ring, to);
    news = recorder->news.room;
    pthread_mutex_unlock(&recorder->mutex);
    if (news)
        recorder_notify(recorder);
}

static void write_rest(struct recorder *recorder)
{
    uint64_t to;

    pthread_mutex_lock(&recorder->mutex);
    to = recorder->last_stream;
    pthread_mutex_unlock(&recorder->mutex);
    write_stream(recorder, to, true);
}

void recorder_carry_out_stream(struct recorder *recorder, struct job *job)
{
    if (job->type == JOB_STREAM) {
        write_stream(recorder, job->number, false);
        return;
    }
    if (job->type == JOB_STREAM_END)
        write_rest(recorder);
    mask_stream_finish(&recorder->stream_masked);
    if (recorder->stream_file >= 0)
        (void)close(recorder->stream_file);
    recorder->stream_file = job->type == JOB_STREAM_BEGIN ? job->file : -1;
    pthread_mutex_lock(&recorder->mutex);
    recorder->stream_ring = job->type == JOB_STREAM_BEGIN ? job->ring : NULL;
    pthread_mutex_unlock(&recorder->mutex);
}
