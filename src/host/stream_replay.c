/* What a host before knew of its stream, from stream-N.jsonl, the ring and session.json. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/stream.h"

/* Of a long stream only its beginning (who the agent is) and its end count. */
#define BEGINNING (256 * 1024)
#define END (4 * 1024 * 1024)
#define CHUNK (64 * 1024)
#define SAID_MAX 32
#define SAID_TEXT 1024

/* ---- what was said ---- */

void stream_note_said(struct host *host, json_t *entry)
{
    json_t *said = json_copy((json_t *)(uintptr_t)session_kept(&host->session, "said"));
    const char *text = json_member_string(entry, "text", NULL);

    if (said == NULL || !json_is_array(said)) {
        json_decref(said);
        said = json_array();
    }
    if (text != NULL && strlen(text) > SAID_TEXT) {
        char *cut = xstrndup(text, SAID_TEXT);
        json_object_set_new(entry, "text", json_string_or_null(cut));
        free(cut);
    }
    json_object_set_new(entry, "at", json_integer((json_int_t)host->stream.out.at));
    json_array_append_new(said, entry);
    while (json_array_size(said) > SAID_MAX)
        (void)json_array_remove(said, 0);
    session_keep(host, "said", said);
    session_changed(host, true);
}

static void say_again(struct host *host, const json_t *entry)
{
    struct stream *stream = &host->stream;
    struct observer observer = stream_observer(host);
    const char *kind = json_member_string(entry, "kind", "");
    struct approval_answer answer = {.approve = json_member_bool(entry, "approve", 0) != 0,
                                     .choice = (int)json_member_integer(entry, "choice", 0),
                                     .text = json_member_string(entry, "text", NULL)};

    if (strcmp(kind, "prompt") == 0)
        stream->channel->prompt(stream->state, json_member_string(entry, "text", ""), &observer);
    else if (strcmp(kind, "interrupt") == 0)
        stream->channel->interrupt(stream->state, &observer);
    else if (strcmp(kind, "answer") == 0)
        (void)stream->channel->answer(stream->state, json_member_string(entry, "request", ""), &answer,
                                      &observer);
}

/* Says again what was said in [from, to). */
static void say_between(struct host *host, uint64_t from, uint64_t to)
{
    const json_t *said = session_kept(&host->session, "said"), *entry;
    bool quiet = host->stream.quiet;
    size_t index;

    host->stream.quiet = host->stream.saying = true;
    json_array_foreach(said, index, entry)
    {
        uint64_t at = (uint64_t)json_member_integer(entry, "at", 0);
        if (at >= from && at < to)
            say_again(host, entry);
    }
    host->stream.quiet = quiet;
    host->stream.saying = false;
}

/* ---- what was printed ---- */

/* Line by line, so that what was said meanwhile comes between. */
static void take(struct host *host, const char *bytes, size_t length, uint64_t position)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end == NULL ? length : (size_t)(end - bytes) + 1;
        uint64_t begun = host->stream.out.line_at;
        stream_take(host, &host->stream.out, bytes, part, position);
        bytes += part;
        length -= part;
        position += part;
        if (end != NULL && host->stream.quiet)
            say_between(host, begun + 1, position + 1);
    }
}

static void take_file(struct host *host, int file, uint64_t from, uint64_t to)
{
    char *chunk = xmalloc(CHUNK);

    while (from < to) {
        size_t wanted = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
        ssize_t got = pread(file, chunk, wanted, (off_t)from);
        if (got <= 0)
            break;
        take(host, chunk, (size_t)got, from);
        from += (uint64_t)got;
    }
    free(chunk);
}

/* What was printed in [from, to): the file has what the ring has no more. */
static void take_range(struct host *host, int file, uint64_t from, uint64_t to)
{
    struct ring *ring = host->stream.out.ring;
    uint64_t tail = ring_tail(ring);

    if (from < tail && file >= 0)
        take_file(host, file, from, to < tail ? to : tail);
    from = from < tail ? tail : from;
    if (from < to)
        take(host, ring_bytes(ring, from), (size_t)(to - from), from);
}

static int open_file(struct host *host)
{
    char name[40];

    (void)snprintf(name, sizeof name, "stream-%u.jsonl", host->attempt.number);
    return openat(host->session_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* What the host before had drawn. */
static void take_quietly(struct host *host, int file, uint64_t to)
{
    struct stream *stream = &host->stream;
    struct observer observer = stream_observer(host);

    stream->quiet = stream->saying = true;
    stream->channel->begin(stream->state, json_string_value(session_kept(&host->session, "resumes")),
                           json_member_string(host->session.object, "cwd", "/"), &observer);
    stream->saying = false;
    say_between(host, 0, 1);
    if (to <= BEGINNING + END) {
        take_range(host, file, 0, to);
    } else {
        take_range(host, file, 0, BEGINNING);
        take_range(host, file, to - END, to);
    }
    stream->quiet = false;
}

/* What it may not have drawn whole: what it did is left out. */
static void take_again(struct host *host, int file, const struct ring_place *place)
{
    struct stream *stream = &host->stream;
    uint64_t head = ring_head(host->attempt.ring), skip = 0;

    stream->out.at = stream->out.line_at = place->line;
    stream->out.dropping = 0;
    buffer_clear(&stream->out.line);
    if (place->cols > 0 && head > place->drawn)
        skip = head - place->drawn;
    take_range(host, file, place->line, ring_parsed(stream->out.ring));
    buffer_consume(&stream->drawn, skip < stream->drawn.length ? (size_t)skip : stream->drawn.length);
}

/* Where the agent stands. */
static void tell_standing(struct host *host)
{
    struct stream *stream = &host->stream;
    struct observation phase = {.kind = OBSERVED_PHASE,
                                .phase = stream->last.phase,
                                .until_ms = stream->last.until_ms,
                                .text = stream->last.text};
    const char *id;
    json_t *asked;

    json_object_foreach(stream->asked, id, asked)
    {
        struct observation request = {.kind = OBSERVED_APPROVAL,
                                      .id = id,
                                      .name = json_member_string(asked, "name", NULL),
                                      .request = json_member_string(asked, "request", "permission"),
                                      .text = json_member_string(asked, "text", NULL),
                                      .input = json_object_get(asked, "input"),
                                      .choices = json_object_get(asked, "choices")};
        observe_agent(host, EVIDENCE_STREAM, &request);
    }
    if (stream->last.known)
        observe_agent(host, EVIDENCE_STREAM, &phase);
}

void stream_replay(struct host *host)
{
    struct stream *stream = &host->stream;
    struct ring_place place = ring_place(stream->out.ring);
    int file = open_file(host);

    stream->cols = place.cols;
    if (stream->channel != NULL)
        take_quietly(host, file, place.line);
    take_again(host, file, &place);
    stream->cols = 0;
    if (file >= 0)
        (void)close(file);
    if (stream->channel == NULL)
        return;
    say_between(host, place.line + 1, UINT64_MAX);
    tell_standing(host);
}
