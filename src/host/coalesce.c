#include "host/coalesce.h"

#include <string.h>

#include "base/utf8.h"
#include "host/host.h"

#define KEEP_BYTES 4096 /* an empty buffer above this is given back */

/* `text` as a JSON string. */
static json_t *clean_string(const char *text, size_t length)
{
    struct buffer clean;
    json_t *string;

    if (memchr(text, '\0', length) == NULL && utf8_valid(text, length))
        return json_stringn_nocheck(text, length);
    buffer_init(&clean);
    while (length > 0) {
        uint32_t code;
        int used = utf8_decode(text, length, &code);
        size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length;
        if (used > 0 && code != 0)
            buffer_append(&clean, text, taken);
        else
            buffer_append_string(&clean, "\xEF\xBF\xBD");
        text += taken;
        length -= taken;
    }
    string = json_stringn_nocheck(clean.bytes, clean.length);
    buffer_finish(&clean);
    return string;
}

enum wait { WAIT_FOR_NOTHING, WAIT_FOR_CHARACTER, WAIT_FOR_SECRET };

/* Tells what is pending but a character that is not whole, or also what may be the beginning of a secret. */
static void tell(struct host *host, enum wait wait)
{
    struct buffer *pending = &host->coalesce.pending;
    size_t rest = wait == WAIT_FOR_SECRET ? mask_pending(host->mask, pending->bytes, pending->length) : 0;
    size_t length;
    json_t *text;

    if (wait != WAIT_FOR_NOTHING)
        rest += utf8_incomplete_tail(pending->bytes, pending->length - rest);
    length = pending->length - rest;

    if (length == 0)
        return;
    text = clean_string(pending->bytes, length);
    /* Empty before the event is made, which asks for a flush itself. */
    buffer_consume(pending, length);
    if (rest == 0 && pending->capacity > KEEP_BYTES)
        buffer_finish(pending);
    event_del(host->coalesce.timer);
    (void)events_emit(host, host->coalesce.type, json_pack("{so}", "text", text));
}

void coalesce_flush(struct host *host)
{
    if (host->coalesce.pending.length > 0)
        tell(host, WAIT_FOR_CHARACTER);
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    if (host->coalesce.pending.length > 0)
        tell(host, WAIT_FOR_SECRET);
}

static void gather(struct host *host, const char *type, const char *text, size_t length)
{
    struct coalesce *coalesce = &host->coalesce;

    if (coalesce->pending.length > 0 && coalesce->type != type)
        tell(host, WAIT_FOR_NOTHING);
    coalesce->type = type;
    while (length > 0) {
        size_t room = COALESCE_BYTES - coalesce->pending.length, taken = length < room ? length : room;
        if (!event_pending(coalesce->timer, EV_TIMEOUT, NULL))
            host_timer(coalesce->timer, COALESCE_MS * INT64_C(1000000));
        buffer_append(&coalesce->pending, text, taken);
        text += taken;
        length -= taken;
        if (coalesce->pending.length == COALESCE_BYTES)
            tell(host, WAIT_FOR_SECRET);
    }
}

void coalesce_text(struct host *host, const char *text, size_t length)
{
    gather(host, "text", text, length);
}

void coalesce_thinking(struct host *host, const char *text, size_t length)
{
    gather(host, "thinking", text, length);
}

void coalesce_init(struct host *host)
{
    buffer_init(&host->coalesce.pending);
    host->coalesce.timer = evtimer_new(host->loop, timer_fired, host);
}

void coalesce_finish(struct host *host)
{
    if (host->coalesce.pending.length > 0)
        tell(host, WAIT_FOR_NOTHING);
    event_free(host->coalesce.timer);
    buffer_finish(&host->coalesce.pending);
}
