#include <stdlib.h>
#include <string.h>

#include "agent/stream_acp.h"
#include "agent/tool_line.h"
#include "agent/unified_diff.h"
#include "base/json.h"
#include "base/memory.h"

/* So many tool calls never run at once: beyond that, they are of an agent that forgets to end them. */
enum { TOOLS_MAX = 256 };

static const char *text_of(const json_t *content)
{
    return json_member_string(content, "text", NULL);
}

/* ---- tool calls ---- */

/*
 * The protocol has no name for a tool. opencode announces a call with it as the title; Gemini CLI begins the id
 * with it; else the kind must do.
 */
static char *tool_name(const json_t *call)
{
    const char *id = json_member_string(call, "toolCallId", ""), *end = strstr(id, "__");
    const char *title = json_member_string(call, "title", "");

    if (end != NULL && end > id && strspn(id, "abcdefghijklmnopqrstuvwxyz_") >= (size_t)(end - id))
        return xstrndup(id, (size_t)(end - id));
    if (*title != '\0' && title[strcspn(title, " /\\.\n")] == '\0' && strlen(title) < 60)
        return xstrdup(title);
    return xstrdup(json_member_string(call, "kind", "tool"));
}

static void keep(json_t *tool, const char *name, const json_t *call, const char *member)
{
    json_t *value = json_object_get(call, member);

    if (value != NULL && !json_is_null(value))
        (void)json_object_set_new(tool, name, json_copy(value));
}

/* A diff is said when permission is asked, and again or not when the call is over. */
static void keep_diffs(json_t *tool, const json_t *content)
{
    const json_t *block;
    size_t i;
    json_t *diffs = NULL;

    json_array_foreach(content, i, block)
    {
        if (strcmp(json_member_string(block, "type", ""), "diff") != 0)
            continue;
        if (diffs == NULL)
            diffs = json_array();
        (void)json_array_append(diffs, json_array_get(content, i));
    }
    if (diffs != NULL)
        (void)json_object_set_new(tool, "diffs", diffs);
}

/* Commands are said by title alone when there is no input. */
static void make_input(json_t *tool, const json_t *call)
{
    const char *kind = json_member_string(tool, "kind", ""), *title = json_member_string(call, "title", NULL);
    const json_t *place = json_array_get(json_object_get(tool, "locations"), 0);
    const char *path = json_member_string(place, "path", NULL);

    if (json_object_size(json_object_get(tool, "input")) > 0)
        return;
    if (strcmp(kind, "execute") == 0 && title != NULL)
        (void)json_object_set_new(tool, "input", json_pack("{s:s}", "command", title));
    else if (path != NULL)
        (void)json_object_set_new(tool, "input", json_pack("{s:s}", "path", path));
}

/* Members that the input as it is known lacks. */
static void add_input(json_t *tool, json_t *more)
{
    json_t *input = json_object_get(tool, "input");

    if (!json_is_object(more))
        return;
    if (input == NULL)
        (void)json_object_set_new(tool, "input", json_copy(more));
    else
        (void)json_object_update_missing(input, more);
}

json_t *acp_tool(struct acp *acp, const json_t *call, bool ask)
{
    const char *id = json_member_string(call, "toolCallId", "");
    json_t *tool = json_object_get(acp->tools, id);
    bool known = tool != NULL;

    if (!known) {
        char *name = tool_name(call);
        if (json_object_size(acp->tools) >= TOOLS_MAX)
            (void)json_object_clear(acp->tools);
        tool = json_pack("{s:s, s:b, s:b}", "name", name, "running", 0, "told", 0);
        (void)json_object_set_new(acp->tools, id, tool);
        free(name);
    }
    keep_diffs(tool, json_object_get(call, "content"));
    /* What a permission is asked for (a folder, say) need not be what the call does. */
    if (ask && known &&
        strcmp(json_member_string(call, "kind", ""), json_member_string(tool, "kind", "")) == 0) {
        keep(tool, "title", call, "title");
        add_input(tool, json_object_get(call, "rawInput"));
    } else if (!ask || !known) {
        keep(tool, "title", call, "title");
        keep(tool, "kind", call, "kind");
        if (json_is_object(json_object_get(call, "rawInput")))
            keep(tool, "input", call, "rawInput");
        if (json_array_size(json_object_get(call, "locations")) > 0)
            keep(tool, "locations", call, "locations");
    }
    make_input(tool, call);
    return tool;
}

static const char *tool_title(const json_t *tool)
{
    const char *title = json_member_string(tool, "title", NULL);

    return title != NULL && strcmp(title, json_member_string(tool, "name", "")) != 0 ? title : NULL;
}

void acp_tool_tell(json_t *tool, const char *id, const struct observer *observer)
{
    static const char *const server_kinds[] = {"search_web", "fetch_server"};
    json_t *empty = json_object(), *input = json_object_get(tool, "input");
    bool server = false;

    for (size_t i = 0; i < sizeof server_kinds / sizeof server_kinds[0]; i++)
        server = server || strcmp(json_member_string(tool, "kind", ""), server_kinds[i]) == 0;
    if (!json_is_true(json_object_get(tool, "told"))) {
        (void)json_object_set_new(tool, "told", json_true());
        observer->observe(observer->argument,
                          &(struct observation){.kind = OBSERVED_TOOL_CALL,
                                                .id = id,
                                                .name = json_member_string(tool, "name", NULL),
                                                .text = tool_title(tool),
                                                .input = input != NULL ? input : empty,
                                                .server = server});
    }
    json_decref(empty);
}

void acp_content_append(struct buffer *out, const json_t *content, bool diffs)
{
    const json_t *block;
    size_t i;

    json_array_foreach(content, i, block)
    {
        const char *type = json_member_string(block, "type", "");
        const char *text = text_of(json_object_get(block, "content"));
        if (strcmp(type, "content") == 0 && text != NULL) {
            if (out->length > 0 && out->bytes[out->length - 1] != '\n')
                buffer_append_char(out, '\n');
            buffer_append_string(out, text);
        } else if (diffs && strcmp(type, "diff") == 0) {
            if (out->length > 0 && out->bytes[out->length - 1] != '\n')
                buffer_append_char(out, '\n');
            unified_diff_append(out, json_member_string(block, "path", "file"),
                                json_member_string(block, "oldText", NULL),
                                json_member_string(block, "newText", NULL));
        }
    }
}

/* ---- the end of a tool call ---- */

static void tell_file(const char *path, const char *outcome, const char *diff,
                      const struct observer *observer)
{
    json_t *input = diff != NULL && *diff != '\0' ? json_pack("{s:s}", "diff", diff) : NULL;

    observer->observe(
        observer->argument,
        &(struct observation){.kind = OBSERVED_FILE, .text = path, .outcome = outcome, .input = input});
    json_decref(input);
}

static void tell_diffs(const json_t *tool, const struct observer *observer)
{
    const json_t *block;
    size_t i;

    json_array_foreach(json_object_get(tool, "diffs"), i, block)
    {
        const char *path = json_member_string(block, "path", NULL);
        const char *before = json_member_string(block, "oldText", NULL);
        const char *after = json_member_string(block, "newText", NULL);
        struct buffer diff;
        if (path == NULL)
            continue;
        buffer_init(&diff);
        unified_diff_append(&diff, path, before, after);
        tell_file(path,
                  before == NULL || *before == '\0' ? "created"
                  : after == NULL                   ? "deleted"
                                                    : "modified",
                  diff.bytes, observer);
        buffer_finish(&diff);
    }
}

/* The files that a call without diffs names, when its kind says that it changes them. */
static void tell_places(const json_t *tool, const struct observer *observer)
{
    const char *kind = json_member_string(tool, "kind", "");
    const char *outcome = strcmp(kind, "edit") == 0     ? "modified"
                          : strcmp(kind, "delete") == 0 ? "deleted"
                                                        : NULL;
    const json_t *place;
    size_t i;

    json_array_foreach(json_object_get(tool, "locations"), i, place)
    {
        const char *path = json_member_string(place, "path", NULL);
        if (outcome != NULL && path != NULL)
            tell_file(path, outcome, NULL, observer);
    }
}

static void append_output(struct buffer *out, const json_t *call)
{
    const json_t *raw = json_object_get(call, "rawOutput");
    const char *text = json_is_string(raw) ? json_string_value(raw) : json_member_string(raw, "output", NULL);

    if (text == NULL)
        text = json_member_string(raw, "error", NULL);
    acp_content_append(out, json_object_get(call, "content"), false);
    if (out->length == 0 && text != NULL)
        buffer_append_string(out, text);
}

static void end_tool(struct acp *acp, const json_t *call, const char *id, json_t *tool, bool failed,
                     const struct observer *observer)
{
    struct buffer text;

    buffer_init(&text);
    append_output(&text, call);
    acp_withdraw(acp, id, observer);
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                            .id = id,
                                            .name = json_member_string(tool, "name", NULL),
                                            .text = text.length > 0 ? text.bytes : NULL,
                                            .failed = failed});
    buffer_finish(&text);
    if (!failed && json_object_get(tool, "diffs") != NULL)
        tell_diffs(tool, observer);
    else if (!failed)
        tell_places(tool, observer);
    (void)json_object_del(acp->tools, id);
    acp_settle(acp, observer);
}

/* ---- updates by kind ---- */

static void take_tool(struct acp *acp, const json_t *update, const struct observer *observer)
{
    const char *status = json_member_string(update, "status", "");
    char *id = xstrdup(json_member_string(update, "toolCallId", ""));
    json_t *tool = acp_tool(acp, update, false);
    bool failed = strcmp(status, "failed") == 0, over = failed || strcmp(status, "completed") == 0;

    if (over || strcmp(status, "in_progress") == 0) {
        bool first = !json_is_true(json_object_get(tool, "told"));
        acp_tool_tell(tool, id, observer);
        if (first)
            stream_turn_todo(observer, json_object_get(json_object_get(tool, "input"), "todos"));
        (void)json_object_set_new(tool, "running",
                                  json_boolean(!json_is_true(json_object_get(tool, "denied"))));
    }
    if (over)
        end_tool(acp, update, id, tool, failed, observer);
    else if (json_is_true(json_object_get(tool, "running")))
        acp_settle(acp, observer);
    free(id);
}

static void take_chunk(struct acp *acp, const json_t *update, enum observation_kind kind, enum phase phase,
                       const struct observer *observer)
{
    const json_t *content = json_object_get(update, "content");
    const char *type = json_member_string(content, "type", "text");

    if (strcmp(type, "text") != 0) {
        stream_turn_say(observer, OBSERVED_NOTE, type,
                        json_member_string(content, "uri", json_member_string(content, "mimeType", type)));
        return;
    }
    if (text_of(content) == NULL || *text_of(content) == '\0')
        return;
    if (acp->turn.running && json_rpc_held_count(&acp->rpc) == 0)
        stream_turn_phase(&acp->turn, observer, phase, NULL);
    stream_turn_say(observer, kind, NULL, text_of(content));
}

static void take_text(struct acp *acp, const json_t *update, const struct observer *observer)
{
    take_chunk(acp, update, OBSERVED_TEXT, PHASE_STREAMING, observer);
}

static void take_thought(struct acp *acp, const json_t *update, const struct observer *observer)
{
    take_chunk(acp, update, OBSERVED_THINKING, PHASE_THINKING, observer);
}

static void take_plan(struct acp *acp, const json_t *update, const struct observer *observer)
{
    (void)acp;
    stream_turn_todo(observer, json_object_get(update, "entries"));
}

static void take_usage(struct acp *acp, const json_t *update, const struct observer *observer)
{
    double used = json_member_number(update, "used", -1), size = json_member_number(update, "size", -1);
    const json_t *cost = json_object_get(update, "cost");

    if (used > 0 && size > 0)
        acp->turn.usage.context_pct = used / size >= 1 ? 100 : used / size * 100;
    if (strcmp(json_member_string(cost, "currency", ""), "USD") == 0)
        acp->turn.usage.cost_usd = json_member_number(cost, "amount", -1);
    if (acp->ready && acp->turn.running)
        stream_turn_usage(&acp->turn, observer);
}

static void take_options(struct acp *acp, const json_t *update, const struct observer *observer)
{
    const char *model = acp_model_option(json_object_get(update, "configOptions"));

    if (acp_take_model(acp, model) && acp->ready)
        acp_tell_session(acp, observer);
}

static void take_nothing(struct acp *acp, const json_t *update, const struct observer *observer)
{
    (void)acp;
    (void)update;
    (void)observer;
}

static void take_commands(struct acp *acp, const json_t *update, const struct observer *observer)
{
    (void)update;
    acp_commands_told(acp, observer);
}

static const struct {
    const char *kind;
    bool history; /* sent again when a conversation is loaded */
    void (*take)(struct acp *acp, const json_t *update, const struct observer *observer);
} kinds[] = {
    {"agent_message_chunk", true, take_text},
    {"agent_thought_chunk", true, take_thought},
    {"user_message_chunk", true, take_nothing},
    {"tool_call", true, take_tool},
    {"tool_call_update", true, take_tool},
    {"plan", true, take_plan},
    {"usage_update", false, take_usage},
    {"config_option_update", false, take_options},
    {"available_commands_update", false, take_commands},
    {"current_mode_update", false, take_nothing},
    {"session_info_update", false, take_nothing},
};

void acp_update(struct acp *acp, const json_t *params, const struct observer *observer)
{
    const json_t *update = json_object_get(params, "update");
    const char *kind = json_member_string(update, "sessionUpdate", "session/update");

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].kind, kind) != 0)
            continue;
        if (acp->ready || !kinds[i].history)
            kinds[i].take(acp, update, observer);
        return;
    }
    stream_turn_unknown(&acp->turn, observer, kind);
}
