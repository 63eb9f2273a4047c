/*
 * Payloads of Codex' hooks. They say what a person is asked, which the record of the conversation (rollout_codex.c) does
 * not; of what both say, turns and tools, only the record is told, so that nothing is told twice.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "agent/hook_calls.h"
#include "base/json.h"
#include "base/memory.h"

struct codex {
    struct hook_conversation conversation; /* first: others look at it */
    struct hook_calls calls;
    char model[80];
};

static void *create(void)
{
    struct codex *state = xcalloc(1, sizeof *state);

    hook_calls_init(&state->calls);
    return state;
}

static void destroy(void *argument)
{
    struct codex *state = argument;

    if (state == NULL)
        return;
    hook_calls_finish(&state->calls);
    free(state);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

static void tell(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

/* After something was answered. */
static void tell_phase(const struct codex *state, const struct observer *observer)
{
    hook_tell_phase(observer,
                    hook_calls_asking(&state->calls)            ? PHASE_APPROVAL
                    : hook_calls_running(&state->calls) != NULL ? PHASE_TOOL
                                                                : PHASE_THINKING,
                    NULL);
}

static void tell_session(struct codex *state, const json_t *payload, const struct observer *observer)
{
    const char *model = text_of(payload, "model");

    if (model == NULL || strlen(model) >= sizeof state->model || strcmp(model, state->model) == 0)
        return;
    memcpy(state->model, model, strlen(model) + 1);
    tell(observer,
         &(struct observation){.kind = OBSERVED_SESSION, .id = state->conversation.id, .name = state->model});
}

static void session_started(struct codex *state, const json_t *payload, const struct observer *observer)
{
    if (!hook_conversation_begin(&state->conversation, payload))
        return;
    hook_calls_clear(&state->calls, NULL, observer);
    state->model[0] = '\0';
    tell_session(state, payload, observer);
}

static void session_ended(struct codex *state, const json_t *payload, const struct observer *observer)
{
    (void)payload;
    hook_calls_clear(&state->calls, NULL, observer);
    state->conversation.ended = true;
}

/* ---- questions ---- */

static json_t *labels_of(const json_t *question)
{
    json_t *labels = json_array(), *option;
    size_t index;

    json_array_foreach(json_object_get(question, "options"), index, option)
    {
        json_array_append_new(labels, json_string(json_member_string(option, "label", "")));
    }
    return labels;
}

static void question_asked(struct codex *state, const json_t *input, const struct observer *observer)
{
    const json_t *questions = json_object_get(input, "questions"), *question;
    json_t *choices = labels_of(json_array_get(questions, 0));
    char id[HOOK_ID_MAX];
    struct buffer text;
    size_t index;

    buffer_init(&text);
    buffer_append_string(&text, "");
    json_array_foreach(questions, index, question)
    {
        buffer_printf(&text, "%s%s", index > 0 ? "\n" : "", json_member_string(question, "question", ""));
    }
    hook_calls_ask(&state->calls, "request_user_input", input, NULL, id);
    tell(observer, &(struct observation){.kind = OBSERVED_APPROVAL,
                                         .id = id,
                                         .name = "request_user_input",
                                         .request = "question",
                                         .text = text.bytes,
                                         .input = input,
                                         .choices = choices});
    hook_tell_phase(observer, PHASE_APPROVAL, NULL);
    buffer_finish(&text);
    json_decref(choices);
}

/* Without choices: its dialog has them. */
static void permission_asked(struct codex *state, const json_t *payload, const struct observer *observer)
{
    const char *tool = json_member_string(payload, "tool_name", "tool"),
               *parent = text_of(payload, "agent_id");
    const json_t *input = json_object_get(payload, "tool_input");
    json_t *plain = json_is_object(input) ? json_copy((json_t *)(uintptr_t)input) : json_object();
    char id[HOOK_ID_MAX];
    struct buffer text;

    /* The call was announced without the reason for asking, and may end in another blank. */
    json_object_del(plain, "description");
    if (hook_calls_running(&state->calls) != NULL && strcmp(tool, "apply_patch") == 0)
        json_object_clear(plain);
    hook_calls_ask(&state->calls, tool, plain, parent, id);
    buffer_init(&text);
    hook_append_request(&text, tool, input);
    tell(observer, &(struct observation){.kind = OBSERVED_APPROVAL,
                                         .id = id,
                                         .parent = parent,
                                         .name = tool,
                                         .request = "permission",
                                         .text = text.bytes,
                                         .input = input});
    hook_tell_phase(observer, PHASE_APPROVAL, NULL);
    buffer_finish(&text);
    json_decref(plain);
}

/* ---- tools and turns ---- */

static void tool_called(struct codex *state, const json_t *payload, const struct observer *observer)
{
    const char *tool = json_member_string(payload, "tool_name", "tool");
    const json_t *input = json_object_get(payload, "tool_input");

    hook_calls_add(&state->calls, text_of(payload, "tool_use_id"), tool, input, text_of(payload, "agent_id"));
    if (strcmp(tool, "request_user_input") == 0)
        question_asked(state, input, observer);
}

static void tool_done(struct codex *state, const json_t *payload, const struct observer *observer)
{
    bool question = strcmp(json_member_string(payload, "tool_name", ""), "request_user_input") == 0;
    bool asking = hook_calls_asking(&state->calls);
    char id[HOOK_ID_MAX];

    hook_calls_settle(&state->calls, payload, question ? "answered" : "approved", observer, id);
    if (asking)
        tell_phase(state, observer);
}

/* What is asked was refused, or the turn goes on without it. */
static void turn_moved(struct codex *state, const json_t *payload, const struct observer *observer)
{
    const char *parent = text_of(payload, "agent_id");

    hook_calls_clear(&state->calls, parent, observer);
    tell_session(state, payload, observer);
}

static void subagent_started(struct codex *state, const json_t *payload, const struct observer *observer)
{
    (void)state;
    tell(observer, &(struct observation){.kind = OBSERVED_SUBAGENT,
                                         .id = text_of(payload, "agent_id"),
                                         .name = text_of(payload, "agent_type")});
}

static void subagent_stopped(struct codex *state, const json_t *payload, const struct observer *observer)
{
    const char *id = text_of(payload, "agent_id");

    if (id != NULL)
        hook_calls_clear(&state->calls, id, observer);
    tell(observer, &(struct observation){.kind = OBSERVED_SUBAGENT, .id = id, .ended = true});
}

static const struct {
    const char *event;
    void (*read)(struct codex *state, const json_t *payload, const struct observer *observer);
} readers[] = {
    {"PreToolUse", tool_called},
    {"PostToolUse", tool_done},
    {"PermissionRequest", permission_asked},
    {"UserPromptSubmit", turn_moved},
    {"Stop", turn_moved},
    {"Interrupt", turn_moved},
    {"SubagentStart", subagent_started},
    {"SubagentStop", subagent_stopped},
    {"SessionEnd", session_ended},
};

static void message(void *argument, const json_t *payload, const struct observer *observer)
{
    const char *event = json_member_string(payload, "hook_event_name", "");
    struct codex *state = argument;

    if (strcmp(event, "SessionStart") == 0) {
        session_started(state, payload, observer);
        return;
    }
    if (!hook_conversation_has(&state->conversation, payload))
        return;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(readers[i].event, event) == 0)
            readers[i].read(state, payload, observer);
    }
}

const struct agent_channel codex_hooks = {.create = create, .destroy = destroy, .message = message};
