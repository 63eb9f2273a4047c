#include <stdlib.h>
#include <string.h>

#include "agent/stream_codex.h"
#include "agent/tool_line.h"
#include "agent/unified_diff.h"
#include "base/json.h"
#include "base/memory.h"

/* Items and subagents that are not over; beyond that they are of an agent that forgets to end them. */
enum { KEPT_MAX = 512 };

/* `exec` writes names with underscores where the app-server has capitals. */
static const json_t *either(const json_t *object, const char *camel, const char *snake)
{
    const json_t *value = json_object_get(object, camel);

    return value != NULL ? value : json_object_get(object, snake);
}

/* ---- what is said ---- */

static bool said_in_pieces(const struct codex *codex, const char *id)
{
    return json_object_get(codex->said, id) != NULL;
}

static void say(struct codex *codex, enum observation_kind kind, const char *text, bool whole,
                const char *parent, const struct observer *observer)
{
    if (text == NULL || *text == '\0')
        return;
    if (parent == NULL && codex->turn.running && json_rpc_held_count(&codex->rpc) == 0)
        stream_turn_phase(&codex->turn, observer, kind == OBSERVED_TEXT ? PHASE_STREAMING : PHASE_THINKING,
                          NULL);
    observer->observe(observer->argument,
                      &(struct observation){.kind = kind, .text = text, .whole = whole, .parent = parent});
}

void codex_piece(struct codex *codex, const json_t *params, enum observation_kind kind, const char *parent,
                 const struct observer *observer)
{
    const char *id = json_member_string(params, "itemId", ""),
               *text = json_member_string(params, "delta", NULL);

    if (text == NULL || *text == '\0')
        return;
    if (json_object_size(codex->said) >= KEPT_MAX)
        (void)json_object_clear(codex->said);
    (void)json_object_set_new(codex->said, id, json_true());
    say(codex, kind, text, false, parent, observer);
}

/* Reasoning is an array of parts, or one text. */
static void say_reasoning(struct codex *codex, const json_t *item, const char *parent,
                          const struct observer *observer)
{
    const json_t *parts = json_object_get(item, "summary"), *part;
    struct buffer text;
    size_t i;

    if (json_array_size(parts) == 0)
        parts = json_object_get(item, "content");
    buffer_init(&text);
    json_array_foreach(parts, i, part)
    {
        if (json_is_string(part))
            buffer_printf(&text, "%s%s", text.length > 0 ? "\n\n" : "", json_string_value(part));
    }
    say(codex, OBSERVED_THINKING, text.length > 0 ? text.bytes : json_member_string(item, "text", NULL), true,
        parent, observer);
    buffer_finish(&text);
}

/* ---- tools ---- */

/* What a tool item is: `name` and `title` (may be NULL) are to be freed, `input` to be released. */
struct tool {
    char *name, *title;
    json_t *input;
    bool server;
};

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL)
        (void)json_object_set_new(object, name, json_string(text));
}

/* The command itself, not the shell that runs it, when that is plain to see. */
static char *plain_command(const json_t *item)
{
    static const char shell[] = " -lc '";
    const char *command = json_member_string(item, "command", "");
    const json_t *actions = json_object_get(item, "commandActions");
    const char *action = json_member_string(json_array_get(actions, 0), "command", NULL);
    const char *inner = strstr(command, shell);
    size_t length = strlen(command);

    if (json_array_size(actions) == 1 && action != NULL)
        return xstrdup(action);
    if (inner == NULL || strcspn(command, " ") != (size_t)(inner - command) || command[length - 1] != '\'')
        return xstrdup(command);
    inner += strlen(shell);
    length -= (size_t)(inner - command) + 1;
    return memchr(inner, '\'', length) == NULL ? xstrndup(inner, length) : xstrdup(command);
}

static void command_tool(const json_t *item, struct tool *tool)
{
    tool->name = xstrdup("shell");
    tool->title = plain_command(item);
    set_text(tool->input, "command", json_member_string(item, "command", ""));
    set_text(tool->input, "cwd", json_member_string(item, "cwd", NULL));
}

static bool command_result(const json_t *item, struct buffer *out)
{
    const json_t *code = either(item, "exitCode", "exit_code");
    const char *output = json_string_value(either(item, "aggregatedOutput", "aggregated_output"));
    const char *status = json_member_string(item, "status", "");

    buffer_append_string(out, output != NULL ? output : "");
    if (strcmp(status, "declined") == 0 && out->length == 0)
        buffer_append_string(out, "declined");
    return strcmp(status, "failed") == 0 || strcmp(status, "declined") == 0 ||
           (json_is_integer(code) && json_integer_value(code) != 0);
}

static const char *change_path(const json_t *change)
{
    return json_member_string(change, "path", "file");
}

static void change_tool(const json_t *item, struct tool *tool)
{
    json_t *files = json_array();
    const json_t *change;
    struct buffer title;
    size_t i;

    buffer_init(&title);
    buffer_append(&title, "", 0);
    json_array_foreach(json_object_get(item, "changes"), i, change)
    {
        (void)json_array_append_new(files, json_string(change_path(change)));
        buffer_printf(&title, "%s%s", i > 0 ? ", " : "", change_path(change));
    }
    tool->name = xstrdup("edit");
    tool->title = buffer_steal(&title);
    (void)json_object_set_new(tool->input, "files", files);
}

static bool change_result(const json_t *item, struct buffer *out)
{
    const char *status = json_member_string(item, "status", "completed");
    bool failed = strcmp(status, "completed") != 0;

    if (failed)
        buffer_append_string(out, status);
    return failed;
}

static void mcp_tool(const json_t *item, struct tool *tool)
{
    json_t *arguments = json_object_get(item, "arguments");

    tool->name = xasprintf("%s.%s", json_member_string(item, "server", "mcp"),
                           json_member_string(item, "tool", "tool"));
    if (json_is_object(arguments))
        (void)json_object_update(tool->input, arguments);
}

static void append_texts(struct buffer *out, const json_t *content)
{
    const json_t *block;
    size_t i;

    json_array_foreach(content, i, block)
    {
        const char *text = json_member_string(block, "text", NULL);
        if (text != NULL)
            buffer_printf(out, "%s%s", out->length > 0 ? "\n" : "", text);
    }
}

static bool mcp_result(const json_t *item, struct buffer *out)
{
    const char *error = json_member_string(json_object_get(item, "error"), "message", NULL);

    append_texts(out, json_object_get(json_object_get(item, "result"), "content"));
    if (error != NULL)
        buffer_append_string(out, error);
    return error != NULL || strcmp(json_member_string(item, "status", ""), "failed") == 0;
}

static void named_tool(const json_t *item, struct tool *tool)
{
    json_t *arguments = json_object_get(item, "arguments");

    tool->name = xstrdup(json_member_string(item, "tool", "tool"));
    if (json_is_object(arguments))
        (void)json_object_update(tool->input, arguments);
    set_text(tool->input, "prompt", json_member_string(item, "prompt", NULL));
}

static bool named_result(const json_t *item, struct buffer *out)
{
    append_texts(out, json_object_get(item, "contentItems"));
    return json_is_false(json_object_get(item, "success")) ||
           strcmp(json_member_string(item, "status", ""), "failed") == 0;
}

static void search_tool(const json_t *item, struct tool *tool)
{
    tool->name = xstrdup("web_search");
    tool->server = true;
    set_text(tool->input, "query", json_member_string(item, "query", NULL));
}

static void image_tool(const json_t *item, struct tool *tool)
{
    bool made = strcmp(json_member_string(item, "type", ""), "imageGeneration") == 0;

    tool->name = xstrdup(made ? "image_generation" : "view_image");
    tool->server = made;
    set_text(tool->input, "path", json_member_string(item, "path", NULL));
    set_text(tool->input, "prompt", json_member_string(item, "revisedPrompt", NULL));
}

static bool no_result(const json_t *item, struct buffer *out)
{
    (void)out;
    return strcmp(json_member_string(item, "status", ""), "failed") == 0;
}

static const struct tool_kind {
    const char *type, *exec_type;
    void (*describe)(const json_t *item, struct tool *tool);
    bool (*result)(const json_t *item,
                   struct buffer *out); /* appends what it gave; returns whether it failed */
} tool_kinds[] = {
    {"commandExecution", "command_execution", command_tool, command_result},
    {"fileChange", "file_change", change_tool, change_result},
    {"mcpToolCall", "mcp_tool_call", mcp_tool, mcp_result},
    {"dynamicToolCall", "dynamic_tool_call", named_tool, named_result},
    {"collabAgentToolCall", "collab_tool_call", named_tool, named_result},
    {"webSearch", "web_search", search_tool, no_result},
    {"imageView", "image_view", image_tool, no_result},
    {"imageGeneration", "image_generation", image_tool, no_result},
};

static const struct tool_kind *find_tool(const char *type)
{
    for (size_t i = 0; i < sizeof tool_kinds / sizeof tool_kinds[0]; i++) {
        if (strcmp(tool_kinds[i].type, type) == 0 || strcmp(tool_kinds[i].exec_type, type) == 0)
            return &tool_kinds[i];
    }
    return NULL;
}

static void keep_item(struct codex *codex, const char *id, const json_t *item, const struct tool *tool,
                      bool main)
{
    json_t *changes = json_object_get(item, "changes"), *kept;
    struct buffer line;

    if (json_object_size(codex->items) >= KEPT_MAX)
        (void)json_object_clear(codex->items);
    buffer_init(&line);
    buffer_append(&line, "", 0);
    if (tool->title != NULL)
        tool_line_append_text(&line, tool->title, TOOL_LINE_MAX);
    else
        tool_line_append(&line, tool->input);
    kept = json_pack("{s:s, s:s, s:b}", "name", tool->name, "line", line.bytes, "main", main);
    if (kept != NULL && changes != NULL)
        (void)json_object_set_new(kept, "changes", json_deep_copy(changes));
    (void)json_object_set_new(codex->items, id, kept);
    buffer_finish(&line);
}

static void begin_tool(struct codex *codex, const struct tool_kind *kind, const json_t *item,
                       const char *parent, const struct observer *observer)
{
    const char *id = json_member_string(item, "id", "");
    struct tool tool = {.input = json_object()};

    kind->describe(item, &tool);
    keep_item(codex, id, item, &tool, parent == NULL);
    observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_TOOL_CALL,
                                                                .id = id,
                                                                .parent = parent,
                                                                .name = tool.name,
                                                                .text = tool.title,
                                                                .input = tool.input,
                                                                .server = tool.server});
    free(tool.name);
    free(tool.title);
    json_decref(tool.input);
}

/* ---- files ---- */

static const char *change_outcome(const json_t *change)
{
    const json_t *kind = json_object_get(change, "kind");
    const char *type = json_is_string(kind) ? json_string_value(kind) : json_member_string(kind, "type", "");

    if (strcmp(type, "add") == 0)
        return "created";
    return strcmp(type, "delete") == 0 ? "deleted" : "modified";
}

/* What is added or deleted is given as the file's text, what is changed as hunks. */
static void append_change(struct buffer *out, const json_t *change)
{
    const char *path = change_path(change), *diff = json_member_string(change, "diff", NULL);
    const char *outcome = change_outcome(change);

    if (diff == NULL)
        return;
    if (strcmp(outcome, "created") == 0)
        unified_diff_append(out, path, NULL, diff);
    else if (strcmp(outcome, "deleted") == 0)
        unified_diff_append(out, path, diff, NULL);
    else if (strncmp(diff, "--- ", 4) == 0)
        buffer_append_string(out, diff);
    else
        buffer_printf(out, "--- %s\n+++ %s\n%s", path, path, diff);
}

void codex_changes_append(struct buffer *out, const json_t *changes)
{
    const json_t *change;
    size_t i;

    json_array_foreach(changes, i, change)
    {
        append_change(out, change);
    }
}

static void tell_files(const json_t *changes, const char *parent, const struct observer *observer)
{
    const json_t *change;
    size_t i;

    json_array_foreach(changes, i, change)
    {
        struct buffer diff;
        json_t *input = NULL;
        buffer_init(&diff);
        append_change(&diff, change);
        if (diff.length > 0)
            input = json_pack("{s:s}", "diff", diff.bytes);
        observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_FILE,
                                                                    .parent = parent,
                                                                    .text = change_path(change),
                                                                    .outcome = change_outcome(change),
                                                                    .input = input});
        json_decref(input);
        buffer_finish(&diff);
    }
}

static void end_tool(struct codex *codex, const struct tool_kind *kind, const json_t *item,
                     const char *parent, const struct observer *observer)
{
    const char *id = json_member_string(item, "id", "");
    const json_t *kept = json_object_get(codex->items, id);
    struct buffer text;
    bool failed;

    buffer_init(&text);
    failed = kind->result(item, &text);
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                            .id = id,
                                            .parent = parent,
                                            .name = json_member_string(kept, "name", NULL),
                                            .text = text.length > 0 ? text.bytes : NULL,
                                            .failed = failed});
    buffer_finish(&text);
    if (!failed)
        tell_files(json_object_get(item, "changes"), parent, observer);
    (void)json_object_del(codex->items, id);
}

void codex_settle(struct codex *codex, const struct observer *observer)
{
    const json_t *request = json_rpc_first_held(&codex->rpc);
    const char *id;
    json_t *item, *last = NULL;

    json_object_foreach(codex->items, id, item)
    {
        if (json_is_true(json_object_get(item, "main")))
            last = item;
    }
    if (request != NULL)
        stream_turn_phase(&codex->turn, observer, PHASE_APPROVAL, json_member_string(request, "line", NULL));
    else if (!codex->turn.running && codex->turn.phase == PHASE_APPROVAL && codex->ready)
        stream_turn_phase(&codex->turn, observer, PHASE_IDLE, NULL);
    else if (!codex->turn.running)
        return;
    else if (last != NULL)
        stream_turn_tool_phase(&codex->turn, observer, json_member_string(last, "name", "tool"),
                               json_member_string(last, "line", NULL));
    else
        stream_turn_phase(&codex->turn, observer, PHASE_CONNECTING, NULL);
}

/* ---- subagents ---- */

static void tell_agent(struct codex *codex, const char *id, const char *name, bool ended,
                       const struct observer *observer)
{
    bool runs = json_object_get(codex->agents, id) != NULL;

    if (*id == '\0' || runs != ended)
        return;
    if (ended)
        (void)json_object_del(codex->agents, id);
    else if (json_object_size(codex->agents) < KEPT_MAX)
        (void)json_object_set_new(codex->agents, id, json_true());
    else
        return;
    observer->observe(
        observer->argument,
        &(struct observation){.kind = OBSERVED_SUBAGENT, .id = id, .name = name, .ended = ended});
}

static void take_activity(struct codex *codex, const json_t *item, const struct observer *observer)
{
    const char *kind = json_member_string(item, "kind", "");
    bool ended = strcmp(kind, "completed") == 0 || strcmp(kind, "interrupted") == 0;

    tell_agent(codex, json_member_string(item, "agentThreadId", ""),
               json_member_string(item, "agentPath", NULL), ended, observer);
}

static void take_agents(struct codex *codex, const json_t *item, const struct observer *observer)
{
    static const char *const over[] = {"completed", "interrupted", "errored", "shutdown", "notFound"};
    json_t *states = json_object_get(item, "agentsStates"), *state;
    const char *id;

    json_object_foreach(states, id, state)
    {
        const char *status = json_member_string(state, "status", "");
        bool ended = false;
        for (size_t i = 0; i < sizeof over / sizeof over[0]; i++)
            ended = ended || strcmp(over[i], status) == 0;
        tell_agent(codex, id, NULL, ended, observer);
    }
}

/* ---- items ---- */

static void take_tool(struct codex *codex, const struct tool_kind *kind, const json_t *item, bool complete,
                      const char *parent, const struct observer *observer)
{
    const char *id = json_member_string(item, "id", "");

    if (json_object_get(codex->items, id) == NULL)
        begin_tool(codex, kind, item, parent, observer);
    if (complete)
        end_tool(codex, kind, item, parent, observer);
    if (parent == NULL)
        codex_settle(codex, observer);
}

static bool is_any(const char *type, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, type) == 0)
            return true;
    }
    return false;
}

/* Told when it is complete. */
static bool take_saying(struct codex *codex, const char *type, const json_t *item, bool complete,
                        const char *parent, const struct observer *observer)
{
    static const char *const texts[] = {"agentMessage", "agent_message", "plan", NULL};
    const char *text = json_member_string(item, "text", NULL);
    bool pieces = said_in_pieces(codex, json_member_string(item, "id", ""));

    if (is_any(type, texts)) {
        if (complete && !pieces)
            say(codex, OBSERVED_TEXT, text, true, parent, observer);
    } else if (strcmp(type, "reasoning") == 0) {
        if (complete && !pieces)
            say_reasoning(codex, item, parent, observer);
        else if (!complete && parent == NULL && codex->turn.running && json_rpc_held_count(&codex->rpc) == 0)
            stream_turn_phase(&codex->turn, observer, PHASE_THINKING, NULL);
    } else if (strcmp(type, "todo_list") == 0) {
        stream_turn_todo(observer, json_object_get(item, "items"));
    } else if (strcmp(type, "error") == 0) {
        stream_turn_say(observer, OBSERVED_NOTE, "warning", json_member_string(item, "message", NULL));
    } else {
        return false;
    }
    return true;
}

void codex_item(struct codex *codex, const json_t *item, bool complete, const char *parent,
                const struct observer *observer)
{
    static const char *const silent[] = {"userMessage",        "user_message", "hookPrompt",
                                         "functionCallOutput", "sleep",        NULL};
    static const char *const notes[] = {"enteredReviewMode", "exitedReviewMode", "contextCompaction", NULL};
    const char *type = json_member_string(item, "type", "item");
    const struct tool_kind *kind = find_tool(type);

    if (kind != NULL)
        take_tool(codex, kind, item, complete, parent, observer);
    else if (is_any(type, notes) && complete)
        stream_turn_say(observer, OBSERVED_NOTE, type, json_member_string(item, "review", type));
    else if (strcmp(type, "subAgentActivity") == 0)
        take_activity(codex, item, observer);
    else if (!is_any(type, silent) && !is_any(type, notes) &&
             !take_saying(codex, type, item, complete, parent, observer))
        stream_turn_unknown(&codex->turn, observer, type);
    if (strcmp(type, "collabAgentToolCall") == 0 && complete)
        take_agents(codex, item, observer);
}
