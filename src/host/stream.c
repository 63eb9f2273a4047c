#include "host/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "host/host.h"
#include "host/observe.h"

#define READS_A_WAKE 16
#define LOG_NS 100000000

bool stream_mode(const struct host *host)
{
    return strcmp(json_member_string(host->session.object, "mode", "tui"), "stream") == 0;
}

bool stream_spoken(const struct host *host)
{
    return stream_mode(host) && host->driver->stream != NULL;
}

bool stream_draws(const struct host *host)
{
    return host->stream.on && host->stream.drawn.length > 0;
}

uint64_t stream_offset(const struct host *host, const char *type)
{
    const struct stream *stream = &host->stream;
    /* Text was gathered from whole lines. */
    bool gathered = strcmp(type, "text") == 0 || strcmp(type, "thinking") == 0;
    uint64_t at = stream->in_line && !gathered ? stream->out.at : stream->out.line_at;

    if (!stream_spoken(host))
        return attempt_position(&host->attempt);
    if (!stream->on)
        return host->logged_attempt == host->attempt.number ? host->logged_offset : 0;
    return at > stream->told ? at : stream->told;
}

/* ---- drawing ---- */

static void flush(struct host *host)
{
    struct buffer *drawn = &host->stream.drawn;

    if (drawn->length > 0)
        buffer_consume(drawn, attempt_draw(host, drawn->bytes, drawn->length));
    if (drawn->length == 0 && drawn->capacity > 64 * 1024)
        buffer_finish(drawn);
}

static void note_place(struct host *host)
{
    struct stream *stream = &host->stream;
    struct ring_place place = {.line = stream->out.line_at,
                               .drawn = ring_head(host->attempt.ring),
                               .cols = terminal_cols(host->attempt.terminal)};

    ring_set_place(stream->out.ring, place);
}

/* ---- reading ---- */

/* What was taken need not be kept: with a channel it is written to a file first. */
static void release(struct host *host, struct stream_pipe *from)
{
    uint64_t parsed = ring_parsed(from->ring);

    if (parsed == from->released)
        return;
    if (from == &host->stream.out && host->stream.channel != NULL) {
        from->released = parsed;
        recorder_stream(host->recorder, parsed);
        if (!event_pending(host->flush, EV_TIMEOUT, NULL))
            host_timer(host->flush, LOG_NS);
    } else if (host->stream.drawn.length == 0) {
        from->released = parsed;
        ring_commit(from->ring, parsed, 0);
    }
}

static void pump(struct host *host, struct stream_pipe *from)
{
    struct stream *stream = &host->stream;
    const char *bytes;
    size_t length;

    release(host, from);
    while (stream->drawn.length == 0 && (length = ring_slice(from->ring, &bytes)) > 0) {
        uint64_t position = ring_parsed(from->ring);
        if (from == &stream->out)
            note_place(host);
        stream_take(host, from, bytes, length, position);
        ring_slice_done(from->ring);
        flush(host);
        release(host, from);
    }
    delivery_consider(host);
}

static void close_pipe(struct stream_pipe *from)
{
    if (from->readable != NULL)
        event_free(from->readable);
    from->readable = NULL;
    if (from->descriptor >= 0)
        (void)close(from->descriptor);
    from->descriptor = -1;
}

enum read_result { READ_SOME, READ_NOTHING, READ_BLOCKED };

static enum read_result read_pipe(struct host *host, struct stream_pipe *from)
{
    ssize_t got;

    pump(host, from);
    if (host->stream.drawn.length > 0)
        return READ_BLOCKED;
    if (from->descriptor < 0)
        return READ_NOTHING;
    got = ring_read(from->ring, from->descriptor);
    if (got > 0) {
        pump(host, from);
        return READ_SOME;
    }
    if (got < 0 && errno == ENOBUFS) {
        event_del(from->readable);
        attempt_wait(host);
        return READ_BLOCKED;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe(from);
    return READ_NOTHING;
}

static struct stream_pipe *pipe_of(struct host *host, evutil_socket_t descriptor)
{
    return descriptor == host->stream.out.descriptor ? &host->stream.out : &host->stream.err;
}

static void readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct stream_pipe *from = pipe_of(host, descriptor);

    (void)what;
    for (int i = 0; i < READS_A_WAKE && read_pipe(host, from) == READ_SOME; i++)
        ;
    if (from->readable != NULL && host->stream.drawn.length > 0)
        event_del(from->readable);
    if (host->attempt.reaped)
        attempt_look(host);
}

void stream_resume(struct host *host)
{
    struct stream *stream = &host->stream;
    struct stream_pipe *pipes[] = {&stream->out, &stream->err};

    if (!stream->on)
        return;
    flush(host);
    for (size_t i = 0; i < 2 && stream->drawn.length == 0; i++) {
        if (pipes[i]->readable == NULL)
            continue;
        event_add(pipes[i]->readable, NULL);
        event_active(pipes[i]->readable, EV_READ, 0);
    }
}

void stream_relax(struct host *host)
{
    if (!host->stream.on)
        return;
    ring_relax(host->stream.out.ring);
    ring_relax(host->stream.err.ring);
}

void stream_drop(struct host *host)
{
    if (host->stream.on && host->stream.channel != NULL)
        recorder_stream_drop(host->recorder, ring_parsed(host->stream.out.ring));
}

bool stream_drained(struct host *host)
{
    struct stream *stream = &host->stream;
    struct stream_pipe *pipes[] = {&stream->out, &stream->err};
    enum read_result result;

    if (!stream->on)
        return true;
    for (size_t i = 0; i < 2; i++) {
        while ((result = read_pipe(host, pipes[i])) == READ_SOME)
            ;
        if (result == READ_BLOCKED)
            return false;
        note_place(host);
        stream_take_end(host, pipes[i]);
        flush(host);
        if (stream->drawn.length > 0)
            return false;
    }
    return true;
}

/* ---- life ---- */

static int open_pipe(struct host *host, struct stream_pipe *opened, int *descriptor, int *ring,
                     bool taken_over, struct error *error)
{
    opened->descriptor = *descriptor;
    opened->ring = ring_attach(*ring, taken_over, error);
    *descriptor = *ring = -1;
    if (opened->ring == NULL)
        return -1;
    buffer_init(&opened->line);
    opened->at = opened->line_at = ring_parsed(opened->ring);
    opened->readable = event_new(host->loop, opened->descriptor, EV_READ | EV_PERSIST, readable, host);
    return 0;
}

/* stream-N.jsonl; without it nothing is lost but what a host that follows would know. */
static void open_file(struct host *host)
{
    char name[40];
    int file;

    (void)snprintf(name, sizeof name, "stream-%u.jsonl", host->attempt.number);
    file = openat(host->session_dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        host_warn(host, "recording_failed", "cannot open %s: %s", name, strerror(errno));
    recorder_stream_begin(host->recorder, host->stream.out.ring, file);
}

int stream_begin(struct host *host, int fds[KEEPER_DESCRIPTORS], bool taken_over, struct error *error)
{
    struct stream *stream = &host->stream;

    if (fds[KEEPER_DESCRIPTOR_STDOUT] < 0 || fds[KEEPER_DESCRIPTOR_STDOUT_RING] < 0)
        return 0;
    *stream = (struct stream){.out.descriptor = -1, .err.descriptor = -1};
    stream->on = true;
    stream_input_init(host);
    buffer_init(&stream->drawn);
    stream->drawing = drawing_create();
    stream->asked = json_object();
    if (open_pipe(host, &stream->out, &fds[KEEPER_DESCRIPTOR_STDOUT], &fds[KEEPER_DESCRIPTOR_STDOUT_RING],
                  taken_over, error) < 0 ||
        open_pipe(host, &stream->err, &fds[KEEPER_DESCRIPTOR_STDERR], &fds[KEEPER_DESCRIPTOR_STDERR_RING],
                  taken_over, error) < 0)
        return -1;
    stream->channel = host->driver->stream;
    if (stream->channel != NULL) {
        stream->state = stream->channel->create();
        open_file(host);
    }
    if (!taken_over)
        session_keep(host, "said", json_null());
    else if (host->logged_attempt == host->attempt.number)
        stream->told = host->logged_offset;
    if (taken_over)
        stream->out.at = stream->out.line_at = 0;
    return 0;
}

static void say_first(struct host *host)
{
    struct stream *stream = &host->stream;
    struct observer observer = stream_observer(host);

    stream->channel->begin(stream->state, json_string_value(session_kept(&host->session, "resumes")),
                           json_member_string(host->session.object, "cwd", "/"), &observer);
}

void stream_greet(struct host *host, bool taken_over, bool said)
{
    struct stream *stream = &host->stream;

    if (!stream->on)
        return;
    if (taken_over)
        stream_replay(host);
    if (stream->channel != NULL && (!taken_over || !said))
        say_first(host);
    /* Nothing more may come. */
    stream_resume(host);
}

void stream_stop(struct host *host)
{
    if (!host->stream.on)
        return;
    close_pipe(&host->stream.out);
    close_pipe(&host->stream.err);
    stream_input_finish(host);
    if (host->stream.channel != NULL)
        recorder_stream_end(host->recorder);
}

void stream_finish(struct host *host)
{
    struct stream *stream = &host->stream;

    if (!stream->on)
        return;
    close_pipe(&stream->out);
    close_pipe(&stream->err);
    ring_detach(stream->out.ring);
    ring_detach(stream->err.ring);
    buffer_finish(&stream->out.line);
    buffer_finish(&stream->err.line);
    buffer_finish(&stream->drawn);
    stream_input_finish(host);
    if (stream->channel != NULL)
        stream->channel->destroy(stream->state);
    drawing_destroy(stream->drawing);
    free(stream->last.text);
    json_decref(stream->asked);
    *stream = (struct stream){.out.descriptor = -1, .err.descriptor = -1};
}

/* ---- what is said to the agent ---- */

static bool can_speak(const struct host *host)
{
    return host->stream.on && host->stream.channel != NULL && attempt_running(&host->attempt);
}

bool stream_idle(const struct host *host)
{
    enum phase last = host->stream.last.phase;

    return can_speak(host) && host->stream.last.known && (last == PHASE_IDLE || last == PHASE_LIMITED);
}

uint64_t stream_prompt(struct host *host, const char *text)
{
    struct stream *stream = &host->stream;
    struct observer observer = stream_observer(host);
    uint64_t before = stream->input.last_ticket;

    if (!can_speak(host))
        return 0;
    stream_note_said(host, json_pack("{ss so}", "kind", "prompt", "text", json_string_or_null(text)));
    stream->channel->prompt(stream->state, text, &observer);
    flush(host);
    return stream->input.last_ticket > before ? stream->input.last_ticket : 0;
}

void stream_interrupt(struct host *host)
{
    struct stream *stream = &host->stream;
    struct observer observer = stream_observer(host);

    if (!can_speak(host))
        return;
    stream_note_said(host, json_pack("{ss}", "kind", "interrupt"));
    stream->channel->interrupt(stream->state, &observer);
    flush(host);
}

int stream_answer(struct host *host, const char *request, const struct approval_answer *answer)
{
    struct stream *stream = &host->stream;
    struct observer observer = stream_observer(host);
    int result;

    if (!can_speak(host))
        return -1;
    result = stream->channel->answer(stream->state, request, answer, &observer);
    if (result == 0)
        stream_note_said(host, json_pack("{ss ss sb si so}", "kind", "answer", "request", request, "approve",
                                         answer->approve, "choice", answer->choice, "text",
                                         json_string_or_null(answer->text)));
    flush(host);
    return result;
}
