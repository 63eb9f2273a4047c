#include "host/connection_events.h"

#include <string.h>

#include "base/log.h"
#include "host/host.h"
#include "store/event_log.h"

#define OUT_ENOUGH (64 * 1024) /* bytes of output at which no more events are added */

static bool has_room(const struct connection *client)
{
    return client->out.length - client->out_done < OUT_ENOUGH;
}

static bool type_wanted(const struct connection *client, const char *type, size_t length)
{
    size_t index;
    json_t *wanted;

    if (client->types == NULL)
        return true;
    json_array_foreach(client->types, index, wanted)
    {
        if (json_string_length(wanted) == length && memcmp(json_string_value(wanted), type, length) == 0)
            return true;
    }
    return false;
}

static void append_event(struct connection *client, const char *text, size_t length)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":";

    buffer_append(&client->out, head, sizeof head - 1);
    buffer_append(&client->out, text, length);
    buffer_append_string(&client->out, "}\n");
}

static void append_gap(struct connection *client, uint64_t to)
{
    struct buffer text;

    buffer_init(&text);
    events_gap_text(client->host, client->next_seq, to, &text);
    append_event(client, text.bytes, text.length);
    buffer_finish(&text);
    client->next_seq = to + 1;
}

/* Stored lines are our own: the type stands in the envelope, before any other text could look like it. */
static bool line_wanted(const struct connection *client, const char *text)
{
    static const char key[] = "\"type\":\"";
    const char *type = strstr(text, key);

    if (client->types == NULL || type == NULL)
        return client->types == NULL;
    type += sizeof key - 1;
    return type_wanted(client, type, strcspn(type, "\""));
}

static int take_line(void *argument, uint64_t seq, const char *text, size_t length)
{
    struct connection *client = argument;

    if (seq > client->host->events.stored)
        return 1;
    if (seq > client->next_seq)
        append_gap(client, seq - 1);
    if (line_wanted(client, text))
        append_event(client, text, length);
    client->next_seq = seq + 1;
    return !has_room(client) || seq + 1 >= client->host->events.memory.first;
}

/* Events that are no longer in memory. */
static void read_older(struct connection *client)
{
    struct host *host = client->host;
    uint64_t before = client->next_seq;
    struct error error;

    if (event_log_read(host->session_dir, before - 1, take_line, client, &error) < 0)
        log_warning("%s", error.text);
    if (client->next_seq == before && host->events.memory.first > before)
        append_gap(client, host->events.memory.first - 1);
}

bool connection_events_more(const struct connection *client)
{
    return client->subscribed && client->next_seq <= client->host->events.stored;
}

void connection_events_pump(struct connection *client)
{
    const struct events *events = &client->host->events;

    while (connection_events_more(client) && has_room(client)) {
        const struct stored_event *event = event_memory_get(&events->memory, client->next_seq);
        if (event == NULL) {
            read_older(client);
            continue;
        }
        if (type_wanted(client, event->type, strlen(event->type)))
            append_event(client, event->text, event->length);
        client->next_seq++;
    }
}
