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
#include "base/file_write.h"
#include "base/log.h"
#include "base/path.h"
#include "store/checkpoint.h"
#include "store/recording.h"
#include "store/session_dir.h"
#include "store/transcript_mark.h"

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

int recorder_write_at(int file, const char *bytes, size_t length, off_t offset)
{
    int result = file_write_at(file, bytes, length, offset), code = errno;

    if (result < 0 && ftruncate(file, offset) < 0)
        log_warning("a file cannot be cut back: %s", strerror(errno));
    errno = code;
    return result;
}

void recorder_tell_room_locked(struct recorder *recorder)
{
    recorder->news.room = recorder->news.room || recorder->await_room;
    recorder->await_room = false;
}

static void checkpoint(struct recorder *recorder, struct job *job)
{
    struct checkpoint saved = {
        .attempt = job->attempt, .stream_position = job->number, .state = job->text, .length = job->length};
    struct error error;
    int result;

    recorder_write_recording(recorder);
    /* A state whose place in the recording is not known would be of no use. */
    if (recorder->recording.part.file < 0 || recorder->tail != job->number)
        return;
    saved.recording_offset = recorder->length;
    recorder_operation_begin(recorder);
    result = checkpoint_write(recorder->session_dir, &saved, &error);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, "the checkpoint", result);
    pthread_mutex_unlock(&recorder->mutex);
    if (result == 0)
        recorder->checkpoint_offset = saved.recording_offset;
}

/* ---- the other files ---- */

void recorder_lose_events_locked(struct recorder *recorder, uint64_t from, uint64_t to)
{
    if (recorder->news.events_from == 0)
        recorder->news.events_from = from;
    recorder->news.events_to = to;
}

static void write_events(struct recorder *recorder)
{
    int result;

    if (recorder->event_out.length == 0)
        return;
    recorder_operation_begin(recorder);
    result = recorder_write_at(recorder->events, recorder->event_out.bytes, recorder->event_out.length,
                               recorder->events_length);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, SESSION_EVENTS, result);
    if (result == 0) {
        recorder->events_length += (off_t)recorder->event_out.length;
        recorder_unsynced_locked(recorder, UNSYNCED_EVENTS, recorder->events);
    } else if (recorder->event_out.length > BACKLOG_BYTES) {
        recorder_lose_events_locked(recorder, recorder->event_first, recorder->event_seq);
    }
    recorder->news.events = recorder->event_seq;
    if (result == 0)
        recorder->news.stored = recorder->event_seq;
    pthread_mutex_unlock(&recorder->mutex);
    /* While the disk is full, the last events wait for room. */
    if (result == 0 || recorder->event_out.length > BACKLOG_BYTES)
        buffer_clear(&recorder->event_out);
    recorder_notify(recorder);
}

static void take_event(struct recorder *recorder, const struct job *job)
{
    if (recorder->event_out.length == 0)
        recorder->event_first = job->number;
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
    int result, code, mark;

    recorder_operation_begin(recorder);
    result = append_transcript(recorder, job);
    code = errno;
    if (result < 0)
        transcript_close(&recorder->transcript);
    recorder->transcript_torn = result < 0;
    mark = result < 0 ? -1 : transcript_mark_open(recorder->session_dir);
    errno = code;
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, SESSION_TRANSCRIPT, result);
    if (result == 0)
        recorder_unsynced_locked(recorder, UNSYNCED_TRANSCRIPT, recorder->transcript.text);
    if (mark >= 0)
        recorder_unsynced_locked(recorder, UNSYNCED_MARK, mark);
    pthread_mutex_unlock(&recorder->mutex);
    if (mark >= 0)
        close(mark);
}

static void resize(struct recorder *recorder, const struct job *job)
{
    recording_encode_resize(&recorder->out, recorder_part_time(recorder, job->at), job->cols, job->rows);
    recorder->cols = job->cols;
    recorder->rows = job->rows;
}

static bool is_of_recording(enum job_type type)
{
    return type == JOB_OUTPUT || type == JOB_INPUT || type == JOB_ROTATE || type == JOB_RESIZE ||
           type == JOB_MARKER || type == JOB_END;
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
    if (is_of_recording(job->type) && recorder->gap_before > 0)
        recorder_mark_gap_before(recorder);
    /* Events are written together, but before any file that was given after them. */
    if (job->type != JOB_EVENT && job->type != JOB_OUTPUT && job->type != JOB_INPUT &&
        job->type != JOB_STREAM)
        write_events(recorder);
    hide_secrets(recorder, job);
    switch (job->type) {
    case JOB_BEGIN:
        recorder_begin_recording(recorder, job);
        break;
    case JOB_OUTPUT:
        recorder_encode_output(recorder, job->number, job->at, 0);
        break;
    case JOB_INPUT:
        recorder_encode_input(recorder, job, false);
        break;
    case JOB_ROTATE:
        recorder_rotate_recording(recorder, job);
        break;
    case JOB_RESIZE:
        resize(recorder, job);
        break;
    case JOB_MARKER:
        recording_encode_marker(&recorder->out, recorder_part_time(recorder, job->at), job->text);
        break;
    case JOB_END:
        recorder_end_recording(recorder, job);
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
    recorder_write_recording(recorder);
    if (recorder->out.length == 0 && recorder->out.capacity > KEEP_BYTES &&
        recorder->out.capacity < WRITE_BATCH)
        buffer_finish(&recorder->out);
    if (recorder->event_out.length == 0)
        buffer_finish(&recorder->event_out);
}
