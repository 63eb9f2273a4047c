/* Payloads of Claude Code's hooks, as of 2.1.329. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/claude_words.h"
#include "agent/driver.h"
#include "agent/hook_calls.h"
#include "agent/limit_words.h"
#include "agent/tool_line.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

#define SUBAGENTS_MAX 256

struct claude_hooks {
    struct hook_conversation conversation; /* first, for hook_conversation_knows */
    struct hook_calls calls;
    json_t *subagents;       /* id: type, of those that run */
    char ended[HOOK_ID_MAX]; /* prompt whose turn is over: what still comes of it is late */
    bool running;            /* a turn */
    bool began;              /* a beginning or an end was seen: all that is asked is in `calls` */
    const char *event;       /* name of the hook that is being taken */
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
    struct claude_hooks *hooks = xcalloc(1, sizeof *hooks);

    hook_calls_init(&hooks->calls);
    hooks->subagents = json_object();
    return hooks;
}

static void destroy(void *state)
{
    struct claude_hooks *hooks = state;

    hook_calls_finish(&hooks->calls);
    json_decref(hooks->subagents);
    free(hooks);
}

/* ---- phases ---- */

static void tell_phase(struct claude_hooks *hooks, const struct observer *observer)
{
    const char *tool = hook_calls_running(&hooks->calls);
    size_t subagents = json_object_size(hooks->subagents);
    char detail[64];

    if (hook_calls_asking(&hooks->calls)) {
        hook_tell_phase(observer, PHASE_APPROVAL, hooks->event);
    } else if (hooks->running && tool != NULL) {
        hook_tell_phase(observer, PHASE_TOOL, tool);
    } else if (hooks->running) {
        hook_tell_phase(observer, PHASE_CONNECTING, hooks->event);
    } else if (subagents > 0) {
        (void)snprintf(detail, sizeof detail, "%zu subagent%s", subagents, subagents == 1 ? "" : "s");
        hook_tell_phase(observer, PHASE_THINKING, detail);
    } else {
        hook_tell_phase(observer, PHASE_IDLE, hooks->event);
    }
}

/* Nothing that the main loop asked is still asked. */
static void forget_requests(struct claude_hooks *hooks, const struct observer *observer)
{
    hook_calls_clear(&hooks->calls, "", observer);
    if (!hooks->began)
        observe(observer, &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .outcome = "gone"});
    hooks->began = true;
}

/* Hooks are processes of their own: one may report after the end of the turn to which it belongs. */
static bool is_late(const struct claude_hooks *hooks, const json_t *payload)
{
    const char *prompt = word(payload, "prompt_id");

    return *prompt != '\0' && text_of(payload, "agent_id") == NULL && strcmp(prompt, hooks->ended) == 0;
}

/* ---- sessions and turns ---- */

static void session_start(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    observe(observer, &(struct observation){.kind = OBSERVED_SESSION,
                                            .id = text_of(payload, "session_id"),
                                            .name = text_of(payload, "model")});
    /* Within a turn the context was compacted. */
    if (strcmp(word(payload, "source"), "compact") == 0)
        return;
    hooks->running = false;
    json_object_clear(hooks->subagents);
    hook_calls_clear(&hooks->calls, NULL, observer);
    hooks->began = true;
    tell_phase(hooks, observer);
}

static void session_end(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    (void)payload;
    (void)observer;
    hooks->conversation.ended = true;
}

static void prompt_submitted(struct claude_hooks *hooks, const json_t *payload,
                             const struct observer *observer)
{
    const char *prompt = text_of(payload, "prompt");

    /* After an interrupt nothing says what became of the calls. */
    forget_requests(hooks, observer);
    hooks->running = true;
    hooks->ended[0] = '\0';
    /* Claude's own words, with which it takes up what a task in the background has done. */
    if (prompt != NULL && strncmp(prompt, "<task-notification>", 19) == 0)
        prompt = NULL;
    observe(observer, &(struct observation){.kind = OBSERVED_TURN_STARTED, .text = prompt});
    tell_phase(hooks, observer);
}

/* Subagents that work on are told; a server or a watch in the background keeps nobody waiting. */
static void note_background(struct claude_hooks *hooks, const json_t *tasks)
{
    const json_t *task;
    size_t index;

    json_object_clear(hooks->subagents);
    json_array_foreach(tasks, index, task)
    {
        const char *type = word(task, "type");
        bool works = strcmp(type, "subagent") == 0 || strcmp(type, "workflow") == 0;
        if (works && strcmp(word(task, "status"), "running") == 0 && index < SUBAGENTS_MAX)
            json_object_set_new(hooks->subagents, word(task, "id"),
                                json_string_or_null(word(task, "agent_type")));
    }
}

static void turn_over(struct claude_hooks *hooks, const json_t *payload, const char *outcome, const char *why,
                      const struct observer *observer)
{
    forget_requests(hooks, observer);
    hooks->running = false;
    (void)snprintf(hooks->ended, sizeof hooks->ended, "%s", word(payload, "prompt_id"));
    if (json_object_size(hooks->subagents) == 0)
        observe(observer,
                &(struct observation){.kind = OBSERVED_TURN_ENDED, .outcome = outcome, .text = why});
    tell_phase(hooks, observer);
}

static void stopped(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const char *text = text_of(payload, "last_assistant_message");

    if (text != NULL && *text != '\0')
        observe(observer, &(struct observation){.kind = OBSERVED_TEXT, .text = text, .whole = true});
    if (json_is_array(json_object_get(payload, "background_tasks")))
        note_background(hooks, json_object_get(payload, "background_tasks"));
    turn_over(hooks, payload, "completed", NULL, observer);
}

/* The subscription's limit names its window and reset; other refusals with status 429 name neither. */
static void tell_limit(const char *text, const struct observer *observer)
{
    const char *window = limit_window_in_text(text);
    int64_t until = limit_reset_in_text(text, clock_realtime_ms());

    if (window != NULL || until != 0)
        observe(observer, &(struct observation){.kind = OBSERVED_LIMIT,
                                                .name = window,
                                                .text = text,
                                                .until_ms = until,
                                                .percent = -1,
                                                .failed = true});
}

static void stop_failed(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const char *error = word(payload, "error"), *text = text_of(payload, "last_assistant_message");
    const char *class;

    if (text == NULL)
        text = json_member_string(payload, "error_details", error);
    class = claude_error_class_in(error, text);
    if (class != NULL && strcmp(class, "rate_limit") == 0)
        tell_limit(text, observer);
    observe(observer,
            &(struct observation){.kind = OBSERVED_ERROR, .name = class, .outcome = error, .text = text});
    json_object_clear(hooks->subagents);
    turn_over(hooks, payload, "failed", text, observer);
}

/* ---- tools ---- */

static void tool_called(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const char *parent = text_of(payload, "agent_id"), *name = word(payload, "tool_name");
    const json_t *input = json_object_get(payload, "tool_input");
    struct buffer line;

    hook_calls_add(&hooks->calls, word(payload, "tool_use_id"), name, input, parent);
    buffer_init(&line);
    tool_line_append(&line, input);
    observe(observer, &(struct observation){.kind = OBSERVED_TOOL_CALL,
                                            .id = text_of(payload, "tool_use_id"),
                                            .parent = parent,
                                            .name = name,
                                            .text = line.bytes,
                                            .input = input});
    buffer_finish(&line);
    if (parent == NULL) {
        hooks->running = true;
        tell_phase(hooks, observer);
    }
}

static void tool_finished(struct claude_hooks *hooks, const json_t *payload, bool failed, const char *outcome,
                          const struct observer *observer)
{
    const json_t *result = json_object_get(payload, failed ? "error" : "tool_response");
    const char *parent = text_of(payload, "agent_id");
    char id[HOOK_ID_MAX];
    struct buffer text;
    bool asked = hook_calls_asking(&hooks->calls);

    if (parent == NULL)
        hooks->running = true;
    hook_calls_settle(&hooks->calls, payload, outcome, observer, id);
    buffer_init(&text);
    hook_append_result(&text, result);
    observe(observer, &(struct observation){.kind = OBSERVED_TOOL_RESULT,
                                            .id = id,
                                            .parent = parent,
                                            .text = text.bytes == NULL ? "" : text.bytes,
                                            .failed = failed});
    buffer_finish(&text);
    if (!failed)
        claude_tell_file(id, parent, result, observer);
    if (parent == NULL || asked)
        tell_phase(hooks, observer);
}

static void tool_done(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    bool answer = strcmp(word(payload, "tool_name"), "AskUserQuestion") == 0;

    tool_finished(hooks, payload, false, answer ? "answered" : "approved", observer);
}

static void tool_failed(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    bool interrupted = json_is_true(json_object_get(payload, "is_interrupt"));

    tool_finished(hooks, payload, true, interrupted ? "gone" : "approved", observer);
}

static void tool_denied(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    tool_finished(hooks, payload, true, "denied", observer);
}

/* ---- requests ---- */

static json_t *append_questions(struct buffer *out, const json_t *input)
{
    const json_t *questions = json_object_get(input, "questions"), *question;
    size_t index;

    json_array_foreach(questions, index, question)
    {
        if (index > 0)
            buffer_append_string(out, "\n\n");
        claude_append_question(out, question);
    }
    /* The dialog shows one question after another. */
    return claude_question_choices(json_array_get(questions, 0));
}

static void asked(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const json_t *input = json_object_get(payload, "tool_input");
    const char *tool = word(payload, "tool_name"), *plan = text_of(input, "plan");
    struct observation told = {.kind = OBSERVED_APPROVAL,
                               .parent = text_of(payload, "agent_id"),
                               .name = tool,
                               .request = "permission",
                               .input = input};
    char id[HOOK_ID_MAX];
    struct buffer text;
    json_t *choices = NULL;

    if (told.parent == NULL)
        hooks->running = true;
    hook_calls_ask(&hooks->calls, tool, input, told.parent, id);
    buffer_init(&text);
    if (strcmp(tool, "AskUserQuestion") == 0) {
        told.request = "question";
        choices = append_questions(&text, input);
    } else if (strcmp(tool, "ExitPlanMode") == 0 && plan != NULL) {
        told.request = "plan";
        buffer_append_string(&text, plan);
    } else {
        hook_append_request(&text, tool, input);
    }
    told.id = id;
    told.text = text.bytes == NULL ? tool : text.bytes;
    told.choices = choices;
    observe(observer, &told);
    tell_phase(hooks, observer);
    json_decref(choices);
    buffer_finish(&text);
}

/* An MCP server asks the person for something. */
static void elicited(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const char *server = json_member_string(payload, "mcp_server_name", "MCP"),
               *message = word(payload, "message");
    char id[HOOK_ID_MAX];

    hook_calls_ask(&hooks->calls, "Elicitation", NULL, NULL, id);
    observe(observer, &(struct observation){.kind = OBSERVED_APPROVAL,
                                            .id = id,
                                            .name = server,
                                            .request = "question",
                                            .text = message,
                                            .input = json_object_get(payload, "requested_schema")});
    tell_phase(hooks, observer);
}

static void elicitation_over(struct claude_hooks *hooks, const json_t *payload,
                             const struct observer *observer)
{
    const char *action = word(payload, "action");
    json_t *call = json_pack("{ss}", "tool_name", "Elicitation");
    char id[HOOK_ID_MAX];

    hook_calls_settle(&hooks->calls, call, strcmp(action, "accept") == 0 ? "answered" : "denied", observer,
                      id);
    json_decref(call);
    tell_phase(hooks, observer);
}

/* ---- the rest ---- */

static void notified(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    const char *type = word(payload, "notification_type"), *message = text_of(payload, "message");

    if (strcmp(type, "permission_prompt") == 0 || strcmp(type, "elicitation_dialog") == 0)
        hook_tell_phase(observer, PHASE_APPROVAL, message);
    else if (strcmp(type, "idle_prompt") == 0 && hooks->running)
        turn_over(hooks, payload, "cancelled", NULL, observer); /* an interrupt has no hook */
    else if (strcmp(type, "idle_prompt") != 0)
        observe(observer, &(struct observation){.kind = OBSERVED_NOTE, .name = type, .text = message});
}

static void subagent_started(struct claude_hooks *hooks, const json_t *payload,
                             const struct observer *observer)
{
    const char *id = word(payload, "agent_id"), *type = text_of(payload, "agent_type");

    if (json_object_size(hooks->subagents) < SUBAGENTS_MAX)
        json_object_set_new(hooks->subagents, id, json_string_or_null(type));
    observe(observer, &(struct observation){.kind = OBSERVED_SUBAGENT, .id = id, .name = type});
}

static void subagent_stopped(struct claude_hooks *hooks, const json_t *payload,
                             const struct observer *observer)
{
    const char *id = word(payload, "agent_id");

    (void)json_object_del(hooks->subagents, id);
    hook_calls_clear(&hooks->calls, id, observer);
    observe(observer, &(struct observation){.kind = OBSERVED_SUBAGENT,
                                            .id = id,
                                            .name = text_of(payload, "agent_type"),
                                            .text = text_of(payload, "last_assistant_message"),
                                            .ended = true});
    /* What it did is taken up at once, in another turn. */
    if (hooks->running)
        tell_phase(hooks, observer);
}

static void compacting(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    (void)hooks;
    observe(observer, &(struct observation){.kind = OBSERVED_NOTE,
                                            .name = "compact",
                                            .text = strcmp(word(payload, "trigger"), "auto") == 0
                                                        ? "the context is full and is compacted"
                                                        : "the context is compacted"});
}

static void nothing(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer)
{
    (void)hooks;
    (void)payload;
    (void)observer;
}

static const struct {
    const char *name;
    void (*take)(struct claude_hooks *hooks, const json_t *payload, const struct observer *observer);
    bool late; /* taken after the end of its turn as well */
} events[] = {
    {"SessionStart", session_start, true},
    {"SessionEnd", session_end, true},
    {"UserPromptSubmit", prompt_submitted, true},
    {"PreToolUse", tool_called, false},
    {"PostToolUse", tool_done, false},
    {"PostToolUseFailure", tool_failed, false},
    {"PermissionRequest", asked, false},
    {"PermissionDenied", tool_denied, false},
    {"Notification", notified, false},
    {"Stop", stopped, true},
    {"StopFailure", stop_failed, true},
    {"SubagentStart", subagent_started, true},
    {"SubagentStop", subagent_stopped, true},
    {"PreCompact", compacting, true},
    {"PostCompact", nothing, true},
    {"MessageDisplay", nothing, true},
    {"PostToolBatch", nothing, true},
    {"Elicitation", elicited, false},
    {"ElicitationResult", elicitation_over, false},
};

static void message(void *state, const json_t *payload, const struct observer *observer)
{
    struct claude_hooks *hooks = state;
    const char *name = word(payload, "hook_event_name");

    if (strcmp(name, "SessionStart") == 0 ? !hook_conversation_begin(&hooks->conversation, payload)
                                          : !hook_conversation_has(&hooks->conversation, payload))
        return;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i].name, name) != 0)
            continue;
        hooks->event = events[i].name;
        if (events[i].late || !is_late(hooks, payload))
            events[i].take(hooks, payload, observer);
        return;
    }
    if (!hooks->told_unknown)
        observe(observer, &(struct observation){.kind = OBSERVED_UNKNOWN, .text = name});
    hooks->told_unknown = true;
}

const struct agent_channel claude_hooks = {.create = create, .destroy = destroy, .message = message};
