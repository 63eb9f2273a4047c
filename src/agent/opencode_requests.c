#include <stdlib.h>
#include <string.h>

#include "agent/hook_calls.h"
#include "agent/opencode.h"
#include "base/buffer.h"
#include "base/json.h"

/* Requests that are open at once. */
#define PENDING_MAX 256

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

static void tell(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

static void resolve(struct opencode *state, const char *id, const char *outcome,
                    const struct observer *observer)
{
    if (id == NULL || json_object_get(state->pending, id) == NULL)
        return;
    tell(observer, &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .id = id, .outcome = outcome});
    json_object_del(state->pending, id);
    opencode_tell_phase(state, observer);
}

void opencode_forget_requests(struct opencode *state, const char *session, const struct observer *observer)
{
    const char *id;
    const json_t *of;
    void *next;

    json_object_foreach_safe(state->pending, next, id, of)
    {
        if (strcmp(json_string_value(of), session) == 0) {
            tell(observer,
                 &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .id = id, .outcome = "gone"});
            json_object_del(state->pending, id);
        }
    }
}

static bool take_request(struct opencode *state, const char *id, const char *session)
{
    if (id == NULL || session == NULL || json_object_get(state->pending, id) != NULL ||
        json_object_size(state->pending) >= PENDING_MAX)
        return false;
    json_object_set_new(state->pending, id, json_string(session));
    return true;
}

/* What a person decides about, whole. Allocated. */
static char *request_text(const json_t *properties, const char *tool, const json_t *input)
{
    const json_t *metadata = json_object_get(properties, "metadata"), *pattern;
    const char *path = json_member_string(metadata, "filepath", text_of(input, "filePath"));
    const char *diff = text_of(metadata, "diff"), *title = text_of(properties, "title");
    struct buffer text;
    size_t index;

    buffer_init(&text);
    if (text_of(input, "command") != NULL) {
        hook_append_request(&text, tool, input);
        return buffer_steal(&text);
    }
    buffer_printf(&text, "%s:", tool);
    if (path != NULL)
        buffer_printf(&text, " %.4096s", path);
    if (diff != NULL)
        buffer_printf(&text, "\n%s", diff);
    if (path == NULL && title != NULL)
        buffer_printf(&text, " %s", title);
    json_array_foreach(json_object_get(properties, "patterns"), index, pattern)
    {
        if (path == NULL && title == NULL && json_is_string(pattern))
            buffer_printf(&text, "%s %s", index > 0 ? "," : "", json_string_value(pattern));
    }
    return buffer_steal(&text);
}

void opencode_permission_asked(struct opencode *state, const json_t *properties,
                               const struct observer *observer)
{
    const char *id = text_of(properties, "id"), *session = text_of(properties, "sessionID");
    const json_t *call = json_object_get(properties, "tool"), *input = NULL, *running;
    const char *tool =
        json_member_string(properties, "permission", json_member_string(properties, "type", "tool"));
    json_t *choices;
    char *text;

    if (!take_request(state, id, session))
        return;
    running = json_object_get(state->calls, json_member_string(call, "callID", ""));
    input = json_object_get(running, "input");
    if (input == NULL)
        input = json_object_get(properties, "metadata");
    choices = json_pack("[sss]", "Allow once", "Allow always", "Reject");
    text = request_text(properties, tool, input);
    tell(observer, &(struct observation){.kind = OBSERVED_APPROVAL,
                                         .id = id,
                                         .parent = opencode_is_child(state, session) ? session : NULL,
                                         .name = tool,
                                         .request = "permission",
                                         .text = text,
                                         .input = input,
                                         .choices = choices});
    free(text);
    json_decref(choices);
    opencode_tell_phase(state, observer);
}

void opencode_question_asked(struct opencode *state, const json_t *properties,
                             const struct observer *observer)
{
    const char *id = text_of(properties, "id"), *session = text_of(properties, "sessionID");
    const json_t *first = json_array_get(json_object_get(properties, "questions"), 0), *option;
    json_t *choices;
    size_t index;

    if (!take_request(state, id, session))
        return;
    choices = json_array();
    json_array_foreach(json_object_get(first, "options"), index, option)
    {
        json_array_append_new(choices, json_string(json_member_string(option, "label", "")));
    }
    tell(observer, &(struct observation){.kind = OBSERVED_APPROVAL,
                                         .id = id,
                                         .parent = opencode_is_child(state, session) ? session : NULL,
                                         .name = "question",
                                         .request = "question",
                                         .text = text_of(first, "question"),
                                         .input = properties,
                                         .choices = choices});
    json_decref(choices);
    opencode_tell_phase(state, observer);
}

void opencode_request_replied(struct opencode *state, const json_t *properties,
                              const struct observer *observer)
{
    const char *id = json_member_string(properties, "requestID", text_of(properties, "permissionID"));
    const char *reply = json_member_string(properties, "reply", text_of(properties, "response"));

    /* A tool that is refused ends the turn, unless the model goes on. */
    if (id != NULL && reply != NULL && strcmp(reply, "reject") == 0)
        state->aborted = true;
    resolve(state, id,
            reply == NULL                  ? "answered"
            : strcmp(reply, "reject") == 0 ? "denied"
                                           : "approved",
            observer);
}

void opencode_question_rejected(struct opencode *state, const json_t *properties,
                                const struct observer *observer)
{
    resolve(state, text_of(properties, "requestID"), "denied", observer);
}
