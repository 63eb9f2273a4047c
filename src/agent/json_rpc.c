#include "agent/json_rpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"

void json_rpc_init(struct json_rpc *rpc, bool versioned)
{
    *rpc = (struct json_rpc){.versioned = versioned, .held = json_array()};
}

void json_rpc_finish(struct json_rpc *rpc)
{
    json_decref(rpc->held);
    rpc->held = NULL;
}

static json_t *new_message(const struct json_rpc *rpc)
{
    return rpc->versioned ? json_pack("{s:s}", "jsonrpc", "2.0") : json_object();
}

static void send_message(json_t *message, const struct observer *observer)
{
    struct buffer line;

    buffer_init(&line);
    json_append_value(&line, message);
    buffer_append_char(&line, '\n');
    observer->send(observer->argument, line.bytes, line.length);
    buffer_finish(&line);
    json_decref(message);
}

void json_rpc_call(struct json_rpc *rpc, const struct observer *observer, int purpose, const char *method,
                   json_t *params)
{
    json_t *message = new_message(rpc);

    if (rpc->call_count == JSON_RPC_PENDING_MAX)
        memmove(rpc->calls, rpc->calls + 1, --rpc->call_count * sizeof *rpc->calls);
    rpc->calls[rpc->call_count++] = (struct json_rpc_call){.id = ++rpc->last_id, .purpose = purpose};
    (void)json_object_set_new(message, "id", json_integer(rpc->last_id));
    (void)json_object_set_new(message, "method", json_string(method));
    if (params != NULL)
        (void)json_object_set_new(message, "params", params);
    send_message(message, observer);
}

void json_rpc_notify(struct json_rpc *rpc, const struct observer *observer, const char *method,
                     json_t *params)
{
    json_t *message = new_message(rpc);

    (void)json_object_set_new(message, "method", json_string(method));
    if (params != NULL)
        (void)json_object_set_new(message, "params", params);
    send_message(message, observer);
}

void json_rpc_reply(struct json_rpc *rpc, const struct observer *observer, const json_t *id, json_t *result)
{
    json_t *message = new_message(rpc);

    (void)json_object_set_new(message, "id", json_deep_copy(id));
    (void)json_object_set_new(message, "result", result != NULL ? result : json_null());
    send_message(message, observer);
}

void json_rpc_refuse(struct json_rpc *rpc, const struct observer *observer, const json_t *id, int code,
                     const char *text)
{
    json_t *message = new_message(rpc);

    (void)json_object_set_new(message, "id", id != NULL ? json_deep_copy(id) : json_null());
    (void)json_object_set_new(message, "error", json_pack("{s:i, s:s}", "code", code, "message", text));
    send_message(message, observer);
}

int json_rpc_answered(struct json_rpc *rpc, const json_t *message)
{
    const json_t *id = json_object_get(message, "id");

    if (!json_is_integer(id))
        return 0;
    for (size_t i = 0; i < rpc->call_count; i++) {
        struct json_rpc_call call = rpc->calls[i];
        if (call.id != json_integer_value(id))
            continue;
        rpc->call_count--;
        memmove(rpc->calls + i, rpc->calls + i + 1, (rpc->call_count - i) * sizeof *rpc->calls);
        return call.purpose;
    }
    return 0;
}

bool json_rpc_waits(const struct json_rpc *rpc, int purpose)
{
    for (size_t i = 0; i < rpc->call_count; i++) {
        if (rpc->calls[i].purpose == purpose)
            return true;
    }
    return false;
}

char *json_rpc_key(const json_t *id)
{
    if (json_is_integer(id))
        return xasprintf("%lld", (long long)json_integer_value(id));
    return json_is_string(id) && *json_string_value(id) != '\0' ? xstrdup(json_string_value(id)) : NULL;
}

static size_t find_held(const struct json_rpc *rpc, const char *key)
{
    size_t count = json_array_size(rpc->held);

    for (size_t i = 0; key != NULL && i < count; i++) {
        if (strcmp(json_member_string(json_array_get(rpc->held, i), "key", ""), key) == 0)
            return i;
    }
    return count;
}

bool json_rpc_hold(struct json_rpc *rpc, const json_t *id, json_t *fields)
{
    char *key = json_rpc_key(id);
    bool kept =
        key != NULL && json_rpc_held(rpc, key) == NULL && json_rpc_held_count(rpc) < JSON_RPC_PENDING_MAX;

    if (kept) {
        (void)json_object_set_new(fields, "key", json_string(key));
        (void)json_object_set_new(fields, "id", json_deep_copy(id));
        (void)json_array_append(rpc->held, fields);
    }
    json_decref(fields);
    free(key);
    return kept;
}

json_t *json_rpc_held(const struct json_rpc *rpc, const char *key)
{
    return json_array_get(rpc->held, find_held(rpc, key));
}

json_t *json_rpc_take(struct json_rpc *rpc, const char *key)
{
    size_t at = find_held(rpc, key);
    json_t *request = json_array_get(rpc->held, at);

    if (request != NULL) {
        json_incref(request);
        (void)json_array_remove(rpc->held, at);
    }
    return request;
}

size_t json_rpc_held_count(const struct json_rpc *rpc)
{
    return json_array_size(rpc->held);
}

json_t *json_rpc_first_held(const struct json_rpc *rpc)
{
    return json_array_get(rpc->held, 0);
}
