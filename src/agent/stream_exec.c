#include "agent/stream_exec.h"

#include <stdlib.h>
#include <string.h>

#include "agent/error_class.h"
#include "agent/tool_line.h"
#include "base/json.h"
#include "base/memory.h"

void stream_exec_init(struct stream_exec *exec, enum stream_exec_dialect dialect)
{
    *exec = (struct stream_exec){.dialect = dialect};
}

void stream_exec_finish(struct stream_exec *exec)
{
    free(exec->session_id);
}

/* What every handler gets. */
struct message {
    struct stream_exec *exec;
    struct stream_turn *turn;
    const json_t *json;
    const struct observer *observer;
};

static const char *member(const struct message *message, const char *name)
{
    return json_member_string(message->json, name, NULL);
}

/* The turn begins with the first thing that is said: nothing announces it. */
static void speak(const struct message *message, enum phase phase)
{
    stream_turn_begin(message->turn, message->observer, NULL);
    stream_turn_phase(message->turn, message->observer, phase, NULL);
}

static void tell_session(const struct message *message, const char *id, const char *model)
{
    struct stream_exec *exec = message->exec;

    if (id == NULL || (exec->session_id != NULL && strcmp(exec->session_id, id) == 0))
        return;
    free(exec->session_id);
    exec->session_id = xstrdup(id);
    message->observer->observe(
        message->observer->argument,
        &(struct observation){.kind = OBSERVED_SESSION, .id = exec->session_id, .name = model});
}

static void say(const struct message *message, enum observation_kind kind, const char *text, bool whole)
{
    if (text == NULL || *text == '\0')
        return;
    message->observer->observe(message->observer->argument,
                               &(struct observation){.kind = kind, .text = text, .whole = whole});
}

struct tool {
    const char *id, *name, *title, *output;
    const json_t *input;
    bool failed;
};

static void tell_call(const struct message *message, const struct tool *tool)
{
    json_t *empty = json_object();
    struct buffer line;

    buffer_init(&line);
    buffer_append(&line, "", 0);
    tool_line_append(&line, tool->input);
    stream_turn_begin(message->turn, message->observer, NULL);
    message->observer->observe(message->observer->argument,
                               &(struct observation){.kind = OBSERVED_TOOL_CALL,
                                                     .id = tool->id,
                                                     .name = tool->name,
                                                     .text = tool->title,
                                                     .input = tool->input != NULL ? tool->input : empty});
    stream_turn_tool_phase(message->turn, message->observer, tool->name, line.bytes);
    buffer_finish(&line);
    json_decref(empty);
}

static void tell_result(const struct message *message, const struct tool *tool)
{
    message->observer->observe(message->observer->argument,
                               &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                                     .id = tool->id,
                                                     .name = tool->name,
                                                     .text = tool->output,
                                                     .failed = tool->failed});
    speak(message, PHASE_CONNECTING);
}

/* ---- Gemini CLI: -o stream-json ---- */

static void gemini_init(const struct message *message)
{
    tell_session(message, member(message, "session_id"), member(message, "model"));
}

static void gemini_text(const struct message *message)
{
    const char *text = member(message, "content");

    if (strcmp(json_member_string(message->json, "role", ""), "user") == 0) {
        stream_turn_begin(message->turn, message->observer, text);
    } else if (text != NULL) {
        speak(message, PHASE_STREAMING);
        say(message, OBSERVED_TEXT, text, !json_is_true(json_object_get(message->json, "delta")));
    }
}

static void gemini_tool(const struct message *message)
{
    const json_t *input = json_object_get(message->json, "parameters");

    tell_call(message, &(struct tool){.id = member(message, "tool_id"),
                                      .name = json_member_string(message->json, "tool_name", "tool"),
                                      .input = json_is_object(input) ? input : NULL});
}

static void gemini_result(const struct message *message)
{
    const char *error = json_member_string(json_object_get(message->json, "error"), "message", NULL);

    tell_result(message, &(struct tool){.id = member(message, "tool_id"),
                                        .output = json_member_string(message->json, "output", error),
                                        .failed = strcmp(json_member_string(message->json, "status", ""),
                                                         "success") != 0});
}

static void gemini_error(const struct message *message)
{
    const char *text = json_member_string(message->json, "message", "");

    if (strcmp(json_member_string(message->json, "severity", "error"), "error") == 0)
        stream_turn_error(message->turn, message->observer, NULL, NULL, text);
    else
        stream_turn_say(message->observer, OBSERVED_NOTE, "warning", text);
}

static void gemini_end(const struct message *message)
{
    const json_t *stats = json_object_get(message->json, "stats"),
                 *error = json_object_get(message->json, "error");
    const char *text = json_member_string(error, "message", NULL);
    bool failed = strcmp(json_member_string(message->json, "status", "success"), "success") != 0;
    int64_t cached = json_member_integer(stats, "cached", -1);
    int64_t input = json_member_integer(stats, "input_tokens", -1);
    char *plain;

    message->turn->usage.output_tokens = json_member_integer(stats, "output_tokens", -1);
    message->turn->usage.cache_read_tokens = cached;
    message->turn->usage.input_tokens = input >= cached && cached > 0 ? input - cached : input;
    plain = text != NULL ? error_plain_text(text) : NULL;
    if (failed && plain != NULL)
        stream_turn_error(message->turn, message->observer, NULL, member(message, "status"), plain);
    stream_turn_end(message->turn, message->observer, failed ? "failed" : "completed", plain);
    free(plain);
}

/* ---- opencode: run --format json ---- */

static const json_t *part_of(const struct message *message)
{
    return json_object_get(message->json, "part");
}

static void opencode_step(const struct message *message)
{
    stream_turn_begin(message->turn, message->observer, NULL);
}

static void opencode_text(const struct message *message)
{
    speak(message, PHASE_STREAMING);
    say(message, OBSERVED_TEXT, json_member_string(part_of(message), "text", NULL), true);
}

static void opencode_reasoning(const struct message *message)
{
    speak(message, PHASE_THINKING);
    say(message, OBSERVED_THINKING, json_member_string(part_of(message), "text", NULL), true);
}

/* A call is told when it is over. */
static void opencode_tool(const struct message *message)
{
    const json_t *part = part_of(message), *state = json_object_get(part, "state");
    const json_t *input = json_object_get(state, "input");
    const char *title = json_member_string(state, "title", NULL);
    struct tool tool = {.id = json_member_string(part, "callID", NULL),
                        .name = json_member_string(part, "tool", "tool"),
                        .title = title != NULL && *title != '\0' ? title : NULL,
                        .output =
                            json_member_string(state, "output", json_member_string(state, "error", NULL)),
                        .input = json_is_object(input) ? input : NULL,
                        .failed = strcmp(json_member_string(state, "status", ""), "error") == 0};

    tell_call(message, &tool);
    stream_turn_todo(message->observer, json_object_get(input, "todos"));
    tell_result(message, &tool);
}

static void add(int64_t *total, int64_t more)
{
    *total = (*total > 0 ? *total : 0) + (more > 0 ? more : 0);
}

static void opencode_finish(const struct message *message)
{
    const json_t *part = part_of(message), *tokens = json_object_get(part, "tokens");
    const json_t *cache = json_object_get(tokens, "cache");
    const char *reason = json_member_string(part, "reason", "");
    double cost = json_member_number(part, "cost", -1);
    struct observed_usage *usage = &message->turn->usage;

    add(&usage->input_tokens, json_member_integer(tokens, "input", 0));
    add(&usage->output_tokens, json_member_integer(tokens, "output", 0));
    add(&usage->cache_read_tokens, json_member_integer(cache, "read", 0));
    add(&usage->cache_write_tokens, json_member_integer(cache, "write", 0));
    if (cost >= 0)
        usage->cost_usd = (usage->cost_usd > 0 ? usage->cost_usd : 0) + cost;
    if (strcmp(reason, "stop") == 0)
        stream_turn_end(message->turn, message->observer, "completed", NULL);
    else if (message->turn->running)
        stream_turn_phase(message->turn, message->observer, PHASE_CONNECTING, NULL);
}

static const struct {
    const char *name, *class;
} opencode_errors[] = {
    {"ProviderAuthError", "authentication"},        {"MessageAbortedError", "cancelled"},
    {"MessageOutputLengthError", "context_window"}, {"ContextOverflowError", "context_window"},
    {"ContentFilterError", "invalid_request"},      {"StructuredOutputError", "invalid_request"},
};

static void opencode_error(const struct message *message)
{
    const json_t *error = json_object_get(message->json, "error"), *details = json_object_get(error, "data");
    const char *name = json_member_string(error, "name", "error");
    const char *text = json_member_string(details, "message", json_member_string(error, "message", name));
    const char *class = error_class_of_status((int)json_member_integer(details, "statusCode", 0));

    for (size_t i = 0; i < sizeof opencode_errors / sizeof opencode_errors[0]; i++) {
        if (strcmp(opencode_errors[i].name, name) == 0)
            class = opencode_errors[i].class;
    }
    stream_turn_begin(message->turn, message->observer, NULL);
    stream_turn_error(message->turn, message->observer, class, name, text);
    stream_turn_end(message->turn, message->observer,
                    class != NULL && strcmp(class, "cancelled") == 0 ? "cancelled" : "failed", text);
}

/* ---- both ---- */

static const struct {
    enum stream_exec_dialect dialect;
    const char *type;
    void (*take)(const struct message *message);
} types[] = {
    {STREAM_EXEC_GEMINI, "init", gemini_init},
    {STREAM_EXEC_GEMINI, "message", gemini_text},
    {STREAM_EXEC_GEMINI, "tool_use", gemini_tool},
    {STREAM_EXEC_GEMINI, "tool_result", gemini_result},
    {STREAM_EXEC_GEMINI, "error", gemini_error},
    {STREAM_EXEC_GEMINI, "result", gemini_end},
    {STREAM_EXEC_OPENCODE, "step_start", opencode_step},
    {STREAM_EXEC_OPENCODE, "text", opencode_text},
    {STREAM_EXEC_OPENCODE, "reasoning", opencode_reasoning},
    {STREAM_EXEC_OPENCODE, "tool_use", opencode_tool},
    {STREAM_EXEC_OPENCODE, "step_finish", opencode_finish},
    {STREAM_EXEC_OPENCODE, "error", opencode_error},
};

bool stream_exec_message(struct stream_exec *exec, struct stream_turn *turn, const json_t *json,
                         const struct observer *observer)
{
    const char *type = json_member_string(json, "type", NULL);
    struct message message = {.exec = exec, .turn = turn, .json = json, .observer = observer};

    if (type == NULL)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].dialect != exec->dialect || strcmp(types[i].type, type) != 0)
            continue;
        exec->spoken = true;
        if (exec->dialect == STREAM_EXEC_OPENCODE)
            tell_session(&message, member(&message, "sessionID"), NULL);
        types[i].take(&message);
        return true;
    }
    stream_turn_unknown(turn, observer, type);
    return true;
}
