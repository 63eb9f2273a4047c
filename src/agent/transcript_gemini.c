/*
 * Gemini CLI's conversation, tmp/PROJECT/chats/session-….jsonl. A message is written again when it grows; its last row
 * counts. {"$set": {"messages": […]}} begins a file, or writes it anew.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "agent/hook_calls.h"
#include "agent/transcript_rows.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/memory.h"

#define WINDOW 1048576
#define SPOKEN_MAX 20000
#define PATTERN ".gemini/tmp/*/chats/session-*-%.8s.jsonl"

struct transcript {
    struct transcript_rows rows;
    bool alone;      /* hooks tell nothing */
    json_t *spoken;  /* ids of messages and calls that were told */
    int64_t context; /* tokens that were sent last; -1: not known */
};

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

static void *create(int64_t since_ms, bool alone)
{
    struct transcript *transcript = xcalloc(1, sizeof *transcript);

    transcript_rows_init(&transcript->rows, since_ms);
    transcript->spoken = json_object();
    transcript->context = -1;
    transcript->alone = alone;
    return transcript;
}

static void destroy(void *state)
{
    struct transcript *transcript = state;

    transcript_rows_finish(&transcript->rows);
    json_decref(transcript->spoken);
    free(transcript);
}

static bool grew(const void *hooks, const json_t *payload)
{
    static const char *const events[] = {"SessionStart", "BeforeTool", "AfterTool", "AfterAgent"};
    const char *name = word(payload, "hook_event_name");

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i], name) == 0)
            return hook_conversation_knows(hooks, payload);
    }
    return false;
}

/* The prompt's tokens include those that the cache held. */
static void note_usage(struct transcript *transcript, const char *id, const json_t *tokens)
{
    int64_t input = json_member_integer(tokens, "input", 0),
            cached = json_member_integer(tokens, "cached", 0);
    int64_t counts[COUNTS] = {[COUNT_INPUT] = cached <= input ? input - cached : input,
                              [COUNT_OUTPUT] = json_member_integer(tokens, "output", 0) +
                                               json_member_integer(tokens, "thoughts", 0),
                              [COUNT_CACHE_READ] = cached};

    if (!json_is_object(tokens))
        return;
    transcript_rows_count(&transcript->rows, id, counts);
    if (input > 0)
        transcript->context = input;
}

/* The content is a text, or a list of parts. */
static void note_content(struct transcript *transcript, const char *id, const json_t *content)
{
    struct buffer text;
    const json_t *part;
    size_t index;

    buffer_init(&text);
    if (json_is_string(content))
        buffer_append_string(&text, json_string_value(content));
    json_array_foreach(content, index, part)
    {
        buffer_append_string(&text, word(part, "text"));
    }
    if (text.length > 0 && json_object_get(transcript->spoken, id) == NULL &&
        json_object_size(transcript->spoken) < SPOKEN_MAX) {
        json_object_set_new(transcript->spoken, id, json_true());
        transcript_rows_say(&transcript->rows, OBSERVED_TEXT, text.bytes);
    }
    buffer_finish(&text);
}

/* A call is written when it has its result. */
static void note_calls(struct transcript *transcript, const json_t *calls)
{
    const json_t *call;
    size_t index;

    json_array_foreach(calls, index, call)
    {
        const char *id = word(call, "id"), *status = word(call, "status");
        const json_t *part = json_array_get(json_object_get(call, "result"), 0);
        if (*id == '\0' || json_object_get(transcript->spoken, id) != NULL ||
            json_object_size(transcript->spoken) >= SPOKEN_MAX)
            continue;
        json_object_set_new(transcript->spoken, id, json_true());
        transcript_rows_call(&transcript->rows, id, word(call, "name"), json_object_get(call, "args"));
        transcript_rows_result(
            &transcript->rows, id,
            json_object_get(json_object_get(json_object_get(part, "functionResponse"), "response"), "output"),
            strcmp(status, "success") != 0);
    }
}

static void take_message(struct transcript *transcript, const json_t *message)
{
    const char *id = word(message, "id");

    if (strcmp(word(message, "type"), "gemini") != 0 || *id == '\0')
        return;
    transcript_rows_at(&transcript->rows, word(message, "timestamp"));
    note_usage(transcript, id, json_object_get(message, "tokens"));
    transcript_rows_model(&transcript->rows, word(message, "model"));
    note_content(transcript, id, json_object_get(message, "content"));
    if (transcript->alone)
        note_calls(transcript, json_object_get(message, "toolCalls"));
}

static void line(void *state, char *text, size_t length)
{
    const json_t *message;
    json_t *row;
    size_t index;

    if (memmem(text, length, "\"gemini\"", 8) == NULL)
        return;
    json_text_mend(text, length);
    row = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
    take_message(state, row);
    json_array_foreach(json_object_get(json_object_get(row, "$set"), "messages"), index, message)
    {
        take_message(state, message);
    }
    json_decref(row);
}

static void report(void *state, const struct observer *observer)
{
    struct transcript *transcript = state;
    double context = transcript->context < 0 ? -1 : 100.0 * (double)transcript->context / WINDOW;

    transcript_rows_report(&transcript->rows, context, observer);
}

const struct agent_transcript gemini_transcript = {.variable = "GEMINI_CLI_HOME",
                                                   .below_variable = PATTERN,
                                                   .below_home = PATTERN,
                                                   .create = create,
                                                   .destroy = destroy,
                                                   .grew = grew,
                                                   .line = line,
                                                   .report = report};
