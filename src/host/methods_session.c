#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/name.h"
#include "host/ending.h"
#include "host/handover.h"
#include "host/host.h"
#include "host/methods.h"
#include "host/starting.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"

int method_session_get(struct call *call)
{
    json_t *object;

    resources_refresh(call->host);
    object = session_public(call->host);
    json_append_value(&call->result, object);
    json_decref(object);
    return 0;
}

int method_session_subscribe(struct call *call)
{
    json_t *types = json_object_get(call->params, "types"), *type;
    const json_t *since = json_object_get(call->params, "since");
    uint64_t last = call->host->events.last, from = call->host->events.stored;
    size_t index;
    int code = call_expect(call, "screen", JSON_TRUE);

    if (code != 0)
        return code;
    if (types != NULL && !json_is_null(types) && !json_is_array(types))
        return call_fail(call, RPC_INVALID_PARAMS, "types: expected an array of names");
    json_array_foreach(types, index, type)
    {
        if (!json_is_string(type))
            return call_fail(call, RPC_INVALID_PARAMS, "types: expected an array of names");
    }
    if (since != NULL && !json_is_null(since) && (!json_is_integer(since) || json_integer_value(since) < 0))
        return call_fail(call, RPC_INVALID_PARAMS, "since: expected the number of an event");
    if (json_is_integer(since))
        from = (uint64_t)json_integer_value(since);
    buffer_printf(&call->result, "{\"seq\":%llu}", (unsigned long long)last);
    /* The answer first, then what was subscribed to. */
    connection_reply(call->client, call->id, call->result.bytes, call->result.length);
    call->id = NULL;
    connection_subscribe(call->client, json_is_array(types) ? json_deep_copy(types) : NULL,
                         from < last ? from : last, json_member_bool(call->params, "screen", 0));
    frames_update(call->host);
    clients_pump(call->host);
    return 0;
}

int call_refuse_text(struct call *call, int code)
{
    if (code == RPC_TOO_LARGE)
        return call_fail(call, code, "a prompt may have 100 KiB at most");
    if (code == RPC_BAD_TEXT)
        return call_fail(call, code, "a prompt may hold no control characters but line feed and tab");
    return call_fail(call, RPC_INVALID_PARAMS, "text: expected a prompt that is not empty");
}

static void prompt_result(struct call *call, const struct prompt *prompt)
{
    buffer_append_string(&call->result, "{\"id\":");
    json_append_quoted(&call->result, prompt->id, strlen(prompt->id));
    buffer_printf(&call->result, ",\"seq\":%llu,\"state\":\"%s\"}", (unsigned long long)prompt->seq,
                  prompt_state_name(prompt->state));
    call->after = prompt->seq;
}

static int add_prompt(struct call *call, const char *id, const char *text, enum prompt_priority priority)
{
    struct host *host = call->host;
    struct prompt *prompt = prompt_queue_add(&host->delivery.queue, id, text, priority);

    if (prompt == NULL)
        return call_fail(call, RPC_INPUT_FULL, "too many prompts wait already");
    /* Stored before it is acknowledged: session.json goes before the event. */
    prompt->seq = host->events.last + 1;
    delivery_changed(host);
    (void)events_emit(host, "prompt_queued",
                      json_pack("{ss ss ss ss}", "prompt_id", prompt->id, "text", prompt->text, "priority",
                                prompt_priority_name(prompt->priority), "change", "added"));
    prompt_result(call, prompt);
    delivery_consider(host);
    return 0;
}

int method_session_prompt(struct call *call)
{
    const json_t *text = json_object_get(call->params, "text");
    const char *id = json_member_string(call->params, "id", NULL);
    int priority = prompt_priority_parse(json_member_string(call->params, "priority", "later"));
    int code = json_is_string(text) ? prompt_text_check(json_string_value(text), json_string_length(text))
                                    : RPC_INVALID_PARAMS;
    char generated[UUID_SIZE];
    struct prompt *known;

    if (code != 0)
        return call_refuse_text(call, code);
    if ((code = call_expect(call, "id", JSON_STRING)) != 0 ||
        (code = call_expect(call, "priority", JSON_STRING)) != 0)
        return code;
    if (priority < 0)
        return call_fail(call, RPC_INVALID_PARAMS, "priority: expected now, next or later");
    if (id != NULL && (*id == '\0' || strlen(id) > 128))
        return call_fail(call, RPC_INVALID_PARAMS, "id: expected 1 to 128 bytes");
    known = id == NULL ? NULL : prompt_queue_find(&call->host->delivery.queue, id);
    if (known != NULL) {
        prompt_result(call, known);
        return 0;
    }
    if ((call->host->attempt.over || call->host->attempt.ending) && !call->host->retrying.respawn)
        return call_fail(call, RPC_ENDED, "the session has ended: retry it first");
    uuid_generate(generated);
    return add_prompt(call, id == NULL ? generated : id, json_string_value(text),
                      (enum prompt_priority)priority);
}

static int end_grace_ms(const struct host *host)
{
    return (int)(config_number(host->config, "timeouts.cancel_grace_s") * 1000);
}

int method_session_cancel(struct call *call)
{
    const char *scope = json_member_string(call->params, "scope", "turn"), *state;
    struct host *host = call->host;
    int code = call_expect(call, "scope", JSON_STRING);

    if (code != 0)
        return code;
    if (strcmp(scope, "turn") == 0) {
        state = cancel_turn(host);
    } else if (strcmp(scope, "session") == 0) {
        state = host->attempt.over || host->attempt.number == 0 ? "nothing to cancel" : "ending";
        ending_session(host, PHASE_CANCELLED, end_grace_ms(host));
    } else {
        return call_fail(call, RPC_INVALID_PARAMS, "scope: expected turn or session");
    }
    buffer_printf(&call->result, "{\"state\":\"%s\"}", state);
    return 0;
}

int method_session_kill(struct call *call)
{
    ending_session(call->host, PHASE_KILLED, 0);
    return 0;
}

int method_session_retry(struct call *call)
{
    const char *account = json_member_string(call->params, "account", NULL);
    struct error error;
    uint32_t attempt;
    int code = call_expect(call, "account", JSON_STRING);

    if (code != 0)
        return code;
    code = starting_retry(call->host, account, &attempt, &error);
    if (code != 0) {
        (void)snprintf(call->text, sizeof call->text, "%s", error.text);
        return call_fail(call, code, call->text);
    }
    /* A person does not want to wait for the delay. */
    permit_over(call->host);
    buffer_printf(&call->result, "{\"attempt\":%u}", attempt);
    return 0;
}

int method_session_upgrade(struct call *call)
{
    struct handover handover;
    struct error error;
    int code = handover_begin(call->host, &handover, &error);

    if (code != 0) {
        (void)snprintf(call->text, sizeof call->text, "%s", error.text);
        return call_fail(call, code, call->text);
    }
    buffer_printf(&call->result, "{\"state\":\"%s\",\"version\":\"%s\"}", handover.state, GANGER_VERSION);
    return 0;
}

int method_session_rename(struct call *call)
{
    const char *name = json_member_string(call->params, "name", NULL);
    struct host *host = call->host;
    struct error error;

    if (name == NULL || !name_valid(name))
        return call_fail(
            call, RPC_INVALID_PARAMS,
            "name: expected a letter or digit, then at most 62 letters, digits, dots, dashes, underscores");
    if (session_dir_rename(host->state_dir, host->uuid, session_name(&host->session), name, &error) < 0) {
        (void)snprintf(call->text, sizeof call->text, "%s", error.text);
        return call_fail(call, RPC_INVALID_PARAMS, call->text);
    }
    session_set(host, "name", json_string(name));
    session_changed(host, true);
    return 0;
}

static int approval_decision(struct call *call, struct approval_answer *answer)
{
    const char *decision = json_member_string(call->params, "decision", "approve");

    answer->choice = (int)json_member_integer(call->params, "choice", 0);
    answer->text = json_member_string(call->params, "text", NULL);
    answer->approve = strcmp(decision, "deny") != 0;
    if (strcmp(decision, "approve") != 0 && strcmp(decision, "deny") != 0 &&
        strcmp(decision, "choice") != 0 && strcmp(decision, "text") != 0)
        return call_fail(call, RPC_INVALID_PARAMS, "decision: expected approve, deny, choice or text");
    if ((strcmp(decision, "choice") == 0 && answer->choice == 0) || answer->choice < 0 || answer->choice > 99)
        return call_fail(call, RPC_INVALID_PARAMS, "choice: expected a number, 1 for the first");
    if (strcmp(decision, "text") == 0 && answer->text == NULL)
        return call_fail(call, RPC_INVALID_PARAMS, "text: expected text");
    if (answer->text != NULL && prompt_text_check(answer->text, strlen(answer->text)) != 0)
        return call_fail(call, RPC_BAD_TEXT, "text: at most 100 KiB of UTF-8 without control characters");
    return 0;
}

int method_session_approve(struct call *call)
{
    struct approval_answer answer;
    char answered[32];
    int code = call_expect(call, "id", JSON_STRING);

    if (code == 0)
        code = call_expect(call, "decision", JSON_STRING);
    if (code == 0)
        code = call_expect(call, "choice", JSON_INTEGER);
    if (code == 0)
        code = call_expect(call, "text", JSON_STRING);
    if (code == 0)
        code = approval_decision(call, &answer);
    if (code != 0)
        return code;
    code = approvals_answer(call->host, json_member_string(call->params, "id", NULL), &answer, answered,
                            &call->message);
    if (code != 0)
        return code;
    /* Words that the dialog itself does not take are the next prompt. */
    if (!answer.approve && answer.text != NULL)
        approvals_say(call->host, answer.text);
    buffer_printf(&call->result, "{\"id\":\"%s\",\"decision\":\"%s\"}", answered,
                  json_member_string(call->params, "decision", "approve"));
    return 0;
}
