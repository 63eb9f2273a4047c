#include "cli/event_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/local_socket.h"
#include "cli/cli.h"
#include "rpc/protocol.h"
#include "store/event_log.h"
#include "store/session_dir.h"

#define BATCH 256 /* events taken from a file at once */
#define RETRY_MS 200
#define PATIENCE_MS 3000 /* then the host is asked to bind its socket again */

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

static bool is_alive(const struct event_source *source)
{
    return session_dir_alive(cli_state_dir(), source->uuid, NULL) == 1;
}

void event_source_init(struct event_source *source, const char *uuid, uint64_t since)
{
    *source = (struct event_source){.seq = since, .batch = json_array()};
    (void)snprintf(source->uuid, sizeof source->uuid, "%s", uuid);
}

static void hang_up(struct event_source *source)
{
    client_destroy(source->client);
    source->client = NULL;
}

void event_source_finish(struct event_source *source)
{
    hang_up(source);
    json_decref(source->batch);
}

/* ---- taking ---- */

/* Whether `word` is in the comma-separated list; NULL holds every word. */
static bool listed(const char *list, const char *word)
{
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (strlen(word) == length && strncmp(at, word, length) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return list == NULL;
}

/* Adds an event to the batch if its type is asked for. */
static void take_event(struct event_source *source, json_t *event, const char *types)
{
    const char *type = json_member_string(event, "type", "");

    source->over = strcmp(type, "session_ended") == 0;
    if (listed(types, type))
        (void)json_array_append(source->batch, event);
}

struct stored {
    struct event_source *source;
    const char *types;
    int count;
};

static int take_stored(void *argument, uint64_t seq, const char *text, size_t length)
{
    struct stored *stored = argument;
    json_t *event = json_loadb(text, length, 0, NULL);

    take_event(stored->source, event, stored->types);
    json_decref(event);
    stored->source->seq = seq;
    return ++stored->count == BATCH;
}

static void take_from_file(struct event_source *source, const char *types)
{
    struct stored stored = {source, types, 0};
    struct error error;
    int folder = session_dir_open(cli_state_dir(), source->uuid, &error);

    /* A session that was removed has no more to say. */
    if ((folder < 0 || event_log_read(folder, source->seq, take_stored, &stored, &error) < 0) &&
        error.code != ENOENT)
        (void)cli_error("events", &error);
    if (folder >= 0)
        close(folder);
    source->stored = stored.count < BATCH;
}

/* A line of the connection. */
static void take_line(struct event_source *source, const char *types, const char *line, size_t length)
{
    json_t *message = json_loadb(line, length, 0, NULL), *event = json_object_get(message, "params");

    if (strcmp(json_member_string(message, "method", ""), "event") == 0) {
        int64_t seq = json_member_integer(event, "seq", 0);
        if (seq > (int64_t)source->seq) {
            take_event(source, event, types);
            source->seq = (uint64_t)seq;
        }
    } else if (source->request != 0 && json_member_integer(message, "id", 0) == (int64_t)source->request) {
        source->request = 0;
        source->lost_ms = 0;
    }
    json_decref(message);
}

static json_t *since(const struct event_source *source)
{
    return json_pack("{s:I}", "since", (json_int_t)source->seq);
}

/* Takes what the host knows and the file does not hold yet. */
static void take_from_host(struct event_source *source, const char *types)
{
    struct error error;
    json_t *result;
    uint64_t end;
    char *line;
    size_t length;

    if (is_alive(source))
        source->client = cli_connect(source->uuid, &error);
    if (source->client == NULL)
        return;
    result = client_call(source->client, "session.subscribe", since(source), CLI_CALL_TIMEOUT_MS, &error);
    end = (uint64_t)json_member_integer(result, "seq", 0);
    while (source->seq < end && client_next(source->client, CLI_CALL_TIMEOUT_MS, &line, &length, &error) > 0)
        take_line(source, types, line, length);
    hang_up(source);
    json_decref(result);
}

const json_t *event_source_next(struct event_source *source, const struct event_request *request)
{
    while (source->at == json_array_size(source->batch)) {
        (void)json_array_clear(source->batch);
        source->at = 0;
        if (!source->stored) {
            take_from_file(source, request->types);
        } else if (!source->asked && !request->follow) {
            source->asked = true;
            take_from_host(source, request->types);
        } else {
            return NULL;
        }
    }
    return json_array_get(source->batch, source->at);
}

void event_source_taken(struct event_source *source)
{
    source->at++;
}

/* ---- following ---- */

/* Hello and the subscription go out together; the answers come when they come. */
static void connect_to(struct event_source *source)
{
    char name[UUID_SIZE + 8];
    struct error error;
    int connection;

    (void)snprintf(name, sizeof name, "%s.sock", source->uuid);
    connection = local_socket_connect(cli_runtime_dir(), name, &error);
    if (connection < 0)
        return;
    source->client = client_over(connection);
    (void)client_send(source->client, "hello", json_pack("{s:i}", "protocol", RPC_PROTOCOL));
    source->request = client_send(source->client, "session.subscribe", since(source));
    if (client_flush(source->client) < 0)
        hang_up(source);
}

/* The host does not come back: the patient way, which says why. */
static void give_up(struct event_source *source)
{
    struct error error;

    source->client = cli_connect(source->uuid, &error);
    if (source->client == NULL) {
        if (is_alive(source))
            (void)cli_error("events", &error);
        source->over = true;
        return;
    }
    source->lost_ms = 0;
    source->request = client_send(source->client, "session.subscribe", since(source));
    if (client_flush(source->client) < 0)
        hang_up(source);
}

static void look_for_host(struct event_source *source)
{
    int64_t now = now_ms();

    if (now < source->retry_ms)
        return;
    source->retry_ms = now + RETRY_MS;
    if (source->lost_ms == 0)
        source->lost_ms = now;
    if (!is_alive(source)) {
        /* What was written between the last look and the end. */
        source->stored = false;
        source->over = true;
    } else if (now - source->lost_ms > PATIENCE_MS) {
        give_up(source);
    } else {
        connect_to(source);
    }
}

void event_source_receive(struct event_source *source, const struct event_request *request)
{
    bool gone;
    char *line;
    size_t length;

    if (!source->stored)
        return;
    if (source->client == NULL && !source->over)
        look_for_host(source);
    if (source->client == NULL)
        return;
    gone = client_receive(source->client) < 0;
    while (client_line(source->client, &line, &length))
        take_line(source, request->types, line, length);
    /* Without clients a host whose session has ended can leave. */
    if (gone || source->over)
        hang_up(source);
}

int event_source_descriptor(const struct event_source *source)
{
    return source->client == NULL ? -1 : client_descriptor(source->client);
}

int event_source_due(const struct event_source *source)
{
    int64_t left = source->retry_ms - now_ms();

    if (source->client != NULL || source->over)
        return source->stored ? -1 : 0;
    return left < 0 ? 0 : (int)left;
}

void event_source_grown(struct event_source *source)
{
    source->stored = false;
}

void event_source_host(struct event_source *source)
{
    source->retry_ms = 0;
    if (source->client == NULL)
        source->over = source->stored = false;
}
