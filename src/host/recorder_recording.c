/* The recorder's part that writes the recording: output from the ring, in parts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/recorder_jobs.h"
#include "store/recording.h"

#define WRITE_BATCH (64 * 1024)
#define OPEN_AGAIN_NS 1000000000
/* Another part that could not be begun is tried again after this much more of the recording. */
#define ROTATE_AGAIN ((uint64_t)64 * 1024)
#define ROTATE_AGAIN_SHARE 16 /* of a part, if that is more */

/* ---- opening ---- */

int64_t recorder_part_time(const struct recorder *recorder, int64_t at)
{
    return at - recorder->recording.part.start_ns;
}

uint64_t recorder_recorded(const struct recorder_recording *recording)
{
    struct stat status;

    /* What could not be opened is as long as it was. */
    if (recording->part.file < 0 || fstat(recording->part.file, &status) < 0 || status.st_size < 0)
        return ring_recorded_length(recording->ring);
    return recording->part.offset + (uint64_t)status.st_size;
}

static void make_head(struct recorder *recorder)
{
    const struct recorder_recording *recording = &recorder->recording;

    if (recording->part.part <= 1)
        recording_encode_header(&recorder->head, recorder->cols, recorder->rows, recording->started_ms, NULL,
                                NULL);
    else
        recording_encode_part(&recorder->head, recording->part.part, recording->part.offset,
                              recording->part.start_ns, recorder->cols, recorder->rows, clock_realtime_ms(),
                              NULL, NULL, 0);
}

/* The part's file is open: its length counts from here on, and it has a header or is given one. */
static void take_part(struct recorder *recorder)
{
    const struct recording_part *part = &recorder->recording.part;
    uint64_t whole = recorder_recorded(&recorder->recording);

    buffer_clear(&recorder->head);
    if (whole == part->offset)
        make_head(recorder);
    pthread_mutex_lock(&recorder->mutex);
    recorder->part = part->part;
    recorder->part_from = part->offset;
    recorder->length = whole;
    if (part->file >= 0) {
        recorder_unsynced_locked(recorder, UNSYNCED_RECORDING, part->file);
        recorder_unsynced_locked(recorder, UNSYNCED_FOLDER, recorder->session_dir);
    }
    pthread_mutex_unlock(&recorder->mutex);
}

void recorder_begin_recording(struct recorder *recorder, struct job *job)
{
    if (recorder->recording.part.file >= 0)
        close(recorder->recording.part.file);
    recorder->recording = job->recording;
    recorder->ring = job->recording.ring;
    recorder->out_to = ring_tail(recorder->ring);
    recorder->cols = job->recording.cols;
    recorder->rows = job->recording.rows;
    recorder->marked = recorder->checkpoint_offset = 0;
    recorder->opened_at = clock_monotonic_ns();
    recorder->open_code = ENOSPC;
    mask_stream_finish(&recorder->masked);
    mask_stream_finish(&recorder->input_masked);
    buffer_finish(&recorder->input);
    buffer_clear(&recorder->out);
    take_part(recorder);
    buffer_append(&recorder->out, recorder->head.bytes, recorder->head.length);
    recorder->gap_before = ring_unmarked(recorder->ring);
    pthread_mutex_lock(&recorder->mutex);
    recorder->missing = recorder->gap_before;
    recorder->rotate_from = 0;
    recorder->rotating = false;
    if (recorder->recording.keep)
        recorder_compress_locked(recorder);
    pthread_mutex_unlock(&recorder->mutex);
}

/* A recording that could not be opened is tried again. What was encoded meanwhile has no header if another was made. */
static int open_again(struct recorder *recorder)
{
    struct recording_part part;
    struct error error;
    int64_t now = clock_monotonic_ns();

    errno = recorder->open_code;
    if (recorder->recording.part.file >= 0)
        return 0;
    if (now - recorder->opened_at < OPEN_AGAIN_NS)
        return -1;
    recorder->opened_at = now;
    errno = 0;
    if (recording_part_open(recorder->session_dir, recorder->recording.attempt, recorder->length, &part,
                            &error) < 0) {
        recorder->open_code = errno == 0 ? EIO : errno;
        errno = recorder->open_code;
        return -1;
    }
    recorder->recording.part = part;
    take_part(recorder);
    return 0;
}

/* ---- writing ---- */

/* Publishes what a write of `length` bytes came to. */
static void commit_locked(struct recorder *recorder, int result, size_t length)
{
    uint64_t taken = recorder->out_to > recorder->tail ? recorder->out_to - recorder->tail : 0;

    if (result == 0) {
        recorder->length += length;
        recorder->missing -= recorder->marked;
        if (length > 0)
            recorder_unsynced_locked(recorder, UNSYNCED_RECORDING, recorder->recording.part.file);
    } else {
        recorder->news.lost += taken;
        recorder->missing += taken;
    }
    recorder->marked = 0;
    recorder->tail += taken;
    ring_set_unmarked(recorder->ring, recorder->missing);
    ring_commit(recorder->ring, recorder->tail, recorder->length);
    if (taken > 0)
        recorder_tell_room_locked(recorder);
}

/* Says in what is written next how much is missing before it. */
static void mark_gap(struct recorder *recorder, uint64_t missing)
{
    int64_t at = recorder_part_time(recorder, recorder->at);
    char label[64];

    if (missing == 0)
        return;
    recording_encode_resize(&recorder->out, at, recorder->cols, recorder->rows);
    (void)snprintf(label, sizeof label, "gap: %llu bytes", (unsigned long long)missing);
    recording_encode_marker(&recorder->out, at, label);
    recorder->marked = missing;
}

void recorder_mark_gap_before(struct recorder *recorder)
{
    mark_gap(recorder, recorder->gap_before);
    recorder->gap_before = 0;
}

/* The next write begins with what the recording cannot do without, and says what is missing in between. */
static void go_on_after(struct recorder *recorder, int result, uint64_t missing)
{
    buffer_clear(&recorder->out);
    if (result == 0)
        buffer_clear(&recorder->head);
    else
        buffer_append(&recorder->out, recorder->head.bytes, recorder->head.length);
    mark_gap(recorder, recorder->gap_before > 0 ? 0 : missing);
}

static bool has_news(const struct recorder_news *news)
{
    return news->room || news->problem || news->mended || news->lost > 0;
}

static int write_part(struct recorder *recorder)
{
    bool open = recorder->recording.part.file >= 0;

    if (open_again(recorder) < 0)
        return -1;
    if (!open) {
        /* What was encoded was for no part in particular: it is missing, as what came before. */
        errno = recorder->open_code;
        return -1;
    }
    return recorder_write_at(recorder->recording.part.file, recorder->out.bytes, recorder->out.length,
                             (off_t)(recorder->length - recorder->recording.part.offset));
}

void recorder_write_recording(struct recorder *recorder)
{
    size_t length = recorder->out.length;
    uint64_t missing;
    bool news;
    int result;

    if (recorder->ring == NULL || (length == 0 && recorder->out_to <= recorder->tail))
        return;
    recorder_operation_begin(recorder);
    result = write_part(recorder);
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

/* ---- encoding ---- */

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

void recorder_encode_output(struct recorder *recorder, uint64_t to, int64_t at, int last)
{
    int64_t time = recorder_part_time(recorder, at);
    uint64_t from = encoded_to(recorder);

    while (recorder->ring != NULL && from < to) {
        size_t piece = ring_recordable(recorder->ring, &from, to), taken;
        size_t length = piece > WRITE_BATCH ? WRITE_BATCH : piece;
        bool whole = length == piece && (last || from + piece < to);
        taken = length == 0 ? 0 : encode_piece(recorder, from, length, time, whole);
        recorder->out_to = from + taken;
        if (taken == 0)
            break;
        if (recorder->out.length >= WRITE_BATCH)
            recorder_write_recording(recorder);
        from = encoded_to(recorder);
    }
}

/* What may be the beginning of a secret waits for the next keys. */
void recorder_encode_input(struct recorder *recorder, const struct job *job, bool last)
{
    struct buffer *typed = &recorder->input;
    const char *masked;
    size_t decided;

    buffer_append(typed, job->text, job->length);
    decided = typed->length;
    if (recorder->ring == NULL || decided == 0)
        return;
    masked = mask_stream_piece(&recorder->input_masked, recorder->mask, typed->bytes, &decided, last);
    recording_encode_input(&recorder->out, recorder_part_time(recorder, job->at), masked, decided);
    mask_stream_taken(&recorder->input_masked, recorder->mask, typed->bytes, typed->length, decided);
    buffer_consume(typed, decided);
    if (typed->length == 0)
        buffer_finish(typed);
}

/* ---- another part ---- */

/* Whether everything up to the position is in the part, and nothing is missing that the next write would speak of. */
static bool is_settled(struct recorder *recorder, uint64_t position)
{
    bool settled;

    if (recorder->ring == NULL || recorder->recording.part.file < 0 || recorder->out.length > 0 ||
        recorder->head.length > 0)
        return false;
    pthread_mutex_lock(&recorder->mutex);
    settled = recorder->tail == position && recorder->missing == 0;
    pthread_mutex_unlock(&recorder->mutex);
    return settled;
}

static int write_prologue(struct recorder *recorder, const struct job *job, struct recording_part *next,
                          size_t *length)
{
    struct buffer prologue;
    struct error error;
    int result = -1;

    buffer_init(&prologue);
    recording_encode_part(&prologue, next->part, next->offset, next->start_ns, job->cols, job->rows,
                          clock_realtime_ms(), NULL, job->text, job->length);
    next->file =
        recording_part_create(recorder->session_dir, recorder->recording.attempt, next->part, &error);
    if (next->file >= 0)
        result = recorder_write_at(next->file, prologue.bytes, prologue.length, 0);
    *length = prologue.length;
    buffer_finish(&prologue);
    return result;
}

/* Goes on in the next part, which has its prologue. */
static void go_on_in(struct recorder *recorder, const struct recording_part *next, size_t prologue)
{
    int old = recorder->recording.part.file;

    recorder->recording.part = *next;
    pthread_mutex_lock(&recorder->mutex);
    recorder->length += prologue;
    recorder->part = next->part;
    recorder->part_from = recorder->length;
    ring_commit(recorder->ring, recorder->tail, recorder->length);
    recorder_unsynced_locked(recorder, UNSYNCED_PART, old);
    recorder_unsynced_locked(recorder, UNSYNCED_RECORDING, next->file);
    recorder_unsynced_locked(recorder, UNSYNCED_FOLDER, recorder->session_dir);
    recorder->news.changed = true;
    if (recorder->recording.keep)
        recorder_compress_locked(recorder);
    pthread_mutex_unlock(&recorder->mutex);
    close(old);
    recorder_notify(recorder);
}

static void remove_parts(struct recorder *recorder, unsigned before)
{
    struct error error;

    if (recording_remove(recorder->session_dir, recorder->recording.attempt, before, &error) < 0)
        log_warning("%s", error.text);
}

static void begin_part(struct recorder *recorder, const struct job *job)
{
    struct recording_part next = {.part = recorder->recording.part.part + 1,
                                  .offset = recorder->length,
                                  .start_ns = job->at / 1000 * 1000};
    char name[RECORDING_NAME_SIZE];
    size_t prologue = 0;
    int result;

    recorder_operation_begin(recorder);
    result = write_prologue(recorder, job, &next, &prologue);
    recorder_operation_end_locked(recorder);
    recorder_report_locked(recorder, "the next part of the recording", result);
    pthread_mutex_unlock(&recorder->mutex);
    if (result == 0) {
        go_on_in(recorder, &next, prologue);
        /* Who takes over needs what came after the last checkpoint. */
        if (!recorder->recording.keep && recorder->checkpoint_offset >= next.offset)
            remove_parts(recorder, next.part);
        return;
    }
    recording_part_name(recorder->recording.attempt, next.part, name);
    (void)unlinkat(recorder->session_dir, name, 0);
    if (next.file >= 0)
        close(next.file);
}

void recorder_rotate_recording(struct recorder *recorder, struct job *job)
{
    uint64_t again = recorder->recording.part_bytes / ROTATE_AGAIN_SHARE;

    recorder_encode_output(recorder, job->number, job->at, 0);
    recorder_write_recording(recorder);
    if (is_settled(recorder, job->number)) {
        (void)mask_text(recorder->mask, job->text, job->length);
        begin_part(recorder, job);
    }
    pthread_mutex_lock(&recorder->mutex);
    recorder->rotating = false;
    recorder->rotate_from = recorder->length + (again > ROTATE_AGAIN ? again : ROTATE_AGAIN);
    pthread_mutex_unlock(&recorder->mutex);
}

/* ---- the end ---- */

void recorder_end_recording(struct recorder *recorder, struct job *job)
{
    uint64_t to;

    if (recorder->ring == NULL)
        return;
    pthread_mutex_lock(&recorder->mutex);
    to = recorder->last_output;
    pthread_mutex_unlock(&recorder->mutex);
    recorder_encode_output(recorder, to, job->at, 1);
    recorder_encode_input(recorder, job, true);
    recorder_write_recording(recorder);
    if (recorder->recording.part.file >= 0)
        close(recorder->recording.part.file);
    recorder->recording.part.file = -1;
    recorder->ring = NULL;
    if (!recorder->recording.keep)
        remove_parts(recorder, 0);
    pthread_mutex_lock(&recorder->mutex);
    recorder->part_bytes = UINT64_MAX;
    recorder->news.changed = true;
    pthread_mutex_unlock(&recorder->mutex);
    recorder_notify(recorder);
}
