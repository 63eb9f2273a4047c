#include "host/methods.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "host/host.h"
#include "rpc/frame.h"
#include "rpc/protocol.h"

int call_fail(struct call *call, int code, const char *message)
{
    call->message = message;
    return code;
}

static bool is_of(const json_t *value, json_type type)
{
    return json_typeof(value) == type || (type == JSON_TRUE && json_is_boolean(value));
}

int call_expect(struct call *call, const char *key, json_type type)
{
    const json_t *value = json_object_get(call->params, key);
    const char *what = type == JSON_STRING    ? "text"
                       : type == JSON_INTEGER ? "a whole number"
                                              : "true or false";

    if (value == NULL || json_is_null(value) || is_of(value, type))
        return 0;
    (void)snprintf(call->text, sizeof call->text, "%s: expected %s", key, what);
    return call_fail(call, RPC_INVALID_PARAMS, call->text);
}

static int method_hello(struct call *call)
{
    int64_t protocol = json_member_integer(call->params, "protocol", -1);

    if (protocol != RPC_PROTOCOL) {
        (void)snprintf(call->text, sizeof call->text,
                       "this session speaks protocol %d: use a ganger of version " GANGER_VERSION,
                       RPC_PROTOCOL);
        return call_fail(call, RPC_BAD_PROTOCOL, call->text);
    }
    call->client->hello = true;
    buffer_printf(&call->result,
                  "{\"protocol\":%d,\"version\":\"%s\",\"capabilities\":[\"screen\",\"scrollback\"]}",
                  RPC_PROTOCOL, GANGER_VERSION);
    return 0;
}

static const struct method methods[] = {
    {"session.input", method_session_input},
    {"screen.ack", method_screen_ack},
    {"session.get", method_session_get},
    {"session.subscribe", method_session_subscribe},
    {"session.keys", method_session_keys},
    {"session.paste", method_session_paste},
    {"session.prompt", method_session_prompt},
    {"session.queue", method_session_queue},
    {"session.approve", method_session_approve},
    {"session.cancel", method_session_cancel},
    {"session.retry", method_session_retry},
    {"session.kill", method_session_kill},
    {"session.rename", method_session_rename},
    {"session.view", method_session_view},
    {"session.why", method_session_why},
    {"session.upgrade", method_session_upgrade},
    {"screen.get", method_screen_get},
    {"scrollback.get", method_scrollback_get},
    {"scrollback.search", method_scrollback_search},
};

static const struct method hello = {"hello", method_hello};

static const struct method *find(const char *name)
{
    if (strcmp(name, hello.name) == 0)
        return &hello;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}

static int run(struct call *call, const char *name)
{
    const struct method *method = find(name);

    if (method != &hello && !call->client->hello)
        return call_fail(call, RPC_NO_HELLO, "say hello {\"protocol\": 1} first");
    if (method == NULL)
        return call_fail(call, RPC_METHOD_NOT_FOUND, "there is no such method");
    return method->run(call);
}

static void answer(struct call *call, int code)
{
    struct connection *client = call->client;

    if (code == 0 && call->result.length == 0)
        buffer_append_string(&call->result, "{}");
    if (code == 0 && call->result.length > RPC_LINE_MAX - 4096)
        code = call_fail(call, RPC_TOO_LARGE, "the answer would be longer than a line may be");
    if (code != 0)
        connection_reply_error(client, call->id, code, call->message);
    else if (call->after > 0)
        connection_reply_late(client, call->id, call->result.bytes, call->result.length, call->after);
    else
        connection_reply(client, call->id, call->result.bytes, call->result.length);
}

static void request(struct connection *client, const json_t *message)
{
    const char *name = json_string_value(json_object_get(message, "method"));
    struct call call = {.host = client->host,
                        .client = client,
                        .params = json_object_get(message, "params"),
                        .id = json_object_get(message, "id")};
    json_t *null = json_null();

    if (name == NULL ||
        (call.id != NULL && !json_is_string(call.id) && !json_is_number(call.id) && !json_is_null(call.id))) {
        connection_reply_error(
            client, json_is_object(call.id) || json_is_array(call.id) || call.id == NULL ? null : call.id,
            RPC_INVALID_REQUEST, "a request is an object with method, id and params");
        return;
    }
    if (call.params != NULL && !json_is_object(call.params)) {
        connection_reply_error(client, call.id, RPC_INVALID_PARAMS, "params must be an object");
        return;
    }
    buffer_init(&call.result);
    answer(&call, run(&call, name));
    buffer_finish(&call.result);
}

/* Keys and acknowledgements, as clients usually write them. */
static bool hot_path(struct connection *client, const char *line, size_t length)
{
    struct buffer bytes;
    uint64_t frame;
    bool input;

    if (!client->hello)
        return false;
    if (frame_read_ack(line, length, &frame)) {
        if (!frame_policy_acknowledge(&client->screen.policy, frame))
            client->screen.whole = true;
        frames_update(client->host);
        return true;
    }
    buffer_init(&bytes);
    input = frame_read_input(line, length, &bytes);
    if (input && bytes.length > 0 && typing_keys(client->host, bytes.bytes, bytes.length) == 0)
        connection_typed(client);
    buffer_finish(&bytes);
    return input;
}

void methods_line(struct connection *client, char *line, size_t length)
{
    json_error_t problem;
    json_t *message, *null = json_null();
    char text[256];

    if (hot_path(client, line, length))
        return;
    message = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &problem);
    if (message == NULL) {
        (void)snprintf(text, sizeof text, "not JSON: %s", problem.text);
        connection_reply_error(client, null, RPC_PARSE_ERROR, text);
    } else if (!json_is_object(message)) {
        connection_reply_error(client, null, RPC_INVALID_REQUEST,
                               "one request a line, as an object; no batches");
    } else {
        request(client, message);
    }
    json_decref(message);
}

void methods_line_too_long(struct connection *client)
{
    json_t *null = json_null();

    connection_reply_error(client, null, RPC_TOO_LARGE, "a line may have 1 MiB at most; it was dropped");
}
