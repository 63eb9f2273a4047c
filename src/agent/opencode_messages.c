#include <string.h>

#include "agent/opencode.h"
#include "agent/tool_line.h"
#include "base/buffer.h"
#include "base/json.h"

#define TODO_MAX 200

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

static void tell(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

/* ---- messages ---- */

static void model_of(struct opencode *state, const json_t *message, const struct observer *observer)
{
    const char *model = text_of(message, "modelID");

    if (model == NULL || strcmp(model, state->model) == 0)
        return;
    opencode_copy(state->model, sizeof state->model, model);
    opencode_tell_session(state, observer);
}

static void context_of(struct opencode *state, const json_t *message, const struct observer *observer)
{
    const json_t *tokens = json_object_get(message, "tokens"), *cache = json_object_get(tokens, "cache");
    int64_t used = json_member_integer(tokens, "input", 0) + json_member_integer(tokens, "output", 0) +
                   json_member_integer(tokens, "reasoning", 0) + json_member_integer(cache, "read", 0) +
                   json_member_integer(cache, "write", 0);

    used = json_member_integer(tokens, "total", used);
    if (used <= 0 || used == state->context_used)
        return;
    state->context_used = used;
    opencode_tell_usage(state, observer);
}

void opencode_message_updated(struct opencode *state, const json_t *properties,
                              const struct observer *observer)
{
    const json_t *info = json_object_get(properties, "info");
    const char *id = text_of(info, "id"), *role = json_member_string(info, "role", "");
    const char *session = json_member_string(info, "sessionID", text_of(properties, "sessionID"));

    if (id == NULL || session == NULL)
        return;
    if (strcmp(role, "user") == 0) {
        opencode_remember(state->users, id, json_true());
        opencode_take_main(state, session, observer);
        if (opencode_is_main(state, session) && strcmp(id, state->asked) > 0)
            opencode_copy(state->asked, sizeof state->asked, id);
    } else if (strcmp(role, "assistant") == 0 && opencode_is_main(state, session)) {
        model_of(state, info, observer);
        opencode_answers(state, text_of(info, "parentID"), observer);
        context_of(state, info, observer);
    }
}

/* ---- text ---- */

/* What a subagent says is its tool's result. */
static void speak(struct opencode *state, json_t *part, const char *session, const char *text, bool complete,
                  const struct observer *observer)
{
    bool thinks = strcmp(json_member_string(part, "kind", ""), "reasoning") == 0;
    json_int_t told = json_member_integer(part, "told", 0);

    if (!opencode_is_main(state, session))
        return;
    if (state->working)
        opencode_enter(state, thinks ? PHASE_THINKING : PHASE_STREAMING, observer);
    if (*text == '\0')
        return;
    json_object_set_new(part, "told", json_integer(told + (json_int_t)strlen(text)));
    tell(observer, &(struct observation){.kind = thinks ? OBSERVED_THINKING : OBSERVED_TEXT,
                                         .text = text,
                                         .whole = complete && told == 0});
}

/* What the pieces did not bring comes with the whole. */
static void text_updated(struct opencode *state, const json_t *part, const char *kind, const char *session,
                         const struct observer *observer)
{
    const char *id = text_of(part, "id"), *text = json_member_string(part, "text", "");
    bool complete = json_object_get(json_object_get(part, "time"), "end") != NULL;
    json_t *known = json_object_get(state->parts, id);
    size_t told;

    if (known == NULL) {
        known = json_pack("{ss si}", "kind", kind, "told", 0);
        opencode_remember(state->parts, id, known);
    } else if (complete && json_object_get(known, "complete") != NULL) {
        return;
    }
    if (complete)
        json_object_set_new(known, "complete", json_true());
    told = (size_t)json_member_integer(known, "told", 0);
    if (told > 0 && complete && strlen(text) <= told)
        return;
    speak(state, known, session, strlen(text) > told ? text + told : "", complete, observer);
}

void opencode_part_delta(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    const char *id = text_of(properties, "partID"), *text = text_of(properties, "delta");
    json_t *part = id == NULL ? NULL : json_object_get(state->parts, id);

    if (part != NULL && text != NULL && strcmp(json_member_string(properties, "field", ""), "text") == 0)
        speak(state, part, text_of(properties, "sessionID"), text, false, observer);
}

/* ---- tools ---- */

static bool tools_run(const struct opencode *state)
{
    const char *id;
    json_t *call;

    json_object_foreach(state->calls, id, call)
    {
        if (!json_member_bool(call, "child", 0))
            return true;
    }
    return false;
}

static void tool_runs(struct opencode *state, const json_t *part, const char *session,
                      const struct observer *observer)
{
    const char *id = text_of(part, "callID"), *name = json_member_string(part, "tool", "tool");
    json_t *input = json_object_get(json_object_get(part, "state"), "input");
    bool child = opencode_is_child(state, session);
    struct buffer summary;

    if (json_object_get(state->calls, id) != NULL)
        return;
    buffer_init(&summary);
    tool_line_append(&summary, input);
    opencode_remember(state->calls, id, json_pack("{sO? sb}", "input", input, "child", (int)child));
    tell(observer, &(struct observation){.kind = OBSERVED_TOOL_CALL,
                                         .id = id,
                                         .parent = child ? session : NULL,
                                         .name = name,
                                         .text = summary.bytes,
                                         .input = input});
    buffer_finish(&summary);
    if (!child && opencode_is_main(state, session) && state->working)
        opencode_enter(state, PHASE_TOOL, observer);
}

static void tell_file(const json_t *part, const struct observer *observer)
{
    const json_t *state = json_object_get(part, "state"), *metadata = json_object_get(state, "metadata");
    const char *path = json_member_string(json_object_get(state, "input"), "filePath", NULL);
    const char *tool = json_member_string(part, "tool", ""), *diff = text_of(metadata, "diff");
    bool created = json_is_false(json_object_get(metadata, "exists"));
    json_t *input;

    if (path == NULL || (strcmp(tool, "edit") != 0 && strcmp(tool, "write") != 0 &&
                         strcmp(tool, "multiedit") != 0 && strcmp(tool, "patch") != 0))
        return;
    input = diff == NULL ? NULL : json_pack("{ss}", "diff", diff);
    tell(observer, &(struct observation){.kind = OBSERVED_FILE,
                                         .name = tool,
                                         .text = path,
                                         .outcome = created ? "created" : "modified",
                                         .input = input});
    json_decref(input);
}

static void tool_ended(struct opencode *state, const json_t *part, const char *session, bool failed,
                       const struct observer *observer)
{
    const json_t *tool = json_object_get(part, "state");
    const char *id = text_of(part, "callID"), *key = text_of(part, "id");

    /* A compaction touches old calls again. */
    if (json_object_get(state->parts, key) != NULL ||
        json_object_get(json_object_get(tool, "time"), "compacted") != NULL)
        return;
    opencode_remember(state->parts, key, json_pack("{ss}", "kind", "tool"));
    tool_runs(state, part, session, observer);
    json_object_del(state->calls, id);
    tell(observer, &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                         .id = id,
                                         .parent = opencode_is_child(state, session) ? session : NULL,
                                         .name = text_of(part, "tool"),
                                         .text = text_of(tool, failed ? "error" : "output"),
                                         .failed = failed});
    if (!failed)
        tell_file(part, observer);
    if (state->phase == PHASE_TOOL && !tools_run(state))
        opencode_enter(state, PHASE_THINKING, observer);
}

static void tool_updated(struct opencode *state, const json_t *part, const char *session,
                         const struct observer *observer)
{
    const char *status = json_member_string(json_object_get(part, "state"), "status", "");

    if (text_of(part, "callID") == NULL)
        return;
    if (strcmp(status, "running") == 0)
        tool_runs(state, part, session, observer);
    else if (strcmp(status, "completed") == 0 || strcmp(status, "error") == 0)
        tool_ended(state, part, session, strcmp(status, "error") == 0, observer);
}

/* ---- parts ---- */

/* The model's answer has begun. */
static void step_started(struct opencode *state, const struct observer *observer)
{
    if (state->limited)
        tell(observer, &(struct observation){.kind = OBSERVED_LIMIT, .percent = -1, .ended = true});
    state->limited = state->aborted = false;
    if (state->working && state->phase != PHASE_TOOL)
        opencode_enter(state, PHASE_THINKING, observer);
}

static bool is_text(const char *type)
{
    return strcmp(type, "text") == 0 || strcmp(type, "reasoning") == 0;
}

void opencode_part_updated(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    const json_t *part = json_object_get(properties, "part");
    const char *id = text_of(part, "id"), *type = json_member_string(part, "type", "");
    const char *message = text_of(part, "messageID"), *session = text_of(part, "sessionID");
    bool hidden = json_member_bool(part, "synthetic", 0) || json_member_bool(part, "ignored", 0);

    if (id == NULL || message == NULL || session == NULL || hidden)
        return;
    if (json_object_get(state->users, message) != NULL) {
        if (strcmp(type, "text") == 0 && opencode_is_main(state, session))
            opencode_prompted(state, message, json_member_string(part, "text", ""), observer);
    } else if (is_text(type)) {
        text_updated(state, part, type, session, observer);
    } else if (strcmp(type, "tool") == 0) {
        tool_updated(state, part, session, observer);
    } else if (strcmp(type, "step-start") == 0 && opencode_is_main(state, session)) {
        step_started(state, observer);
    }
}

/* ---- files and plans ---- */

/* An edit tells of itself when it ends, with its difference. */
void opencode_file_edited(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    const char *path = text_of(properties, "file"), *id;
    json_t *call;

    if (path == NULL)
        return;
    json_object_foreach(state->calls, id, call)
    {
        const char *known = json_member_string(json_object_get(call, "input"), "filePath", NULL);
        if (known != NULL && strcmp(known, path) == 0)
            return;
    }
    tell(observer, &(struct observation){.kind = OBSERVED_FILE, .text = path, .outcome = "modified"});
}

void opencode_todo_updated(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    json_t *items = json_array(), *todo;
    size_t index;

    json_array_foreach(json_object_get(properties, "todos"), index, todo)
    {
        const char *status = json_member_string(todo, "status", "");
        const char *step = strcmp(status, "completed") == 0 || strcmp(status, "cancelled") == 0 ? "done"
                           : strcmp(status, "in_progress") == 0                                 ? "active"
                                                                                                : "pending";
        if (index >= TODO_MAX)
            break;
        json_array_append_new(
            items, json_pack("{ss ss}", "text", json_member_string(todo, "content", ""), "state", step));
    }
    if (!opencode_is_child(state, text_of(properties, "sessionID")))
        tell(observer, &(struct observation){.kind = OBSERVED_TODO, .input = items});
    json_decref(items);
}
