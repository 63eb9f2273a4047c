/* An observer that writes down what it is told, a line each, and what is sent. */
#ifndef TESTS_OBSERVED_TALK_H
#define TESTS_OBSERVED_TALK_H

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "agent/observation.h"
#include "base/buffer.h"

struct observed {
    struct buffer told, sent;
};

static const char *const observed_names[] = {
    "session", "phase", "turn",  "ended", "text",  "thinking", "call", "result", "asked",  "settled",
    "agent",   "retry", "limit", "usage", "error", "todo",     "file", "note",   "unknown"};

static void observed_append_json(struct buffer *out, const char *label, const json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

    if (text != NULL)
        buffer_printf(out, " %s=%s", label, text);
    free(text);
}

static void observed_append(struct buffer *out, const char *label, const char *text)
{
    if (text != NULL)
        buffer_printf(out, " %s=%s", label, text);
}

static void observed_observe(void *argument, const struct observation *told)
{
    struct buffer *out = &((struct observed *)argument)->told;

    buffer_append_string(out, observed_names[told->kind]);
    if (told->kind == OBSERVED_PHASE)
        buffer_printf(out, " %s", phase_name(told->phase));
    if (told->kind == OBSERVED_USAGE)
        buffer_printf(out, " in=%lld out=%lld read=%lld write=%lld cost=%.4f context=%.1f",
                      (long long)told->usage.input_tokens, (long long)told->usage.output_tokens,
                      (long long)told->usage.cache_read_tokens, (long long)told->usage.cache_write_tokens,
                      told->usage.cost_usd, told->usage.context_pct);
    observed_append(out, "parent", told->parent);
    observed_append(out, "id", told->id);
    observed_append(out, "name", told->name);
    observed_append(out, "request", told->request);
    observed_append(out, "text", told->text);
    observed_append(out, "outcome", told->outcome);
    if (told->kind == OBSERVED_TODO || told->kind == OBSERVED_FILE)
        observed_append_json(out, "input", told->input);
    observed_append_json(out, "choices", told->choices);
    if (told->until_ms != 0)
        buffer_printf(out, " until=%lld", (long long)told->until_ms);
    if (told->kind == OBSERVED_RETRY)
        buffer_printf(out, " attempt=%d/%d", told->attempt, told->attempts);
    if (told->kind == OBSERVED_LIMIT)
        buffer_printf(out, " percent=%.4g", told->percent);
    buffer_printf(out, "%s%s%s%s\n", told->whole ? " whole" : "", told->failed ? " failed" : "",
                  told->ended ? " over" : "", told->server ? " server" : "");
}

static void observed_send(void *argument, const char *bytes, size_t length)
{
    buffer_append(&((struct observed *)argument)->sent, bytes, length);
}

static struct observer observed_by(struct observed *observed)
{
    return (struct observer){.observe = observed_observe, .send = observed_send, .argument = observed};
}

/* What was told since the last call; valid until then. */
static const char *observed_take(struct observed *observed)
{
    static char text[65536];

    (void)snprintf(text, sizeof text, "%s", observed->told.bytes == NULL ? "" : observed->told.bytes);
    buffer_clear(&observed->told);
    return text;
}

#endif
