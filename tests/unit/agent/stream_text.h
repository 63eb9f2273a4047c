/*
 * A stream channel under test: what it observes and sends becomes text, one line each, with line ends shown as "\n":
 *
 *     phase tool "shell ls"
 *     > {"id":1,"method":"initialize"}
 */
#ifndef TESTS_UNIT_AGENT_STREAM_TEXT_H
#define TESTS_UNIT_AGENT_STREAM_TEXT_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "base/buffer.h"
#include "base/json.h"

static const char *const stream_kinds[] = {
    [OBSERVED_SESSION] = "session",
    [OBSERVED_PHASE] = "phase",
    [OBSERVED_TURN_STARTED] = "turn started",
    [OBSERVED_TURN_ENDED] = "turn ended",
    [OBSERVED_TEXT] = "text",
    [OBSERVED_THINKING] = "thinking",
    [OBSERVED_TOOL_CALL] = "call",
    [OBSERVED_TOOL_RESULT] = "result",
    [OBSERVED_APPROVAL] = "approval",
    [OBSERVED_APPROVAL_RESOLVED] = "resolved",
    [OBSERVED_SUBAGENT] = "subagent",
    [OBSERVED_RETRY] = "retry",
    [OBSERVED_LIMIT] = "limit",
    [OBSERVED_USAGE] = "usage",
    [OBSERVED_ERROR] = "error",
    [OBSERVED_TODO] = "todo",
    [OBSERVED_FILE] = "file",
    [OBSERVED_NOTE] = "note",
    [OBSERVED_UNKNOWN] = "unknown",
};

static void stream_text_word(struct buffer *out, const char *label, const char *word)
{
    if (word == NULL)
        return;
    buffer_printf(out, " %s", label);
    json_append_quoted(out, word, strlen(word));
}

static void stream_text_json(struct buffer *out, const char *label, const json_t *value)
{
    if (value == NULL)
        return;
    buffer_printf(out, " %s", label);
    json_append_value(out, value);
}

static void stream_text_usage(struct buffer *out, const struct observed_usage *usage)
{
    buffer_printf(out, " in=%lld out=%lld read=%lld write=%lld cost=%.4f context=%.1f",
                  (long long)usage->input_tokens, (long long)usage->output_tokens,
                  (long long)usage->cache_read_tokens, (long long)usage->cache_write_tokens, usage->cost_usd,
                  usage->context_pct);
}

static void stream_text_observe(void *argument, const struct observation *seen)
{
    struct buffer *out = argument;

    buffer_append_string(out, stream_kinds[seen->kind]);
    if (seen->kind == OBSERVED_PHASE)
        buffer_printf(out, " %s", phase_name(seen->phase));
    stream_text_word(out, "in:", seen->parent);
    stream_text_word(out, "id:", seen->id);
    stream_text_word(out, "", seen->request);
    stream_text_word(out, "name:", seen->name);
    stream_text_word(out, "", seen->outcome);
    stream_text_word(out, "", seen->text);
    stream_text_json(out, "", seen->input);
    stream_text_json(out, "choices:", seen->choices);
    if (seen->until_ms != 0)
        buffer_printf(out, " until=%lld", (long long)seen->until_ms);
    if (seen->attempt != 0)
        buffer_printf(out, " attempt=%d/%d", seen->attempt, seen->attempts);
    if (seen->kind == OBSERVED_LIMIT)
        buffer_printf(out, " %.4g%%", seen->percent);
    if (seen->kind == OBSERVED_USAGE)
        stream_text_usage(out, &seen->usage);
    buffer_printf(out, "%s%s%s%s\n", seen->whole ? " whole" : "", seen->failed ? " failed" : "",
                  seen->ended ? " ended" : "", seen->server ? " server" : "");
}

static void stream_text_send(void *argument, const char *bytes, size_t length)
{
    struct buffer *out = argument;

    buffer_append_string(out, "> ");
    buffer_append(out, bytes, length);
}

/* A channel with its state and what it said since stream_said. */
struct stream_text {
    const struct agent_channel *channel;
    void *state;
    struct buffer out;
    struct observer observer;
};

static void stream_text_init(struct stream_text *text, const struct agent_channel *channel)
{
    text->channel = channel;
    text->state = channel->create();
    buffer_init(&text->out);
    buffer_append(&text->out, "", 0);
    text->observer =
        (struct observer){.observe = stream_text_observe, .send = stream_text_send, .argument = &text->out};
}

static void stream_text_finish(struct stream_text *text)
{
    text->channel->destroy(text->state);
    buffer_finish(&text->out);
}

/* One message; what is no JSON object is not passed on, as the host does. */
static inline void stream_feed(struct stream_text *text, const char *line, size_t length)
{
    json_t *message = json_loadb(line, length, 0, NULL);

    if (json_is_object(message))
        text->channel->message(text->state, message, &text->observer);
    json_decref(message);
}

static inline void stream_tell(struct stream_text *text, const char *line)
{
    stream_feed(text, line, strlen(line));
}

/* Whether what was said since the last call is `expected`; what differs is printed. */
static inline bool stream_said(struct stream_text *text, const char *expected)
{
    bool same = strcmp(text->out.bytes, expected) == 0;

    if (!same)
        printf("# said:\n%s# expected:\n%s", text->out.bytes, expected);
    buffer_clear(&text->out);
    buffer_append(&text->out, "", 0);
    return same;
}

static inline bool stream_said_part(struct stream_text *text, const char *expected)
{
    bool same = strstr(text->out.bytes, expected) != NULL;

    if (!same)
        printf("# said:\n%s# expected among it:\n%s\n", text->out.bytes, expected);
    buffer_clear(&text->out);
    buffer_append(&text->out, "", 0);
    return same;
}

/* {"do": "begin" | "prompt" | "interrupt" | "approve" | "deny" | "choose", …}: what the person did. */
static inline void stream_act(struct stream_text *text, const json_t *act)
{
    const char *what = json_member_string(act, "do", ""), *words = json_member_string(act, "text", NULL);
    struct approval_answer answer = {.approve = strcmp(what, "approve") == 0,
                                     .choice = (int)json_member_integer(act, "choice", 0),
                                     .text = words};

    if (strcmp(what, "begin") == 0)
        text->channel->begin(text->state, json_member_string(act, "resume", NULL), "/home/dev/code/proj",
                             &text->observer);
    else if (strcmp(what, "prompt") == 0)
        text->channel->prompt(text->state, words, &text->observer);
    else if (strcmp(what, "interrupt") == 0)
        text->channel->interrupt(text->state, &text->observer);
    else if (text->channel->answer(text->state, json_member_string(act, "id", ""), &answer, &text->observer) <
             0)
        buffer_append_string(&text->out, "no such request\n");
}

/*
 * Gives every line of a file to a channel of its own: the agent's messages, and between them objects with "do".
 * What it says, to be freed. NULL: there is no file.
 */
static inline char *stream_text_of_file(const struct agent_channel *channel, const char *path)
{
    struct stream_text text;
    FILE *file = fopen(path, "re");
    char *line = NULL, *said;
    size_t size = 0;
    ssize_t length;

    if (file == NULL)
        return NULL;
    stream_text_init(&text, channel);
    while ((length = getline(&line, &size, file)) > 0) {
        json_t *act = strncmp(line, "{\"do\"", 5) == 0 ? json_loads(line, 0, NULL) : NULL;
        if (act != NULL)
            stream_act(&text, act);
        else
            stream_feed(&text, line, (size_t)length);
        json_decref(act);
    }
    (void)fclose(file);
    free(line);
    said = buffer_steal(&text.out);
    stream_text_finish(&text);
    return said;
}

/* A text file as a string, to be freed; NULL when there is none. */
static inline char *stream_golden(const char *path)
{
    FILE *file = fopen(path, "re");
    struct buffer text;
    int byte;

    if (file == NULL)
        return NULL;
    buffer_init(&text);
    buffer_append(&text, "", 0);
    while ((byte = getc(file)) != EOF)
        buffer_append_char(&text, (char)byte);
    (void)fclose(file);
    return buffer_steal(&text);
}

/*
 * Whether what the channel says about NAME.jsonl is in NAME.txt; with GANGER_WRITE_GOLDENS=1 in the environment the
 * latter is written instead.
 */
static inline bool stream_matches(const struct agent_channel *channel, const char *folder, const char *name)
{
    char path[512];
    char *said, *expected;
    bool same;

    (void)snprintf(path, sizeof path, "%s/%s.jsonl", folder, name);
    said = stream_text_of_file(channel, path);
    (void)snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    if (said != NULL && getenv("GANGER_WRITE_GOLDENS") != NULL) {
        FILE *file = fopen(path, "we");
        if (file != NULL) {
            (void)fputs(said, file);
            (void)fclose(file);
        }
    }
    expected = stream_golden(path);
    same = said != NULL && expected != NULL && strcmp(said, expected) == 0;
    if (!same)
        printf("# %s differs; it says:\n%s", path, said != NULL ? said : "(no such recording)\n");
    free(said);
    free(expected);
    return same;
}

#endif
