#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "host/host.h"
#include "host/methods.h"
#include "rpc/protocol.h"

#define KEYS_MAX 1000

static int type(struct call *call, const char *bytes, size_t length)
{
    int code = length == 0 ? 0 : typing_keys(call->host, bytes, length);

    if (code == RPC_ENDED)
        return call_fail(call, code, "the agent has ended: retry the session first");
    if (code == RPC_INPUT_FULL)
        return call_fail(call, code, "the agent does not read its input");
    connection_typed(call->client);
    return code;
}

int method_session_input(struct call *call)
{
    const json_t *data = json_object_get(call->params, "data");
    size_t length = json_string_length(data);
    char *bytes;
    long used;
    int code;

    if (!json_is_string(data))
        return call_fail(call, RPC_INVALID_PARAMS, "data: expected base64 text");
    bytes = xmalloc(length + 1);
    used = base64_decode(json_string_value(data), length, bytes);
    code = used < 0 ? call_fail(call, RPC_INVALID_PARAMS, "data: expected base64 text")
                    : type(call, bytes, (size_t)used);
    free(bytes);
    return code;
}

static struct input_modes input_modes(const struct host *host)
{
    if (host->attempt.terminal == NULL)
        return (struct input_modes){0};
    return terminal_modes(host->attempt.terminal).input;
}

int method_session_keys(struct call *call)
{
    const json_t *keys = json_object_get(call->params, "keys"), *name;
    struct input_modes modes = input_modes(call->host);
    struct buffer bytes;
    size_t index;
    int code = 0;

    if (!json_is_array(keys) || json_array_size(keys) > KEYS_MAX)
        return call_fail(call, RPC_INVALID_PARAMS, "keys: expected an array of at most 1000 names of keys");
    buffer_init(&bytes);
    json_array_foreach(keys, index, name)
    {
        struct key key;
        if (!json_is_string(name) || key_parse(json_string_value(name), &key) < 0) {
            (void)snprintf(call->text, sizeof call->text, "there is no key %.60s: nothing was typed",
                           json_is_string(name) ? json_string_value(name) : "of that kind");
            code = call_fail(call, RPC_INVALID_PARAMS, call->text);
            break;
        }
        key_encode(key, &modes, &bytes);
    }
    if (code == 0)
        code = type(call, bytes.bytes, bytes.length);
    buffer_finish(&bytes);
    return code;
}

int method_session_paste(struct call *call)
{
    const json_t *text = json_object_get(call->params, "text");
    struct input_modes modes = input_modes(call->host);
    struct buffer bytes;
    int code;

    if (!json_is_string(text))
        return call_fail(call, RPC_INVALID_PARAMS, "text: expected a string");
    buffer_init(&bytes);
    paste_encode(json_string_value(text), json_string_length(text), &modes, &bytes);
    code = type(call, bytes.bytes, bytes.length);
    buffer_finish(&bytes);
    return code;
}

/* A colour of the client's terminal, "#rrggbb", kept for programs that ask. Returns 0, or -1 when it is something else. */
static int keep_colour(struct call *call, const char *key)
{
    const json_t *value = json_object_get(call->params, key);
    unsigned rgb;
    char end;

    if (value == NULL)
        return 0;
    if (!json_is_string(value) || sscanf(json_string_value(value), "#%6x%c", &rgb, &end) != 1)
        return -1;
    session_keep(call->host, key, json_integer(rgb));
    return 0;
}

int method_session_view(struct call *call)
{
    int64_t cols = json_member_integer(call->params, "cols", -1),
            rows = json_member_integer(call->params, "rows", -1);

    if (cols < 1 || rows < 1 || cols > 10000 || rows > 10000)
        return call_fail(call, RPC_INVALID_PARAMS, "cols, rows: expected columns and rows");
    if (keep_colour(call, "foreground") < 0 || keep_colour(call, "background") < 0)
        return call_fail(call, RPC_INVALID_PARAMS, "foreground, background: expected \"#rrggbb\"");
    attempt_colours(call->host);
    connection_viewed(call->client, (int)cols, (int)rows);
    return 0;
}
