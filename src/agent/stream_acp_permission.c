#include <stdlib.h>
#include <string.h>

#include "agent/stream_acp.h"
#include "agent/tool_line.h"
#include "base/json.h"
#include "base/memory.h"

/* ---- the phase while a person is asked, and after ---- */

static const char *running_line(const json_t *tool, struct buffer *line)
{
    const char *title = json_member_string(tool, "title", NULL);

    buffer_append(line, "", 0);
    tool_line_append(line, json_object_get(tool, "input"));
    if (line->length == 0 && title != NULL)
        tool_line_append_text(line, title, TOOL_LINE_MAX);
    return line->bytes;
}

static json_t *running_tool(const struct acp *acp)
{
    const char *id;
    json_t *tool, *last = NULL;

    json_object_foreach(acp->tools, id, tool)
    {
        if (json_is_true(json_object_get(tool, "running")))
            last = tool;
    }
    return last;
}

void acp_settle(struct acp *acp, const struct observer *observer)
{
    const json_t *request = json_rpc_first_held(&acp->rpc), *tool = running_tool(acp);
    struct buffer line;

    if (request != NULL) {
        stream_turn_phase(&acp->turn, observer, PHASE_APPROVAL, json_member_string(request, "line", NULL));
    } else if (!acp->turn.running) {
        if (acp->turn.phase == PHASE_APPROVAL && acp->ready)
            stream_turn_phase(&acp->turn, observer, PHASE_IDLE, NULL);
    } else if (tool != NULL) {
        buffer_init(&line);
        stream_turn_tool_phase(&acp->turn, observer, json_member_string(tool, "name", "tool"),
                               running_line(tool, &line));
        buffer_finish(&line);
    } else {
        stream_turn_phase(&acp->turn, observer, PHASE_CONNECTING, NULL);
    }
}

/* ---- asking ---- */

static json_t *option_names(const json_t *options)
{
    json_t *names = json_array();
    const json_t *option;
    size_t i;

    json_array_foreach(options, i, option)
    {
        const char *id = json_member_string(option, "optionId", "");
        (void)json_array_append_new(names, json_string(json_member_string(option, "name", id)));
    }
    return names;
}

/* The members of the input that are texts and not in the question yet. */
static void append_members(struct buffer *out, json_t *input)
{
    const char *name;
    json_t *value;

    json_object_foreach(input, name, value)
    {
        const char *text = json_string_value(value);
        if (text != NULL && *text != '\0' && strstr(out->bytes, text) == NULL)
            buffer_printf(out, "\n%s: %s", name, text);
    }
}

/* What is asked, to be read in full: the title, what the request names, and what the call shows, diffs included. */
static void append_question(struct buffer *out, const json_t *call, const json_t *tool)
{
    json_t *input = json_object_get(call, "rawInput"), *content = json_object_get(call, "content");
    const char *folder = json_member_string(json_object_get(tool, "input"), "cwd", NULL);

    buffer_append_string(out, json_member_string(call, "title", json_member_string(tool, "name", "a tool")));
    if (folder != NULL)
        buffer_printf(out, "\nin %s", folder);
    if (json_array_size(content) > 0) {
        buffer_append_char(out, '\n');
        acp_content_append(out, content, true);
    } else {
        append_members(out, json_is_object(input) ? input : json_object_get(tool, "input"));
    }
}

/* The input of the call, with what the request itself names. */
static json_t *asked_input(const json_t *call, const json_t *tool)
{
    json_t *input = json_object(), *known = json_object_get(tool, "input");
    json_t *raw = json_object_get(call, "rawInput");

    if (json_is_object(known))
        (void)json_object_update(input, known);
    if (json_is_object(raw))
        (void)json_object_update(input, raw);
    return input;
}

static void tell_request(struct acp *acp, const char *key, const json_t *params, json_t *tool,
                         const struct observer *observer)
{
    const json_t *call = json_object_get(params, "toolCall");
    json_t *choices = option_names(json_object_get(params, "options")), *input = asked_input(call, tool);
    struct buffer text;

    buffer_init(&text);
    append_question(&text, call, tool);
    observer->observe(
        observer->argument,
        &(struct observation){.kind = OBSERVED_APPROVAL,
                              .id = key,
                              .name = json_member_string(tool, "name", "tool"),
                              .request = strcmp(json_member_string(call, "kind", ""), "switch_mode") == 0
                                             ? "plan"
                                             : "permission",
                              .text = text.bytes,
                              .input = input,
                              .choices = choices});
    acp_settle(acp, observer);
    buffer_finish(&text);
    json_decref(choices);
    json_decref(input);
}

static void reply_cancelled(struct acp *acp, const json_t *id, const struct observer *observer)
{
    json_rpc_reply(&acp->rpc, observer, id, json_pack("{s:{s:s}}", "outcome", "outcome", "cancelled"));
}

/* What is kept of a request until it is answered: its options, its tool call and the detail of the phase. */
static json_t *request_fields(const json_t *params, const json_t *tool)
{
    const json_t *call = json_object_get(params, "toolCall");
    const char *title = json_member_string(call, "title", "");
    const char *name = json_member_string(tool, "name", "tool");
    json_t *options = json_object_get(params, "options"), *fields = json_object();
    struct buffer line;

    buffer_init(&line);
    tool_line_append_text(&line, name, TOOL_LINE_MAX);
    if (*title != '\0' && strcmp(title, name) != 0) {
        buffer_append_char(&line, ' ');
        tool_line_append_text(&line, title, TOOL_LINE_MAX);
    }
    (void)json_object_set_new(fields, "line", json_string(line.bytes));
    (void)json_object_set_new(fields, "tool", json_string(json_member_string(call, "toolCallId", "")));
    (void)json_object_set_new(fields, "options",
                              json_is_array(options) ? json_deep_copy(options) : json_array());
    buffer_finish(&line);
    return fields;
}

void acp_ask(struct acp *acp, const json_t *id, const json_t *params, const struct observer *observer)
{
    const json_t *call = json_object_get(params, "toolCall");
    char *key = json_rpc_key(id), *tool_id = xstrdup(json_member_string(call, "toolCallId", ""));
    json_t *tool;

    /* Two requests with one id cannot be told apart in an answer: neither is approved. */
    if (key == NULL || json_rpc_held(&acp->rpc, key) != NULL || acp->turn.interrupted || acp->failed) {
        acp_request_gone(acp, id, observer);
        reply_cancelled(acp, id, observer);
    } else {
        tool = acp_tool(acp, call, true);
        acp_tool_tell(tool, tool_id, observer);
        if (json_rpc_hold(&acp->rpc, id, request_fields(params, tool)))
            tell_request(acp, key, params, tool, observer);
        else
            reply_cancelled(acp, id, observer);
    }
    free(tool_id);
    free(key);
}

/* ---- answering ---- */

static const json_t *option_of_kind(const json_t *options, const char *once, const char *start)
{
    const json_t *option, *similar = NULL;
    size_t i;

    json_array_foreach(options, i, option)
    {
        const char *kind = json_member_string(option, "kind", "");
        if (strcmp(kind, once) == 0)
            return option;
        if (similar == NULL && strncmp(kind, start, strlen(start)) == 0)
            similar = option;
    }
    return similar;
}

static const json_t *chosen(const json_t *options, const struct approval_answer *answer)
{
    if (answer->choice > 0)
        return json_array_get(options, (size_t)answer->choice - 1);
    if (answer->choice < 0)
        return NULL;
    return answer->approve ? option_of_kind(options, "allow_once", "allow")
                           : option_of_kind(options, "reject_once", "reject");
}

static const char *outcome_of(const json_t *option)
{
    const char *kind = json_member_string(option, "kind", "");

    if (option == NULL || strncmp(kind, "reject", 6) == 0)
        return "denied";
    return strncmp(kind, "allow", 5) == 0 ? "approved" : "answered";
}

static void tell_resolved(const char *key, const char *outcome, const struct observer *observer)
{
    observer->observe(
        observer->argument,
        &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .id = key, .outcome = outcome});
}

static json_t *tool_of(struct acp *acp, const json_t *request)
{
    return json_object_get(acp->tools, json_member_string(request, "tool", ""));
}

static void running(struct acp *acp, const json_t *request)
{
    (void)json_object_set_new(tool_of(acp, request), "running", json_true());
}

/* What was refused does not run, whatever is said about it afterwards. */
static void not_running(struct acp *acp, const json_t *request)
{
    (void)json_object_set_new(tool_of(acp, request), "running", json_false());
    (void)json_object_set_new(tool_of(acp, request), "denied", json_true());
}

int acp_answer(struct acp *acp, const char *key, const struct approval_answer *answer,
               const struct observer *observer)
{
    json_t *request = json_rpc_held(&acp->rpc, key);
    const json_t *option = chosen(json_object_get(request, "options"), answer);
    const char *option_id = json_member_string(option, "optionId", NULL), *outcome = outcome_of(option);

    /* A refusal without an option for it is said by cancelling the request. */
    if (request == NULL || (option_id == NULL && (answer->choice != 0 || answer->approve)))
        return -1;
    request = json_rpc_take(&acp->rpc, key);
    if (option_id != NULL)
        json_rpc_reply(&acp->rpc, observer, json_object_get(request, "id"),
                       json_pack("{s:{s:s, s:s}}", "outcome", "outcome", "selected", "optionId", option_id));
    else
        reply_cancelled(acp, json_object_get(request, "id"), observer);
    if (strcmp(outcome, "denied") == 0)
        not_running(acp, request);
    else
        running(acp, request);
    tell_resolved(json_member_string(request, "key", key), outcome, observer);
    acp_settle(acp, observer);
    json_decref(request);
    return 0;
}

/* ---- requests that end without an answer ---- */

void acp_withdraw(struct acp *acp, const char *tool, const struct observer *observer)
{
    for (size_t i = json_rpc_held_count(&acp->rpc); i > 0; i--) {
        const json_t *request = json_array_get(acp->rpc.held, i - 1);
        json_t *taken;
        if (tool != NULL && strcmp(json_member_string(request, "tool", ""), tool) != 0)
            continue;
        taken = json_rpc_take(&acp->rpc, json_member_string(request, "key", ""));
        reply_cancelled(acp, json_object_get(taken, "id"), observer);
        tell_resolved(json_member_string(taken, "key", ""), "gone", observer);
        not_running(acp, taken);
        json_decref(taken);
    }
}

void acp_request_gone(struct acp *acp, const json_t *id, const struct observer *observer)
{
    char *key = json_rpc_key(id);
    json_t *request = json_rpc_take(&acp->rpc, key);

    if (request != NULL) {
        tell_resolved(key, "gone", observer);
        acp_settle(acp, observer);
    }
    json_decref(request);
    free(key);
}
