#include "agent/hook_calls.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/unified_diff.h"
#include "base/json.h"

#define CALLS_MAX 64
#define TEXT_MAX (64 * 1024)

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

/* ---- conversations ---- */

static void take_id(struct hook_conversation *conversation, const char *id)
{
    (void)snprintf(conversation->id, sizeof conversation->id, "%s", id);
    conversation->ended = false;
}

bool hook_conversation_begin(struct hook_conversation *conversation, const json_t *payload)
{
    const char *id = word(payload, "session_id");
    bool other = conversation->id[0] != '\0' && strcmp(conversation->id, id) != 0;

    /* The same program goes on under another id after /clear and /resume. */
    if (other && !conversation->ended && strcmp(word(payload, "source"), "startup") == 0)
        return false;
    take_id(conversation, id);
    return true;
}

bool hook_conversation_has(struct hook_conversation *conversation, const json_t *payload)
{
    const char *id = word(payload, "session_id");

    if (conversation->id[0] == '\0')
        take_id(conversation, id);
    return strcmp(conversation->id, id) == 0;
}

bool hook_conversation_knows(const void *hooks, const json_t *payload)
{
    const struct hook_conversation *conversation = hooks;

    return conversation->id[0] == '\0' || strcmp(conversation->id, word(payload, "session_id")) == 0;
}

/* ---- calls ---- */

void hook_calls_init(struct hook_calls *calls)
{
    *calls = (struct hook_calls){.list = json_array()};
}

void hook_calls_finish(struct hook_calls *calls)
{
    json_decref(calls->list);
}

static bool is_of(const json_t *call, const char *parent)
{
    return strcmp(word(call, "parent"), parent == NULL ? "" : parent) == 0;
}

void hook_calls_add(struct hook_calls *calls, const char *id, const char *name, const json_t *input,
                    const char *parent)
{
    json_t *call = json_object();

    if (json_array_size(calls->list) >= CALLS_MAX)
        json_array_remove(calls->list, 0);
    json_object_set_new(call, "id", json_string_or_null(id));
    json_object_set_new(call, "name", json_string_or_null(name));
    json_object_set_new(call, "input", input == NULL ? json_object() : json_deep_copy(input));
    json_object_set_new(call, "parent", json_string_or_null(parent));
    json_array_append_new(calls->list, call);
}

/* Has `input` every member of `members`, with the same value? */
static bool has_members(const json_t *input, const json_t *members)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)members, key, value)
    {
        if (!json_equal(json_object_get(input, key), value))
            return false;
    }
    return true;
}

void hook_calls_ask(struct hook_calls *calls, const char *name, const json_t *input, const char *parent,
                    char id[HOOK_ID_MAX])
{
    for (size_t i = json_array_size(calls->list); i > 0; i--) {
        json_t *call = json_array_get(calls->list, i - 1);
        if ((name != NULL && strcmp(word(call, "name"), name) != 0) || !is_of(call, parent) ||
            json_is_true(json_object_get(call, "asked")) ||
            !has_members(json_object_get(call, "input"), input))
            continue;
        json_object_set_new(call, "asked", json_true());
        (void)snprintf(id, HOOK_ID_MAX, "%s", word(call, "id"));
        return;
    }
    (void)snprintf(id, HOOK_ID_MAX, "request-%u", ++calls->asked);
    hook_calls_add(calls, id, name, input, parent);
    json_object_set_new(json_array_get(calls->list, json_array_size(calls->list) - 1), "asked", json_true());
}

bool hook_calls_asking(const struct hook_calls *calls)
{
    const json_t *call;
    size_t index;

    json_array_foreach(calls->list, index, call)
    {
        if (json_is_true(json_object_get(call, "asked")))
            return true;
    }
    return false;
}

/* The call's place in the list, or its size. */
static size_t find(const struct hook_calls *calls, const json_t *payload)
{
    const char *id = json_member_string(payload, "tool_use_id", NULL), *name = word(payload, "tool_name");
    const json_t *call, *input = json_object_get(payload, "tool_input");
    size_t index, named = json_array_size(calls->list);

    json_array_foreach(calls->list, index, call)
    {
        if (id != NULL && strcmp(word(call, "id"), id) == 0)
            return index;
        /* The oldest of that tool; one with the same input before any other. */
        if (strcmp(word(call, "name"), name) == 0 &&
            is_of(call, json_member_string(payload, "agent_id", NULL)) &&
            (named == json_array_size(calls->list) || json_equal(json_object_get(call, "input"), input)))
            named = index;
    }
    return named;
}

static void resolve(const json_t *call, const char *outcome, const struct observer *observer)
{
    if (json_is_true(json_object_get(call, "asked")))
        observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED,
                                                                    .id = word(call, "id"),
                                                                    .outcome = outcome});
}

void hook_calls_settle(struct hook_calls *calls, const json_t *payload, const char *outcome,
                       const struct observer *observer, char id[HOOK_ID_MAX])
{
    size_t index = find(calls, payload);
    const json_t *call = json_array_get(calls->list, index);

    (void)snprintf(id, HOOK_ID_MAX, "%s", word(payload, "tool_use_id"));
    /* Another host was told of the call: it may have been asked about. */
    if (call == NULL && *id != '\0')
        observer->observe(
            observer->argument,
            &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .id = id, .outcome = outcome});
    if (call == NULL)
        return;
    if (*id == '\0')
        (void)snprintf(id, HOOK_ID_MAX, "%s", word(call, "id"));
    resolve(call, outcome, observer);
    json_array_remove(calls->list, index);
}

void hook_calls_clear(struct hook_calls *calls, const char *parent, const struct observer *observer)
{
    for (size_t i = json_array_size(calls->list); i > 0; i--) {
        const json_t *call = json_array_get(calls->list, i - 1);
        if (parent != NULL && !is_of(call, parent))
            continue;
        resolve(call, "gone", observer);
        json_array_remove(calls->list, i - 1);
    }
}

const char *hook_calls_running(const struct hook_calls *calls)
{
    for (size_t i = json_array_size(calls->list); i > 0; i--) {
        const json_t *call = json_array_get(calls->list, i - 1);
        if (is_of(call, NULL))
            return json_member_string(call, "name", NULL);
    }
    return NULL;
}

/* ---- texts ---- */

void hook_tell_phase(const struct observer *observer, enum phase phase, const char *detail)
{
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_PHASE, .phase = phase, .text = detail});
}

static void append_part(struct buffer *out, const char *text)
{
    size_t length = strlen(text);

    if (length > TEXT_MAX) {
        length = TEXT_MAX;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    buffer_append(out, text, length);
    if (text[length] != '\0')
        buffer_append_string(out, "…");
}

static void append_change(struct buffer *out, const char *path, const json_t *edit)
{
    const char *old_text = json_member_string(edit, "old_string", NULL);
    const char *new_text = json_member_string(edit, "new_string", json_member_string(edit, "content", NULL));

    if (new_text != NULL)
        unified_diff_append(out, path, old_text != NULL && *old_text != '\0' ? old_text : NULL, new_text);
}

void hook_append_request(struct buffer *out, const char *tool, const json_t *input)
{
    const char *command = json_member_string(input, "command", NULL);
    const char *path =
        json_member_string(input, "file_path", json_member_string(input, "notebook_path", NULL));
    const char *why = word(input, "description");
    struct buffer whole;
    const json_t *edit;
    size_t index;

    buffer_printf(out, "%s: ", tool);
    if (command != NULL) {
        append_part(out, command);
        if (*why != '\0')
            buffer_append_char(out, '\n');
        append_part(out, why);
    } else if (path != NULL) {
        buffer_printf(out, "%.4096s\n", path);
        append_change(out, path, input);
        json_array_foreach(json_object_get(input, "edits"), index, edit)
        {
            append_change(out, path, edit);
        }
    } else {
        buffer_init(&whole);
        if (input != NULL)
            json_append_value(&whole, input);
        append_part(out, input == NULL ? "" : whole.bytes);
        buffer_finish(&whole);
    }
}

/* A list of {"type": "text", "text": …}. */
static void append_blocks(struct buffer *out, const json_t *blocks)
{
    const json_t *block;
    size_t index;

    json_array_foreach(blocks, index, block)
    {
        const char *text = json_member_string(block, "text", NULL);
        if (text != NULL && out->length > 0 && out->bytes[out->length - 1] != '\n')
            buffer_append_char(out, '\n');
        if (text != NULL)
            append_part(out, text);
    }
}

void hook_append_result(struct buffer *out, const json_t *result)
{
    static const char *const texts[] = {"stdout", "stderr", "content", "llmContent", "error"};
    struct buffer whole;

    if (json_is_string(result))
        append_part(out, json_string_value(result));
    append_blocks(out, json_is_object(result) ? json_object_get(result, "content") : result);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = word(result, texts[i]);
        if (*text != '\0' && out->length > 0 && out->bytes[out->length - 1] != '\n')
            buffer_append_char(out, '\n');
        append_part(out, text);
    }
    if (out->length > 0 || !json_is_object(result) || json_object_get(result, "stdout") != NULL)
        return;
    buffer_init(&whole);
    json_append_value(&whole, result);
    append_part(out, whole.bytes);
    buffer_finish(&whole);
}
