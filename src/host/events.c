#include "host/events.h"

#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "host/host.h"
#include "host/ring.h"

void events_init(struct events *events, uint64_t last)
{
    events->last = events->stored = last;
    event_memory_init(&events->memory, last + 1);
}

void events_finish(struct events *events)
{
    event_memory_finish(&events->memory);
}

/* All members but the last brace. */
static void append_envelope(const struct host *host, uint64_t seq, const char *type, struct buffer *out)
{
    const char *name = session_name(&host->session);
    char time[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(clock_realtime_ms(), time);
    buffer_printf(out, "{\"seq\":%llu,\"time\":\"%s\",\"id\":\"%s\",\"session\":", (unsigned long long)seq,
                  time, host->uuid);
    json_append_quoted(out, name, strlen(name));
    buffer_printf(out, ",\"attempt\":%u,\"type\":\"%s\"", host->attempt.number, type);
}

void events_gap_text(const struct host *host, uint64_t from, uint64_t to, struct buffer *out)
{
    append_envelope(host, to, "gap", out);
    buffer_printf(out, ",\"from\":%llu,\"to\":%llu}", (unsigned long long)from, (unsigned long long)to);
}

static void append_members(struct buffer *out, json_t *members)
{
    size_t start = out->length;

    if (members == NULL || json_object_size(members) == 0) {
        buffer_append_char(out, '}');
        return;
    }
    json_append_value(out, members);
    out->bytes[start] = ',';
}

uint64_t events_emit(struct host *host, const char *type, json_t *members)
{
    struct events *events = &host->events;
    uint64_t offset = stream_offset(host, type), seq;
    struct buffer line;

    coalesce_flush(host);
    progress_count(host, type);
    seq = ++events->last;
    if (members == NULL)
        members = json_object();
    if (offset > 0)
        json_object_set_new(members, "off", json_integer((json_int_t)offset));
    buffer_init(&line);
    append_envelope(host, seq, type, &line);
    append_members(&line, members);
    recordings_mark_event(host, type, members);
    json_decref(members);
    (void)mask_json(host->mask, line.bytes, line.length);
    event_memory_add(&events->memory, type, line.bytes, line.length);
    recorder_event(host->recorder, seq, line.bytes, line.length);
    buffer_finish(&line);
    return seq;
}

void events_stored(struct host *host, uint64_t seq)
{
    if (seq <= host->events.stored)
        return;
    host->events.stored = seq;
    /* The disk may not say so, but clients will know: the number is never given out again. */
    if (host->attempt.ring != NULL)
        ring_set_event_seq(host->attempt.ring, seq);
    clients_pump(host);
}
