#include "host/recovery.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "host/checkpoints.h"
#include "host/host.h"
#include "host/transcript.h"
#include "store/checkpoint.h"
#include "store/recording.h"

#define SLICE 4096
#define START_MAX_S 1e9 /* of an attempt that lasts 30 years */

static struct recording_reader *open_recording(struct host *host, uint64_t offset)
{
    struct error error;
    struct recording_reader *reader;
    uint64_t end = ring_recorded_length(host->attempt.ring);

    if (end == 0 || offset >= end)
        return NULL;
    reader = recording_reader_attempt(host->session_dir, host->attempt.number, offset, end, &error);
    if (reader == NULL)
        log_warning("the recording cannot be read: %s", error.text);
    return reader;
}

static void replay_text(struct host *host, const char *text, size_t length)
{
    for (size_t at = 0; at < length; at += SLICE)
        attempt_parse(host, text + at, length - at < SLICE ? length - at : SLICE);
}

static void replay_recording(struct host *host, struct recording_reader *reader)
{
    struct attempt *attempt = &host->attempt;
    struct recording_event event;
    struct error error;
    int64_t last_ns = 0;

    while (recording_reader_next(reader, &event, &error) == 1) {
        int cols, rows;
        if (event.seconds < START_MAX_S)
            last_ns = (int64_t)(event.seconds * 1e9);
        if (event.type == 'o')
            replay_text(host, event.text, event.length);
        else if (event.type == 'r' && sscanf(event.text, "%9dx%9d", &cols, &rows) == 2)
            terminal_resize(attempt->terminal, cols, rows);
    }
    /* Times never go back. */
    if (last_ns > attempt_time(attempt)) {
        attempt->started_ns = host_now_ns() - last_ns;
        ring_set_started(attempt->ring, attempt->started_ns);
    }
}

/* Returns the offset of the recording from which to replay. */
static uint64_t restore_checkpoint(struct host *host, int cols, int rows)
{
    struct attempt *attempt = &host->attempt;
    struct terminal_options options = attempt_options(host, cols, rows);
    struct checkpoint saved;
    uint64_t offset;

    if (checkpoint_read(host->session_dir, attempt->number, &saved) != 1)
        return 0;
    offset = saved.recording_offset;
    if (saved.stream_position <= ring_tail(attempt->ring) && offset <= ring_recorded_length(attempt->ring))
        attempt->terminal = checkpoints_restore(host, &options, saved.state, saved.length);
    attempt->checkpointed = attempt->terminal == NULL ? 0 : saved.stream_position;
    free(saved.state);
    return attempt->terminal == NULL ? 0 : offset;
}

static void replay_ring(struct host *host)
{
    struct ring *ring = host->attempt.ring;
    const char *bytes;
    size_t length;

    while ((length = ring_replay_slice(ring, &bytes)) > 0) {
        attempt_parse(host, bytes, length);
        ring_slice_done(ring);
    }
}

void recovery_rebuild(struct host *host, int cols, int rows)
{
    struct attempt *attempt = &host->attempt;
    struct recording_reader *reader;
    uint64_t offset;

    attempt->replaying = true;
    offset = restore_checkpoint(host, cols, rows);
    reader = open_recording(host, offset);
    if (attempt->terminal == NULL) {
        struct terminal_options options = attempt_options(host, cols, rows);
        if (reader != NULL)
            recording_reader_size(reader, &options.cols, &options.rows);
        attempt->terminal = terminal_create(&options);
    }
    if (reader != NULL)
        replay_recording(host, reader);
    recording_reader_destroy(reader);
    replay_ring(host);
    if (ring_head(attempt->ring) > 0 && !stream_spoken(host))
        activity_output(host);
    attempt->replaying = false;
    if (cols > 1 && rows > 1)
        terminal_resize(attempt->terminal, cols, rows);
    transcript_resume(&attempt->transcribed, host->session_dir,
                      transcript_position(host->session_dir, attempt->number), attempt->terminal);
}
