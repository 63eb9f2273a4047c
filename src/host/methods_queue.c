/* Changes of the prompts that wait. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "host/host.h"
#include "host/methods.h"
#include "rpc/protocol.h"

static int refuse(struct call *call, int code)
{
    if (code == RPC_NOT_FOUND)
        return call_fail(call, code, "there is no prompt with that id");
    if (code == RPC_STALE)
        return call_fail(call, code,
                         "the prompt does not wait any more: it was sent, is being sent, or was removed");
    if (code == RPC_INPUT_FULL)
        return call_fail(call, code, "too much text waits already");
    return call_refuse_text(call, code);
}

/* Stored before it is acknowledged: session.json goes before the event. */
static void tell(struct call *call, const char *id, const char *change, json_t *members)
{
    struct host *host = call->host;
    int index = prompt_queue_index(&host->delivery.queue, id);
    json_t *queue = prompt_queue_public(&host->delivery.queue);

    (void)json_object_set_new(members, "prompt_id", json_string_or_null(id));
    (void)json_object_set_new(members, "change", json_string(change));
    if (index >= 0)
        (void)json_object_set_new(members, "index", json_integer(index));
    delivery_changed(host);
    call->after = events_emit(host, "prompt_queued", members);
    buffer_append_string(&call->result, "{\"queue\":");
    json_append_value(&call->result, queue);
    buffer_append_string(&call->result, "}");
    json_decref(queue);
}

static json_t *members_of(const struct prompt *prompt)
{
    return json_pack("{so ss}", "text", json_string_or_null(prompt->text), "priority",
                     prompt_priority_name(prompt->priority));
}

static int remove_prompt(struct call *call, const char *id)
{
    struct prompt_queue *queue = &call->host->delivery.queue;
    const struct prompt *prompt = prompt_queue_find(queue, id);
    json_t *members = prompt == NULL ? NULL : members_of(prompt);
    int code = prompt_queue_remove(queue, id);

    if (code == 0)
        tell(call, id, "removed", json_incref(members));
    json_decref(members);
    return code == 0 ? 0 : refuse(call, code);
}

static int edit_prompt(struct call *call, const char *id)
{
    struct prompt_queue *queue = &call->host->delivery.queue;
    const json_t *text = json_object_get(call->params, "text");
    int code = json_is_string(text)
                   ? prompt_queue_edit(queue, id, json_string_value(text), json_string_length(text))
                   : RPC_INVALID_PARAMS;

    if (code != 0)
        return refuse(call, code);
    tell(call, id, "edited", members_of(prompt_queue_find(queue, id)));
    return 0;
}

static int move_prompt(struct call *call, const char *id)
{
    struct prompt_queue *queue = &call->host->delivery.queue;
    const char *name = json_member_string(call->params, "priority", NULL);
    int64_t to = json_member_integer(call->params, "to", -1);
    int priority = prompt_priority_parse(name), code;

    if ((name == NULL) == (to < 0) || (name != NULL && priority < 0))
        return call_fail(call, RPC_INVALID_PARAMS,
                         "expected either priority (now, next or later) or to (0 for the next to be sent)");
    code = name != NULL ? prompt_queue_move(queue, id, (enum prompt_priority)priority)
                        : prompt_queue_place(queue, id, (size_t)to);
    if (code != 0)
        return refuse(call, code);
    tell(call, id, "moved", members_of(prompt_queue_find(queue, id)));
    return 0;
}

int method_session_queue(struct call *call)
{
    const char *id = json_member_string(call->params, "id", NULL);
    const char *action = json_member_string(call->params, "action", "");
    int code = call_expect(call, "id", JSON_STRING);

    if (code == 0)
        code = call_expect(call, "priority", JSON_STRING);
    if (code == 0)
        code = call_expect(call, "to", JSON_INTEGER);
    if (code != 0)
        return code;
    if (id == NULL)
        return call_fail(call, RPC_INVALID_PARAMS, "id: expected the id of a prompt");
    if (strcmp(action, "remove") == 0)
        code = remove_prompt(call, id);
    else if (strcmp(action, "edit") == 0)
        code = edit_prompt(call, id);
    else if (strcmp(action, "move") == 0)
        code = move_prompt(call, id);
    else
        return call_fail(call, RPC_INVALID_PARAMS, "action: expected remove, edit or move");
    if (code == 0)
        delivery_consider(call->host);
    return code;
}
