/*
 * Payloads of Gemini CLI's hooks, as of 0.61. It waits for each hook, so they come in order; calls have no ids. ganger does
 * not ask for them: Gemini would take them only from settings in a path that is root's alone, and it shows "Executing Hook"
 * in the place of its own words for 3 s at each. A person may put `ganger hook gemini` into the settings; else the
 * conversation's file tells the most of it (transcript_gemini.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "agent/hook_calls.h"
#include "agent/tool_line.h"
#include "base/json.h"
#include "base/memory.h"

struct gemini_hooks {
    struct hook_conversation conversation; /* first, for hook_conversation_knows */
    struct hook_calls calls;
    unsigned called;   /* tools, so far */
    bool running;      /* a turn */
    const char *event; /* name of the hook that is being taken */
    bool told_unknown;
};

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

static void observe(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

static void *create(void)
{
    struct gemini_hooks *hooks = xcalloc(1, sizeof *hooks);

    hook_calls_init(&hooks->calls);
    return hooks;
}

static void destroy(void *state)
{
    struct gemini_hooks *hooks = state;

    hook_calls_finish(&hooks->calls);
    free(hooks);
}

static void tell_phase(struct gemini_hooks *hooks, const struct observer *observer)
{
    const char *tool = hook_calls_running(&hooks->calls);

    if (hook_calls_asking(&hooks->calls))
        hook_tell_phase(observer, PHASE_APPROVAL, hooks->event);
    else if (tool != NULL)
        hook_tell_phase(observer, PHASE_TOOL, tool);
    else
        hook_tell_phase(observer, hooks->running ? PHASE_CONNECTING : PHASE_IDLE, hooks->event);
}

/* ---- sessions and turns ---- */

static void session_start(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    observe(observer, &(struct observation){.kind = OBSERVED_SESSION, .id = text_of(payload, "session_id")});
    hooks->running = false;
    hook_calls_clear(&hooks->calls, NULL, observer);
    tell_phase(hooks, observer);
}

static void session_end(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    (void)payload;
    (void)observer;
    hooks->conversation.ended = true;
}

static void before_agent(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    /* After an interrupt nothing says what became of the calls. */
    hook_calls_clear(&hooks->calls, NULL, observer);
    hooks->running = true;
    observe(observer,
            &(struct observation){.kind = OBSERVED_TURN_STARTED, .text = text_of(payload, "prompt")});
    tell_phase(hooks, observer);
}

static void after_agent(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    (void)payload;
    hook_calls_clear(&hooks->calls, NULL, observer);
    hooks->running = false;
    observe(observer, &(struct observation){.kind = OBSERVED_TURN_ENDED, .outcome = "completed"});
    tell_phase(hooks, observer);
}

/* ---- tools ---- */

static void before_tool(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const json_t *input = json_object_get(payload, "tool_input");
    const char *name = word(payload, "tool_name");
    char id[HOOK_ID_MAX];
    struct buffer line;

    (void)snprintf(id, sizeof id, "tool-%u", ++hooks->called);
    hooks->running = true;
    hook_calls_add(&hooks->calls, id, name, input, NULL);
    buffer_init(&line);
    tool_line_append(&line, input);
    observe(observer,
            &(struct observation){
                .kind = OBSERVED_TOOL_CALL, .id = id, .name = name, .text = line.bytes, .input = input});
    buffer_finish(&line);
    tell_phase(hooks, observer);
}

static void tell_file(const char *id, const json_t *payload, const struct observer *observer)
{
    const json_t *shown = json_object_get(json_object_get(payload, "tool_response"), "returnDisplay");
    const char *diff = text_of(shown, "fileDiff");
    const char *path =
        json_member_string(shown, "filePath", text_of(json_object_get(payload, "tool_input"), "file_path"));
    bool created = json_is_null(json_object_get(shown, "originalContent")) ||
                   json_is_true(json_object_get(shown, "isNewFile"));
    json_t *input;

    if (diff == NULL || path == NULL)
        return;
    input = json_pack("{so}", "diff", json_string_or_null(diff));
    observe(observer, &(struct observation){.kind = OBSERVED_FILE,
                                            .id = id,
                                            .text = path,
                                            .outcome = created ? "created" : "modified",
                                            .input = input});
    json_decref(input);
}

/* What a command printed, without the words around it that are for the model. */
static void append_output(struct buffer *out, const json_t *response)
{
    static const char head[] = "<untrusted_context>\n", tail[] = "\n</untrusted_context>";
    const char *text = word(response, "llmContent");
    size_t length = strlen(text);

    if (strncmp(text, head, sizeof head - 1) != 0 || length < sizeof head + sizeof tail ||
        strcmp(text + length - (sizeof tail - 1), tail) != 0) {
        hook_append_result(out, response);
        return;
    }
    buffer_append(out, text + sizeof head - 1, length - (sizeof head - 1) - (sizeof tail - 1));
}

static void after_tool(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const json_t *response = json_object_get(payload, "tool_response");
    bool failed = json_is_object(json_object_get(response, "error"));
    char id[HOOK_ID_MAX];
    struct buffer text;

    hooks->running = true;
    hook_calls_settle(&hooks->calls, payload, "approved", observer, id);
    buffer_init(&text);
    append_output(&text, response);
    observe(observer, &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                            .id = id,
                                            .text = text.bytes == NULL ? "" : text.bytes,
                                            .failed = failed});
    buffer_finish(&text);
    if (!failed)
        tell_file(id, payload, observer);
    tell_phase(hooks, observer);
}

/* ---- requests ---- */

static void append_details(struct buffer *out, const json_t *details, const char *message)
{
    const char *type = word(details, "type");

    if (strcmp(type, "exec") == 0)
        buffer_printf(out, "%s\n", word(details, "command"));
    else if (strcmp(type, "edit") == 0)
        buffer_printf(out, "%s\n%s\n", json_member_string(details, "filePath", word(details, "fileName")),
                      word(details, "fileDiff"));
    else if (strcmp(type, "mcp") == 0)
        buffer_printf(out, "%s of %s\n",
                      json_member_string(details, "toolDisplayName", word(details, "toolName")),
                      word(details, "serverName"));
    else if (strcmp(type, "info") == 0)
        buffer_printf(out, "%s\n", word(details, "prompt"));
    buffer_append_string(out, json_member_string(details, "title", message));
}

static void notified(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const json_t *details = json_object_get(payload, "details"),
                 *command = json_object_get(details, "command");
    const char *kind = word(payload, "notification_type"), *message = word(payload, "message"), *tool;
    bool question = strcmp(word(details, "type"), "ask_user") == 0;
    json_t *members = command == NULL ? NULL : json_pack("{sO}", "command", command);
    char id[HOOK_ID_MAX];
    struct buffer text;

    if (strcmp(kind, "ToolPermission") == 0) {
        hooks->running = true;
        hook_calls_ask(&hooks->calls, NULL, members, NULL, id);
        tool = hook_calls_running(&hooks->calls);
        buffer_init(&text);
        append_details(&text, details, message);
        observe(observer, &(struct observation){.kind = OBSERVED_APPROVAL,
                                                .id = id,
                                                .name = tool,
                                                .request = question ? "question" : "permission",
                                                .text = text.bytes,
                                                .input = details});
        buffer_finish(&text);
        tell_phase(hooks, observer);
    } else {
        observe(observer, &(struct observation){.kind = OBSERVED_NOTE, .name = kind, .text = message});
    }
    json_decref(members);
}

static const struct {
    const char *name;
    void (*take)(struct gemini_hooks *hooks, const json_t *payload, const struct observer *observer);
} events[] = {
    {"SessionStart", session_start}, {"SessionEnd", session_end}, {"BeforeAgent", before_agent},
    {"AfterAgent", after_agent},     {"BeforeTool", before_tool}, {"AfterTool", after_tool},
    {"Notification", notified},
};

static void message(void *state, const json_t *payload, const struct observer *observer)
{
    struct gemini_hooks *hooks = state;
    const char *name = word(payload, "hook_event_name");

    if (strcmp(name, "SessionStart") == 0 ? !hook_conversation_begin(&hooks->conversation, payload)
                                          : !hook_conversation_has(&hooks->conversation, payload))
        return;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i].name, name) != 0)
            continue;
        hooks->event = events[i].name;
        events[i].take(hooks, payload, observer);
        return;
    }
    if (!hooks->told_unknown)
        observe(observer, &(struct observation){.kind = OBSERVED_UNKNOWN, .text = name});
    hooks->told_unknown = true;
}

const struct agent_channel gemini_hooks = {.create = create, .destroy = destroy, .message = message};
