#include "host/recorder_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "store/checkpoint.h"
#include "store/recording.h"
#include "store/session_dir.h"

#define WRITE_BATCH (64 * 1024)
#define BACKLOG_BYTES (1024 * 1024) /* events kept while events.jsonl cannot be written */
#define KEEP_BYTES 4096             /* buffers above this are given back when there is nothing to do */
/* A disk that is nearly full takes some writes and refuses others: it is mended after this long without a failure. */
#define MENDED_NS 2000000000

void recorder_operation_begin(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->operation_since = clock_monotonic_ns();
    pthread_mutex_unlock(&recorder->mutex);
}

/* Ends with the mutex held. */
void recorder_operation_end_locked(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->operation_since = 0;
}

void recorder_notify(const struct recorder *recorder)
{
    (void)eventfd_write(recorder->notice, 1);
}

void recorder_report_locked(struct recorder *recorder, const char *what, int result)
{
    struct recorder_news *news = &recorder->news;
    int64_t now = clock_monotonic_ns();

    if (result < 0) {
        if (!recorder->failing)
            (void)snprintf(news->text, sizeof news->text, "cannot write %s: %s", what, strerror(errno));
        news->problem = news->problem || !recorder->failing;
        recorder->failing = true;
        recorder->failed_at = now;
    } else if (recorder->failing && now - recorder->failed_at >= MENDED_NS) {
        news->mended = true;
        recorder->failing = false;
    }
    if (news->problem || news->mended)
        recorder_notify(recorder);
}

/* Writes all at the offset. Returns 0, or -1 with errno; what was written in part is cut off again. */
static int write_at(int file, const char *bytes, size_t length, off_t offset)
{
    size_t done = 0;

    while (done < length) {
        ssize_t wrote = pwrite(file, bytes + done, length - done, offset + (off_t)done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            int code = wrote == 0 ? ENOSPC : errno;
            if (ftruncate(file, offset) < 0)
                log_warning("a file cannot be cut back: %s", strerror(errno));
            errno = code;
            return -1;
        }
        done += (size_t)wrote;
    }
    return 0;
}

/* ---- the recording ---- */

void recorder_tell_room_locked(struct recorder *recorder)
{
    recorder->news.room = recorder->news.room || recorder->await_room;
    recorder->await_room = false;
}

/* Publishes what a write of `length` bytes came to. */
static void commit_locked(struct recorder *recorder, int result, size_t length)
{
    uint64_t taken = recorder->out_to > recorder->tail ? recorder->out_to - recorder->tail : 0;

    if (result == 0) {
        recorder->length += length;
        recorder->missing -= recorder->marked;
    } else {
        recorder->news.lost += taken;
        recorder->missing += taken;
    }
    recorder->marked = 0;
    recorder->tail += taken;
    ring_commit(recorder->ring, recorder->tail, recorder->length);
    if (taken > 0)
        recorder_tell_room_locked(recorder);
}

/* The next write begins with what the recording cannot do without, and says what is missing in between. */
static void go_on_after(struct recorder *recorder, int result, uint64_t missing)
{
    char label[64];

    buffer_clear(&recorder->out);
    if (result == 0)
        buffer_clear(&recorder->head);
    else
        buffer_append(&recorder->out, recorder->head.bytes, recorder->head.length);
    if (missing == 0)
        return;
    if (recorder->cols > 0)
        recording_encode_resize(&recorder->out, recorder->at, recorder->cols, recorder->rows);
    (void)snprintf(label, sizeof label, "gap: %llu bytes", (unsigned long long)missing);
    recording_encode_marker(&recorder->out, recorder->at, label);
    recorder->marked = missing;
}

static bool has_news(const struct recorder_news *news)
{
    return news->room || news->problem || news->mended || news->lost > 0;
}

static void write_out(struct recorder *recorder)
{
    size_t length = recorder->out.length;
    uint64_t missing;
    bool news;
    int result;

    if (recorder->ring == NULL || (length == 0 && recorder->out_to <= recorder->tail))
        return;
    recorder_operation_begin(recorder);
    result = write_at(recorder->file, recorder->out.bytes, length, (off_t)recorder->length);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, "the recording", result);
    commit_locked(recorder, result, length);
    news = has_news(&recorder->news);
    missing = recorder->missing;
    pthread_mutex_unlock(&recorder->mutex);
    go_on_after(recorder, result, missing);
    if (news)
        recorder_notify(recorder);
}

/* The room may have been there already when the loop asked for it. */
static void tell_room(struct recorder *recorder)
{
    bool asked;

    pthread_mutex_lock(&recorder->mutex);
    asked = recorder->await_room && STAILQ_EMPTY(&recorder->jobs);
    if (asked)
        recorder_tell_room_locked(recorder);
    pthread_mutex_unlock(&recorder->mutex);
    if (asked)
        recorder_notify(recorder);
}

static uint64_t encoded_to(struct recorder *recorder)
{
    uint64_t tail;

    pthread_mutex_lock(&recorder->mutex);
    tail = recorder->tail;
    pthread_mutex_unlock(&recorder->mutex);
    return recorder->out_to > tail ? recorder->out_to : tail;
}

/* Returns how many bytes it took. `whole`: what follows does not belong to them, or does not come. */
static size_t encode_piece(struct recorder *recorder, uint64_t from, size_t length, int64_t at, bool whole)
{
    size_t decided = length, taken;
    const char *bytes = ring_bytes(recorder->ring, from);
    const char *masked = mask_stream_piece(&recorder->masked, recorder->mask, bytes, &decided, whole);

    taken = decided == 0 ? 0 : recording_encode_output(&recorder->out, at, masked, decided, whole);
    mask_stream_taken(&recorder->masked, recorder->mask, bytes, length, taken);
    return taken;
}

static void encode_output(struct recorder *recorder, uint64_t to, int64_t at, int last)
{
    uint64_t from = encoded_to(recorder);

    while (recorder->ring != NULL && from < to) {
        size_t piece = ring_recordable(recorder->ring, &from, to), taken;
        size_t length = piece > WRITE_BATCH ? WRITE_BATCH : piece;
        bool whole = length == piece && (last || from + piece < to);
        taken = length == 0 ? 0 : encode_piece(recorder, from, length, at, whole);
        recorder->out_to = from + taken;
        if (taken == 0)
            break;
        if (recorder->out.length >= WRITE_BATCH)
            write_out(recorder);
        from = encoded_to(recorder);
    }
}

static void begin(struct recorder *recorder, struct job *job)
{
    if (recorder->file >= 0)
        close(recorder->file);
    recorder->file = job->file;
    recorder->ring = job->ring;
    recorder->out_to = ring_tail(job->ring);
    mask_stream_finish(&recorder->masked);
    buffer_clear(&recorder->out);
    buffer_clear(&recorder->head);
    recorder->cols = recorder->rows = 0;
    recorder->marked = 0;
    pthread_mutex_lock(&recorder->mutex);
    recorder->missing = 0;
    pthread_mutex_unlock(&recorder->mutex);
}

static void end(struct recorder *recorder, const struct job *job)
{
    uint64_t to;

    if (recorder->ring == NULL)
        return;
    pthread_mutex_lock(&recorder->mutex);
    to = recorder->last_output;
    pthread_mutex_unlock(&recorder->mutex);
    encode_output(recorder, to, job->at, 1);
    write_out(recorder);
    if (recorder->file >= 0)
        close(recorder->file);
    recorder->file = -1;
    recorder->ring = NULL;
}

static void checkpoint(struct recorder *recorder, struct job *job)
{
    struct checkpoint saved = {
        .attempt = job->attempt, .stream_position = job->number, .state = job->text, .length = job->length};
    struct error error;
    int result;

    write_out(recorder);
    /* A state whose place in the recording is not known would be of no use. */
    if (recorder->file < 0 || recorder->tail != job->number)
        return;
    saved.recording_offset = recorder->length;
    recorder_operation_begin(recorder);
    result = checkpoint_write(recorder->session_dir, &saved, &error);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, "the checkpoint", result);
    pthread_mutex_unlock(&recorder->mutex);
}

/* ---- the other files ---- */

static void write_events(struct recorder *recorder)
{
    int result;

    if (recorder->event_out.length == 0)
        return;
    recorder_operation_begin(recorder);
    result = write_at(recorder->events, recorder->event_out.bytes, recorder->event_out.length,
                      recorder->events_length);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, SESSION_EVENTS, result);
    if (result == 0)
        recorder->events_length += (off_t)recorder->event_out.length;
    recorder->news.events = recorder->event_seq;
    pthread_mutex_unlock(&recorder->mutex);
    /* While the disk is full, the last events wait for room. */
    if (result == 0 || recorder->event_out.length > BACKLOG_BYTES)
        buffer_clear(&recorder->event_out);
    recorder_notify(recorder);
}

static void take_event(struct recorder *recorder, const struct job *job)
{
    buffer_append(&recorder->event_out, job->text, job->length);
    buffer_append_char(&recorder->event_out, '\n');
    recorder->event_seq = job->number;
    if (recorder->event_out.length >= WRITE_BATCH)
        write_events(recorder);
}

static void write_file(struct recorder *recorder, const struct job *job)
{
    struct error error;
    int result;

    recorder_operation_begin(recorder);
    result = path_write_atomic(recorder->session_dir, job->name, job->text, job->length, &error);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, job->name, result);
    pthread_mutex_unlock(&recorder->mutex);
}

static int append_transcript(struct recorder *recorder, const struct job *job)
{
    static const char missing[] = "[lines are missing here: they could not be written]\n";
    struct transcript_file *file = &recorder->transcript;
    struct buffer text;
    int result;

    if (file->text < 0 && transcript_open(file, recorder->session_dir) < 0)
        return -1;
    if (!recorder->transcript_torn)
        return transcript_append(file, job->text, job->length, job->attempt, job->number);
    buffer_init(&text);
    buffer_append(&text, missing, sizeof missing - 1);
    buffer_append(&text, job->text, job->length);
    result = transcript_append(file, text.bytes, text.length, job->attempt, job->number);
    buffer_finish(&text);
    return result;
}

static void write_transcript(struct recorder *recorder, const struct job *job)
{
    int result, code;

    recorder_operation_begin(recorder);
    result = append_transcript(recorder, job);
    code = errno;
    if (result < 0)
        transcript_close(&recorder->transcript);
    recorder->transcript_torn = result < 0;
    errno = code;
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, SESSION_TRANSCRIPT, result);
    pthread_mutex_unlock(&recorder->mutex);
}

static void set_size(struct recorder *recorder, const struct job *job)
{
    recorder->cols = job->cols;
    recorder->rows = job->rows;
}

static bool is_of_recording(enum job_type type)
{
    return type == JOB_OUTPUT || type == JOB_RESIZE || type == JOB_MARKER || type == JOB_END;
}

/* Events and checkpoints come masked. */
static void hide_secrets(const struct recorder *recorder, struct job *job)
{
    if (job->type == JOB_MARKER)
        (void)mask_text(recorder->mask, job->text, strlen(job->text));
    else if (job->type == JOB_TRANSCRIPT)
        (void)mask_text(recorder->mask, job->text, job->length);
    else if (job->type == JOB_FILE)
        (void)mask_json(recorder->mask, job->text, job->length);
}

static void carry_out(struct recorder *recorder, struct job *job)
{
    if (is_of_recording(job->type))
        recorder->at = job->at;
    /* Events are written together, but before any file that was given after them. */
    if (job->type != JOB_EVENT && job->type != JOB_OUTPUT && job->type != JOB_STREAM)
        write_events(recorder);
    hide_secrets(recorder, job);
    switch (job->type) {
    case JOB_BEGIN:
        begin(recorder, job);
        break;
    case JOB_HEADER:
        recording_encode_header(&recorder->head, job->cols, job->rows, job->at, job->text, NULL);
        buffer_append(&recorder->out, recorder->head.bytes, recorder->head.length);
        set_size(recorder, job);
        break;
    case JOB_OUTPUT:
        encode_output(recorder, job->number, job->at, 0);
        break;
    case JOB_RESIZE:
        recording_encode_resize(&recorder->out, job->at, job->cols, job->rows);
        set_size(recorder, job);
        break;
    case JOB_MARKER:
        recording_encode_marker(&recorder->out, job->at, job->text);
        break;
    case JOB_END:
        end(recorder, job);
        break;
    case JOB_EVENT:
        take_event(recorder, job);
        break;
    case JOB_FILE:
        write_file(recorder, job);
        break;
    case JOB_TRANSCRIPT:
        write_transcript(recorder, job);
        break;
    case JOB_CHECKPOINT:
        checkpoint(recorder, job);
        break;
    case JOB_STREAM_BEGIN:
    case JOB_STREAM:
    case JOB_STREAM_END:
        recorder_carry_out_stream(recorder, job);
        break;
    }
}

void recorder_carry_out(struct recorder *recorder, struct jobs *jobs)
{
    while (!STAILQ_EMPTY(jobs)) {
        struct job *job = STAILQ_FIRST(jobs);
        STAILQ_REMOVE_HEAD(jobs, entries);
        carry_out(recorder, job);
        free(job->text);
        free(job);
    }
    write_events(recorder);
    write_out(recorder);
    tell_room(recorder);
    if (recorder->out.length == 0 && recorder->out.capacity > KEEP_BYTES &&
        recorder->out.capacity < WRITE_BATCH)
        buffer_finish(&recorder->out);
    if (recorder->event_out.length == 0)
        buffer_finish(&recorder->event_out);
}
