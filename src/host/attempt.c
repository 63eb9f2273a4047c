#include "host/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/checkpoints.h"
#include "host/ending.h"
#include "host/host.h"
#include "host/recovery.h"
#include "host/transcript.h"

#define READS_A_WAKE 16
#define CHECKPOINT_BYTES (8 * 1024 * 1024)
#define STALL_NS 2000000000
#define BELL_NS 100000000 /* between two bells that are told */
#define CLOSED_NS 500000000
#define START_AGE_MS 10000   /* a start that is told took less */
#define TRANSCRIPT_LINES 500 /* that wait at most before they are written */

/* ---- what the program asks of its terminal ---- */

static void on_reply(void *argument, const char *bytes, size_t length)
{
    struct host *host = argument;

    if (!host->attempt.replaying)
        typing_reply(host, bytes, length);
}

static void on_title(void *argument, const char *title)
{
    activity_title(argument, title);
}

static void on_notify(void *argument, const char *title, const char *body)
{
    struct host *host = argument;

    if (!host->attempt.replaying)
        (void)events_emit(
            host, "notification",
            json_pack("{so so}", "title", json_string_or_null(title), "text", json_string_or_null(body)));
}

static void on_progress(void *argument, int state, int percent)
{
    struct host *host = argument;

    session_set(host, "progress_pct", state == 0 || state == 3 ? json_null() : json_integer(percent));
    activity_progress(host, state);
    if (!host->attempt.replaying)
        session_changed(host, false);
}

static void on_bell(void *argument)
{
    struct host *host = argument;

    if (host->attempt.replaying || host_now_ns() - host->attempt.rang_at < BELL_NS)
        return;
    host->attempt.rang_at = host_now_ns();
    clients_notify(host, "bell", "", 0);
}

static void on_clipboard(void *argument, const char *base64, size_t length)
{
    struct host *host = argument;

    if (!host->attempt.replaying && config_bool(host->config, "limits.clipboard"))
        clients_notify(host, "clipboard", base64, length);
}

static void on_program_status(void *argument, const char *payload, size_t length)
{
    activity_program_status(argument, payload, length);
}

static void on_prompt_mark(void *argument, char mark)
{
    activity_prompt_mark(argument, mark);
}

static void on_reset(void *argument)
{
    activity_reset(argument);
}

struct terminal_options attempt_options(struct host *host, int cols, int rows)
{
    static const struct terminal_calls calls = {
        .reply = on_reply,
        .title = on_title,
        .notify = on_notify,
        .progress = on_progress,
        .bell = on_bell,
        .clipboard = on_clipboard,
        .program_status = on_program_status,
        .prompt_mark = on_prompt_mark,
        .reset = on_reset,
    };

    return (struct terminal_options){.cols = cols,
                                     .rows = rows,
                                     .scrollback_lines = host->attempt.scrollback_lines,
                                     .clipboard = config_bool(host->config, "limits.clipboard"),
                                     .calls = &calls,
                                     .argument = host};
}

/* ---- reading ---- */

bool attempt_running(const struct attempt *attempt)
{
    return attempt->pty >= 0 && attempt->pid > 0 && !attempt->reaped && !attempt->over;
}

uint64_t attempt_position(const struct attempt *attempt)
{
    return attempt->ring == NULL ? 0 : ring_parsed(attempt->ring);
}

int64_t attempt_time(const struct attempt *attempt)
{
    return host_now_ns() - attempt->started_ns;
}

void attempt_marker(struct host *host, const char *label)
{
    if (host->attempt.ring == NULL || host->attempt.over || host->attempt.replaying)
        return;
    recorder_output(host->recorder, ring_parsed(host->attempt.ring), attempt_time(&host->attempt));
    recorder_marker(host->recorder, attempt_time(&host->attempt), label);
    host_flush_soon(host);
}

void attempt_parse(struct host *host, const char *bytes, size_t length)
{
    terminal_write(host->attempt.terminal, bytes, length);
}

static void over(struct host *host)
{
    struct attempt *attempt = &host->attempt;

    if (attempt->over)
        return;
    attempt->over = true;
    event_del(attempt->readable);
    side_files_end(host);
    stream_stop(host);
    ending_attempt(host);
}

/* The ring is full: the recorder has to free some of it first. */
static void wait_for_room(struct host *host)
{
    host->attempt.waiting = true;
    event_del(host->attempt.readable);
    recorder_output(host->recorder, ring_parsed(host->attempt.ring), attempt_time(&host->attempt));
    recorder_await_room(host->recorder);
    host_timer(host->stall, STALL_NS);
}

void attempt_wait(struct host *host)
{
    if (!host->attempt.waiting)
        wait_for_room(host);
}

void attempt_resume(struct host *host)
{
    struct attempt *attempt = &host->attempt;

    if (!attempt->waiting || attempt->over)
        return;
    attempt->waiting = false;
    event_del(host->stall);
    event_add(attempt->readable, NULL);
    stream_resume(host);
    if (attempt->reaped)
        attempt_look(host);
}

/* Nobody has the terminal open, but the leader lives on and may open it again, or its end was not told yet. */
static void wait_for_opening(struct host *host)
{
    event_del(host->attempt.readable);
    host->attempt.waiting = true;
    host_timer(host->stall, CLOSED_NS);
}

enum read_result { READ_SOME, READ_EMPTY, READ_END, READ_FULL };

static void parse_pending(struct host *host)
{
    const char *bytes;
    size_t length;

    while ((length = ring_slice(host->attempt.ring, &bytes)) > 0) {
        attempt_parse(host, bytes, length);
        ring_slice_done(host->attempt.ring);
    }
}

static enum read_result read_once(struct host *host)
{
    struct attempt *attempt = &host->attempt;
    ssize_t got = ring_read(attempt->ring, attempt->pty);

    if (got < 0)
        return errno == ENOBUFS ? READ_FULL : errno == EAGAIN || errno == EINTR ? READ_EMPTY : READ_END;
    if (got == 0)
        return READ_END;
    parse_pending(host);
    return READ_SOME;
}

static void readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct attempt *attempt = &host->attempt;
    enum read_result result = READ_SOME;
    uint64_t before = ring_parsed(attempt->ring);

    (void)descriptor;
    (void)what;
    /* A host before may have read more than it parsed. */
    parse_pending(host);
    if (stream_draws(host))
        return;
    /* Lines are taken before so many more came that the oldest leave the scrollback. */
    for (int i = 0; i < READS_A_WAKE && result == READ_SOME; i++) {
        result = read_once(host);
        attempt_transcribe(host, false);
    }
    if (ring_parsed(attempt->ring) != before) {
        activity_output(host);
        host_output(host);
    }
    if (result == READ_FULL)
        wait_for_room(host);
    else if (result == READ_END && !attempt->reaped)
        wait_for_opening(host);
    else if ((result == READ_END || result == READ_EMPTY) && attempt->reaped && stream_drained(host))
        over(host);
}

void attempt_look(struct host *host)
{
    if (host->attempt.readable != NULL && !host->attempt.over)
        event_active(host->attempt.readable, EV_READ, 0);
}

size_t attempt_draw(struct host *host, const char *bytes, size_t length)
{
    struct attempt *attempt = &host->attempt;
    size_t done = 0, part;

    do {
        part = length - done < RING_GUARD ? length - done : RING_GUARD;
        part = ring_append(attempt->ring, bytes + done, part);
        done += part;
        parse_pending(host);
        attempt_transcribe(host, false);
    } while (part > 0 && done < length);
    if (done > 0) {
        /* What ganger draws is no evidence of what the agent does. */
        if (!stream_spoken(host))
            activity_output(host);
        host_output(host);
    }
    if (done < length)
        attempt_wait(host);
    return done;
}

void attempt_exited(struct host *host, int status, int64_t at_ms)
{
    struct attempt *attempt = &host->attempt;

    if (attempt->reaped)
        return;
    attempt->reaped = true;
    attempt->status = status;
    attempt->exited_ms = at_ms;
    attempt_look(host);
}

/* ---- begin and end ---- */

static void take_start(struct attempt *attempt, const struct keeper_attempt *told, int pty)
{
    attempt->number = told->attempt;
    attempt->pid = told->pid;
    attempt->pty = pty;
    attempt->started_ms = told->started_ms;
}

/* The wall clock may be set at any time; what the first host of the attempt made of it stays. */
static void take_time(struct attempt *attempt, bool taken_over)
{
    int64_t now = host_now_ns(), age_ms = clock_realtime_ms() - attempt->started_ms;

    attempt->started_ns = ring_started(attempt->ring);
    if (attempt->started_ns > 0 && attempt->started_ns <= now)
        return;
    if (age_ms < 0 || age_ms > now / 1000000 || (!taken_over && age_ms > START_AGE_MS))
        age_ms = 0;
    attempt->started_ns = now - age_ms * 1000000;
    ring_set_started(attempt->ring, attempt->started_ns);
}

void attempt_colours(struct host *host)
{
    const json_t *foreground = session_kept(&host->session, "foreground");
    const json_t *background = session_kept(&host->session, "background");

    if (host->attempt.terminal == NULL)
        return;
    if (foreground != NULL)
        terminal_set_palette(host->attempt.terminal, -1, (uint32_t)json_integer_value(foreground));
    if (background != NULL)
        terminal_set_palette(host->attempt.terminal, -2, (uint32_t)json_integer_value(background));
}

int attempt_begin(struct host *host, const struct keeper_attempt *told, int pty, int ring, bool taken_over,
                  struct error *error)
{
    struct attempt *attempt = &host->attempt;
    struct winsize size = {.ws_col = 80, .ws_row = 24};

    take_start(attempt, told, pty);
    attempt->scrollback_lines = (size_t)config_number(host->config, "limits.scrollback_lines");
    attempt->ring = ring_attach(ring, taken_over, error);
    if (attempt->ring == NULL)
        return -1;
    take_time(attempt, taken_over);
    (void)ioctl(pty, TIOCGWINSZ, &size);
    if (taken_over) {
        recovery_rebuild(host, size.ws_col, size.ws_row);
    } else {
        struct terminal_options options = attempt_options(host, size.ws_col, size.ws_row);
        attempt->terminal = terminal_create(&options);
    }
    attempt_colours(host);
    recordings_begin(host, taken_over);
    if (taken_over)
        recorder_output(host->recorder, ring_parsed(attempt->ring), attempt_time(attempt));
    session_set(host, "cols", json_integer(terminal_cols(attempt->terminal)));
    session_set(host, "rows", json_integer(terminal_rows(attempt->terminal)));
    attempt->readable = event_new(host->loop, pty, EV_READ | EV_PERSIST, readable, host);
    event_add(attempt->readable, NULL);
    /* The agent may have no more to say than what is there. */
    if (taken_over)
        event_active(attempt->readable, EV_READ, 0);
    return 0;
}

void attempt_finish(struct host *host)
{
    struct attempt *attempt = &host->attempt;

    stream_finish(host);
    if (attempt->readable != NULL)
        event_free(attempt->readable);
    if (attempt->pty >= 0)
        close(attempt->pty);
    ring_detach(attempt->ring);
    terminal_destroy(attempt->terminal);
    *attempt = (struct attempt){.number = attempt->number, .pty = -1};
}

/* ---- the rest ---- */

void attempt_resize(struct host *host, int cols, int rows)
{
    struct attempt *attempt = &host->attempt;
    struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};

    if (attempt->terminal == NULL || attempt->over ||
        (cols == terminal_cols(attempt->terminal) && rows == terminal_rows(attempt->terminal)))
        return;
    terminal_resize(attempt->terminal, cols, rows);
    transcript_lines_resized(&attempt->transcribed, attempt->terminal);
    (void)ioctl(attempt->pty, TIOCSWINSZ, &size);
    recorder_resize(host->recorder, attempt_time(attempt), cols, rows);
    session_set(host, "cols", json_integer(cols));
    session_set(host, "rows", json_integer(rows));
    session_changed(host, false);
    frames_update(host);
}

static void transcribe(struct host *host, uint64_t least, bool last)
{
    struct attempt *attempt = &host->attempt;
    struct masked_cells *masked = NULL;
    struct buffer text;
    size_t length;
    char *bytes;

    if (attempt->terminal == NULL ||
        (!last && transcript_lines_waiting(&attempt->transcribed, attempt->terminal) < least))
        return;
    buffer_init(&text);
    if (last)
        masked = terminal_mask(attempt->terminal, host->mask);
    transcript_lines_take(&attempt->transcribed, attempt->terminal, last, &text);
    terminal_unmask(masked);
    length = text.length;
    bytes = buffer_steal(&text);
    if (length == 0) {
        free(bytes);
        return;
    }
    recorder_transcript(host->recorder, bytes, length, attempt->number, attempt->transcribed.next);
}

void attempt_transcribe(struct host *host, bool last)
{
    size_t half = host->attempt.scrollback_lines / 2;

    transcribe(host, half < TRANSCRIPT_LINES ? half : TRANSCRIPT_LINES, last);
}

void attempt_transcribe_waiting(struct host *host)
{
    transcribe(host, 1, false);
}

void attempt_checkpoint(struct host *host, bool quiet)
{
    struct attempt *attempt = &host->attempt;
    uint64_t position = attempt_position(attempt);
    size_t length;
    char *state;

    if (attempt->terminal == NULL || attempt->over || position == attempt->checkpointed ||
        (!quiet && position - attempt->checkpointed < CHECKPOINT_BYTES))
        return;
    state = checkpoints_take(host, &length);
    if (state == NULL)
        return;
    attempt->checkpointed = position;
    recorder_output(host->recorder, position, attempt_time(attempt));
    recorder_checkpoint(host->recorder, attempt->number, position, state, length);
}
