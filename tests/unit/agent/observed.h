/*
 * What a channel observes as text, one line an observation, for comparison with what is expected:
 *
 *     phase approval
 *     tool_call call_1 bash {"command":"ls"}
 */
#ifndef TESTS_UNIT_AGENT_OBSERVED_H
#define TESTS_UNIT_AGENT_OBSERVED_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/observation.h"
#include "base/buffer.h"
#include "base/json.h"

static const char *const observed_names[] = {
    [OBSERVED_SESSION] = "session",
    [OBSERVED_PHASE] = "phase",
    [OBSERVED_TURN_STARTED] = "turn_started",
    [OBSERVED_TURN_ENDED] = "turn_ended",
    [OBSERVED_TEXT] = "text",
    [OBSERVED_THINKING] = "thinking",
    [OBSERVED_TOOL_CALL] = "tool_call",
    [OBSERVED_TOOL_RESULT] = "tool_result",
    [OBSERVED_APPROVAL] = "approval",
    [OBSERVED_APPROVAL_RESOLVED] = "approval_resolved",
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

static void observed_word(struct buffer *out, const char *word)
{
    if (word != NULL)
        buffer_printf(out, " %s", word);
}

static void observed_json(struct buffer *out, const json_t *value)
{
    if (value == NULL)
        return;
    buffer_append_char(out, ' ');
    json_append_value(out, value);
}

/* An observer's `observe`; the argument is a struct buffer. */
static void observed_append(void *argument, const struct observation *seen)
{
    struct buffer *out = argument;
    const struct observed_usage *usage = &seen->usage;

    buffer_append_string(out, observed_names[seen->kind]);
    if (seen->kind == OBSERVED_PHASE)
        observed_word(out, phase_name(seen->phase));
    observed_word(out, seen->parent);
    observed_word(out, seen->id);
    observed_word(out, seen->request);
    observed_word(out, seen->name);
    observed_word(out, seen->outcome);
    observed_word(out, seen->text);
    observed_json(out, seen->input);
    observed_json(out, seen->choices);
    if (seen->until_ms != 0)
        buffer_printf(out, " until=%lld", (long long)seen->until_ms);
    if (seen->attempt != 0)
        buffer_printf(out, " attempt=%d/%d", seen->attempt, seen->attempts);
    if (seen->kind == OBSERVED_LIMIT)
        buffer_printf(out, " percent=%.4g", seen->percent);
    if (seen->kind == OBSERVED_USAGE)
        buffer_printf(out, " in=%lld out=%lld read=%lld write=%lld cost=%.4f context=%.2f",
                      (long long)usage->input_tokens, (long long)usage->output_tokens,
                      (long long)usage->cache_read_tokens, (long long)usage->cache_write_tokens,
                      usage->cost_usd, usage->context_pct);
    buffer_append_string(out, seen->whole ? " whole" : "");
    buffer_append_string(out, seen->failed ? " failed" : "");
    buffer_append_string(out, seen->ended ? " ended" : "");
    buffer_append_char(out, '\n');
}

/* Feeds the lines of a text, each a JSON object. */
static void observed_feed(const struct agent_channel *channel, void *state, const char *lines,
                          struct buffer *out)
{
    const struct observer observer = {.observe = observed_append, .argument = out};

    while (*lines != '\0') {
        size_t length = 0;
        json_t *message;
        while (lines[length] != '\0' && lines[length] != '\n')
            length++;
        message = json_loadb(lines, length, 0, NULL);
        if (message != NULL)
            channel->message(state, message, &observer);
        json_decref(message);
        lines += length + (lines[length] == '\n');
    }
}

/* The same with a file; allocated. */
static char *observed_file(const struct agent_channel *channel, const char *path)
{
    FILE *file = fopen(path, "r");
    void *state = channel->create();
    char line[65536];
    struct buffer out;

    buffer_init(&out);
    buffer_append_string(&out, "");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        observed_feed(channel, state, line, &out);
    if (file != NULL)
        (void)fclose(file);
    channel->destroy(state);
    return buffer_steal(&out);
}

#endif
