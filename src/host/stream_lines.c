/* Lines of the agent's pipes, and what becomes of them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/stream.h"

#define KEEP_BYTES (64 * 1024) /* a buffer above this is given back after its line */
#define ERR_LINE 4096          /* bytes of a line of standard error that are told */
#define ERR_LINES 50           /* lines a second that are told */

static int cols(const struct host *host)
{
    return host->stream.cols != 0 ? host->stream.cols : terminal_cols(host->attempt.terminal);
}

/* ---- what the channel says ---- */

/* What a host that follows has to tell again. */
static void keep_request(struct stream *stream, const struct observation *observation)
{
    const char *id = observation->id;

    if (observation->kind == OBSERVED_APPROVAL && id != NULL)
        json_object_set_new(stream->asked, id,
                            json_pack("{so so so sO? sO?}", "name", json_string_or_null(observation->name),
                                      "request", json_string_or_null(observation->request), "text",
                                      json_string_or_null(observation->text), "input", observation->input,
                                      "choices", observation->choices));
    else if (observation->kind == OBSERVED_APPROVAL_RESOLVED && id != NULL)
        (void)json_object_del(stream->asked, id);
    else if (observation->kind == OBSERVED_APPROVAL_RESOLVED)
        (void)json_object_clear(stream->asked);
}

static void keep_phase(struct stream *stream, const struct observation *observation)
{
    if (observation->kind != OBSERVED_PHASE)
        return;
    free(stream->last.text);
    stream->last.text = observation->text == NULL ? NULL : strdup(observation->text);
    stream->last.phase = observation->phase;
    stream->last.until_ms = observation->until_ms;
    stream->last.known = true;
}

static void on_observed(void *argument, const struct observation *observation)
{
    struct host *host = argument;
    struct stream *stream = &host->stream;
    size_t before = stream->drawn.length;

    keep_phase(stream, observation);
    keep_request(stream, observation);
    if (!stream->saying && (!stream->in_line || stream->out.at > stream->told))
        observe_agent(host, EVIDENCE_STREAM, observation);
    drawing_observe(stream->drawing, observation, cols(host), &stream->drawn);
    if (stream->quiet)
        stream->drawn.length = before;
}

static void on_send(void *argument, const char *bytes, size_t length)
{
    struct host *host = argument;

    if (!host->stream.quiet)
        stream_input_send(host, bytes, length);
}

struct observer stream_observer(struct host *host)
{
    return (struct observer){.observe = on_observed, .send = on_send, .argument = host};
}

/* ---- lines of standard output ---- */

static void say_once(struct host *host, bool *said, const char *code, const char *text)
{
    if (*said || host->stream.quiet)
        return;
    *said = true;
    host_warn(host, code, "%s", text);
}

/* NUL and what is not UTF-8 become U+FFFD. */
static void replace_invalid(const char *bytes, size_t length, struct buffer *out)
{
    while (length > 0) {
        uint32_t code = 0;
        int used = utf8_decode(bytes, length, &code);
        size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length;
        if (used > 0 && code != 0)
            buffer_append(out, bytes, taken);
        else
            buffer_append_string(out, "\xEF\xBF\xBD");
        bytes += taken;
        length -= taken;
    }
}

/* An escaped NUL, which would end a string early, becomes U+FFFD. */
static void replace_escaped_nul(struct buffer *line)
{
    char *at = line->bytes, *end = line->bytes + line->length;

    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0)
            memcpy(at, "\\ufffd", 6);
        at += end - at >= 2 ? 2 : 1;
    }
}

static json_t *parse(struct buffer *line)
{
    json_error_t error;
    json_t *message;
    struct buffer clean;

    replace_escaped_nul(line);
    message = json_loadb(line->bytes, line->length, 0, &error);
    if (message != NULL || strchr("{\xEF", line->bytes[0]) == NULL)
        return message;
    buffer_init(&clean);
    replace_invalid(line->bytes, line->length, &clean);
    json_text_mend(clean.bytes, clean.length);
    message = json_loadb(clean.bytes, clean.length, 0, &error);
    buffer_finish(&clean);
    return message;
}

static bool is_blank(const struct buffer *line)
{
    for (size_t i = 0; i < line->length; i++) {
        if (strchr(" \t\r", line->bytes[i]) == NULL)
            return false;
    }
    return true;
}

static void draw_line(struct host *host, enum drawing_line kind, const struct buffer *line)
{
    struct stream *stream = &host->stream;
    size_t before = stream->drawn.length;

    drawing_line(stream->drawing, kind, line->bytes, line->length, cols(host), &stream->drawn);
    if (stream->quiet)
        stream->drawn.length = before;
}

static void message_line(struct host *host, struct buffer *line)
{
    struct stream *stream = &host->stream;
    struct observer observer = stream_observer(host);
    json_t *message;

    if (is_blank(line))
        return;
    message = parse(line);
    if (json_is_object(message)) {
        stream->channel->message(stream->state, message, &observer);
    } else {
        draw_line(host, DRAWING_UNREAD, line);
        say_once(host, &stream->told_text, "stream_not_json",
                 "the agent printed a line that is no JSON object: it is shown as it is");
    }
    json_decref(message);
}

/* ---- lines of standard error ---- */

static void tell_untold(struct host *host)
{
    struct stream *stream = &host->stream;

    if (stream->err_untold == 0)
        return;
    (void)events_emit(host, "stderr", json_pack("{ss si}", "text", "", "omitted", (int)stream->err_untold));
    stream->err_untold = 0;
}

static void error_line(struct host *host, const struct buffer *line)
{
    struct stream *stream = &host->stream;
    int64_t second = host_now_ms() / 1000;
    struct buffer clean;

    draw_line(host, DRAWING_STDERR, line);
    if (second != stream->err_second) {
        stream->err_second = second;
        stream->err_lines = 0;
        tell_untold(host);
    }
    if (stream->err_lines >= ERR_LINES) {
        stream->err_untold++;
        return;
    }
    stream->err_lines++;
    buffer_init(&clean);
    buffer_append_string(&clean, "");
    replace_invalid(line->bytes, line->length, &clean);
    (void)events_emit(host, "stderr", json_pack("{so}", "text", json_string_or_null(clean.bytes)));
    buffer_finish(&clean);
}

/* ---- cutting ---- */

static void line_done(struct host *host, struct stream_pipe *from)
{
    struct stream *stream = &host->stream;

    if (from->dropping > 0 && from == &stream->out && !stream->quiet) {
        host_warn(host, "stream_line_dropped", "a line of %llu bytes that the agent printed was left out",
                  (unsigned long long)(from->dropping));
    } else if (from->dropping == 0 || from == &stream->err) {
        buffer_append_string(&from->line, "");
        stream->in_line = from == &stream->out;
        if (from == &stream->out)
            message_line(host, &from->line);
        else
            error_line(host, &from->line);
    }
    stream->in_line = false;
    from->dropping = 0;
    if (from->line.capacity > KEEP_BYTES)
        buffer_finish(&from->line);
    else
        buffer_clear(&from->line);
    from->line_at = from->at;
}

static void take_part(struct host *host, struct stream_pipe *from, const char *bytes, size_t length)
{
    bool err = from == &host->stream.err;
    size_t most = err ? ERR_LINE : STREAM_LINE_MAX;

    from->at += length;
    if (from->dropping == 0 && from->line.length + length > most) {
        from->dropping = from->line.length;
        if (err)
            buffer_append(&from->line, bytes, most - from->line.length);
        else
            buffer_finish(&from->line);
        from->dropping += from->dropping == 0;
    }
    if (from->dropping > 0)
        from->dropping += length;
    else
        buffer_append(&from->line, bytes, length);
}

/* Bytes are missing in between: the line is not whole. */
static void skip_to(struct stream_pipe *from, uint64_t position)
{
    from->dropping = from->line.length + (position - from->at) + 1;
    buffer_clear(&from->line);
    from->at = position;
}

/* As the terminal driver would: each line feed begins a new row. */
static void take_raw(struct host *host, struct stream_pipe *from, const char *bytes, size_t length,
                     uint64_t position)
{
    struct buffer *drawn = &host->stream.drawn;

    for (const char *end; (end = memchr(bytes, '\n', length)) != NULL;) {
        size_t part = (size_t)(end - bytes);
        buffer_append(drawn, bytes, part);
        buffer_append_string(drawn, "\r\n");
        bytes += part + 1;
        length -= part + 1;
        position += part + 1;
    }
    buffer_append(drawn, bytes, length);
    from->line_at = from->at = position + length;
}

void stream_take(struct host *host, struct stream_pipe *from, const char *bytes, size_t length,
                 uint64_t position)
{
    if (from == &host->stream.out && host->stream.channel == NULL) {
        take_raw(host, from, bytes, length, position);
        return;
    }
    if (position != from->at)
        skip_to(from, position);
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end == NULL ? length : (size_t)(end - bytes);
        take_part(host, from, bytes, part);
        if (end == NULL)
            return;
        from->at++;
        line_done(host, from);
        bytes += part + 1;
        length -= part + 1;
    }
}

void stream_take_end(struct host *host, struct stream_pipe *from)
{
    if (from->line.length > 0 || from->dropping > 0)
        line_done(host, from);
    if (from == &host->stream.err)
        tell_untold(host);
}
