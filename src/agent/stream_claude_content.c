/* What Claude's messages hold: text, thinking, tools, their results and the files they changed. */
#include <stdio.h>
#include <string.h>

#include "agent/claude_words.h"
#include "agent/stream_claude.h"
#include "agent/tool_line.h"
#include "base/json.h"

#define TOOLS_MAX 1000

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

static void observe(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

/* [{content, status}] of TodoWrite. */
static void todo(const char *parent, const json_t *todos, const struct observer *observer)
{
    json_t *list = json_array(), *item;
    size_t index;

    json_array_foreach(todos, index, item)
    {
        const char *status = word(item, "status");
        const char *state = strcmp(status, "completed") == 0     ? "done"
                            : strcmp(status, "in_progress") == 0 ? "active"
                                                                 : "pending";
        json_array_append_new(
            list, json_pack("{so ss}", "text", json_string_or_null(word(item, "content")), "state", state));
    }
    observe(observer, &(struct observation){.kind = OBSERVED_TODO, .parent = parent, .input = list});
    json_decref(list);
}

/* ---- subagents ---- */

static void task_begun(struct claude *claude, const char *id, const char *parent, const char *what,
                       const struct observer *observer)
{
    if (json_object_get(claude->tasks, id) != NULL)
        return;
    json_object_set_new(claude->tasks, id,
                        json_pack("{so sb}", "name", json_string_or_null(what), "behind", 0));
    observe(observer,
            &(struct observation){.kind = OBSERVED_SUBAGENT, .id = id, .parent = parent, .name = what});
}

static void task_over(struct claude *claude, const char *id, const char *parent, bool behind,
                      const struct observer *observer)
{
    json_t *task = json_object_get(claude->tasks, id);

    if (task == NULL || json_is_true(json_object_get(task, "behind")) != behind)
        return;
    observe(observer, &(struct observation){.kind = OBSERVED_SUBAGENT,
                                            .id = id,
                                            .parent = parent,
                                            .name = text_of(task, "name"),
                                            .ended = true});
    (void)json_object_del(claude->tasks, id);
}

/* Subagents in the background go on after their tool has its result. */
void claude_task(struct claude *claude, const char *subtype, const json_t *message,
                 const struct observer *observer)
{
    const char *id = json_member_string(message, "tool_use_id", word(message, "task_id"));

    if (strcmp(subtype, "task_started") == 0) {
        if (strstr(word(message, "task_type"), "agent") != NULL)
            task_begun(claude, id, NULL, text_of(message, "description"), observer);
        if (json_is_true(json_object_get(message, "is_backgrounded")) &&
            json_object_get(claude->tasks, id) != NULL)
            json_object_set_new(json_object_get(claude->tasks, id), "behind", json_true());
    } else if (strcmp(subtype, "task_notification") == 0) {
        task_over(claude, id, NULL, true, observer);
    }
}

static bool is_subagent(const char *name)
{
    return strcmp(name, "Task") == 0 || strcmp(name, "Agent") == 0;
}

static const char *subagent_words(const json_t *input)
{
    return json_member_string(input, "description", word(input, "subagent_type"));
}

static void tool_call(struct claude *claude, const char *parent, const json_t *block, bool server,
                      const struct observer *observer)
{
    const json_t *input = json_object_get(block, "input");
    const char *id = word(block, "id"), *name = word(block, "name");
    struct buffer line;

    if (json_object_get(claude->tools, id) != NULL)
        return;
    buffer_init(&line);
    buffer_append_string(&line, "");
    if (is_subagent(name))
        tool_line_append_text(&line, subagent_words(input), TOOL_LINE_MAX);
    else
        tool_line_append(&line, input);
    if (!server && json_object_size(claude->tools) < TOOLS_MAX)
        json_object_set_new(claude->tools, id,
                            json_pack("{so so}", "name", json_string_or_null(name), "line",
                                      json_string_or_null(line.bytes == NULL ? "" : line.bytes)));
    observe(observer, &(struct observation){.kind = OBSERVED_TOOL_CALL,
                                            .id = id,
                                            .parent = parent,
                                            .name = name,
                                            .text = line.length == 0 ? NULL : line.bytes,
                                            .input = input,
                                            .server = server});
    if (strcmp(name, "TodoWrite") == 0)
        todo(parent, json_object_get(input, "todos"), observer);
    if (is_subagent(name))
        task_begun(claude, id, parent, subagent_words(input), observer);
    buffer_finish(&line);
    if (parent == NULL && !server)
        claude_tell_phase(claude, observer);
}

void claude_append_content(struct buffer *out, const json_t *content)
{
    const json_t *item;
    size_t index;

    if (json_is_string(content))
        buffer_append(out, json_string_value(content), json_string_length(content));
    json_array_foreach(content, index, item)
    {
        const char *text = text_of(item, "text"), *type = word(item, "type");
        if (out->length > 0)
            buffer_append_char(out, '\n');
        if (text != NULL)
            buffer_append_string(out, text);
        else if (text_of(item, "title") != NULL)
            buffer_printf(out, "%s  %s", word(item, "title"), word(item, "url"));
        else
            buffer_printf(out, "[%s]", *type == '\0' ? "something" : type);
    }
}

static void append_part(struct buffer *out, const char *label, const char *text)
{
    if (text != NULL && *text != '\0')
        buffer_printf(out, "%s%s%s", out->length > 0 ? "\n" : "", label, text);
}

/* What a tool of the vendor's own brought: a list of hits, or an object with an output or an error. */
static void append_server_result(struct buffer *out, const json_t *content)
{
    if (!json_is_object(content)) {
        claude_append_content(out, content);
        return;
    }
    append_part(out, "", text_of(content, "stdout"));
    append_part(out, "", text_of(content, "stderr"));
    append_part(out, "error: ", text_of(content, "error_code"));
    if (json_is_array(json_object_get(content, "content")))
        claude_append_content(out, json_object_get(content, "content"));
    if (out->length == 0)
        json_append_value(out, content);
}

static void server_result(const char *parent, const json_t *block, const struct observer *observer)
{
    const json_t *content = json_object_get(block, "content");
    struct buffer text;
    bool failed =
        text_of(content, "error_code") != NULL || json_member_integer(content, "return_code", 0) != 0;

    buffer_init(&text);
    append_server_result(&text, content);
    observe(observer, &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                            .id = text_of(block, "tool_use_id"),
                                            .parent = parent,
                                            .text = text.bytes,
                                            .failed = failed,
                                            .server = true});
    buffer_finish(&text);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void unknown_content(struct claude *claude, const char *type, const struct observer *observer)
{
    char kind[80];

    (void)snprintf(kind, sizeof kind, "content %.60s", type);
    stream_turn_unknown(&claude->turn, observer, kind);
}

void claude_content(struct claude *claude, const char *parent, const json_t *block, bool shown,
                    const struct observer *observer)
{
    const char *type = word(block, "type");
    struct observation said = {.parent = parent, .whole = true};

    if (strcmp(type, "text") == 0 || strcmp(type, "thinking") == 0) {
        said.kind = *type == 't' && type[1] == 'e' ? OBSERVED_TEXT : OBSERVED_THINKING;
        said.text = text_of(block, type);
        if (!shown && said.text != NULL && *said.text != '\0')
            observe(observer, &said);
    } else if (strcmp(type, "redacted_thinking") == 0) {
        said.kind = OBSERVED_THINKING;
        said.text = "(thinking that the vendor does not show)";
        observe(observer, &said);
    } else if (strcmp(type, "tool_use") == 0 || ends_with(type, "_tool_use")) {
        tool_call(claude, parent, block, strcmp(type, "tool_use") != 0, observer);
    } else if (ends_with(type, "_tool_result")) {
        server_result(parent, block, observer);
    } else {
        unknown_content(claude, type, observer);
    }
}

/* ---- results of tools ---- */

static void tool_result(struct claude *claude, const json_t *message, const char *parent, const json_t *block,
                        const struct observer *observer)
{
    const char *id = word(block, "tool_use_id");
    bool failed = json_is_true(json_object_get(block, "is_error"));
    struct buffer text;

    if (!failed)
        claude_tell_file(id, parent, json_object_get(message, "tool_use_result"), observer);
    buffer_init(&text);
    claude_append_content(&text, json_object_get(block, "content"));
    claude_tool_settled(claude, id, observer);
    task_over(claude, id, parent, false, observer);
    (void)json_object_del(claude->tools, id);
    observe(observer, &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                            .id = id,
                                            .parent = parent,
                                            .text = text.bytes == NULL ? "" : text.bytes,
                                            .failed = failed});
    buffer_finish(&text);
}

void claude_results(struct claude *claude, const json_t *message, const struct observer *observer)
{
    const json_t *blocks = json_object_get(json_object_get(message, "message"), "content"), *block;
    const char *parent = text_of(message, "parent_tool_use_id");
    bool settled = false;
    size_t index;

    json_array_foreach(blocks, index, block)
    {
        if (!ends_with(word(block, "type"), "tool_result"))
            continue;
        tool_result(claude, message, parent, block, observer);
        settled = true;
    }
    if (settled && parent == NULL)
        claude_tell_phase(claude, observer);
}
