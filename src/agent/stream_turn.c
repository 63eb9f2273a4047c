#include "agent/stream_turn.h"

#include <stdlib.h>
#include <string.h>

#include "agent/error_class.h"
#include "agent/tool_line.h"
#include "base/json.h"
#include "base/memory.h"

enum { PROMPTS_MAX = 64, UNKNOWN_MAX = 200, UNKNOWN_LENGTH_MAX = 80 };

struct observed_usage observed_usage_unknown(void)
{
    return (struct observed_usage){.input_tokens = -1,
                                   .output_tokens = -1,
                                   .cache_read_tokens = -1,
                                   .cache_write_tokens = -1,
                                   .cost_usd = -1,
                                   .context_pct = -1};
}

void stream_turn_init(struct stream_turn *turn)
{
    *turn = (struct stream_turn){.phase = PHASE_COUNT,
                                 .prompts = json_array(),
                                 .unknown = json_object(),
                                 .usage = observed_usage_unknown(),
                                 .usage_told = observed_usage_unknown()};
}

void stream_turn_finish(struct stream_turn *turn)
{
    free(turn->detail);
    json_decref(turn->prompts);
    json_decref(turn->unknown);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

void stream_turn_phase(struct stream_turn *turn, const struct observer *observer, enum phase phase,
                       const char *detail)
{
    if (turn->phase == phase && same_text(turn->detail, detail))
        return;
    turn->phase = phase;
    free(turn->detail);
    turn->detail = detail != NULL ? xstrdup(detail) : NULL;
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_PHASE, .phase = phase, .text = turn->detail});
}

void stream_turn_tool_phase(struct stream_turn *turn, const struct observer *observer, const char *name,
                            const char *line)
{
    struct buffer detail;

    buffer_init(&detail);
    tool_line_append_text(&detail, name, TOOL_LINE_MAX);
    if (line != NULL && *line != '\0' && strcmp(line, name) != 0) {
        buffer_append_char(&detail, ' ');
        tool_line_append_text(&detail, line, TOOL_LINE_MAX);
    }
    stream_turn_phase(turn, observer, PHASE_TOOL, detail.bytes);
    buffer_finish(&detail);
}

void stream_turn_begin(struct stream_turn *turn, const struct observer *observer, const char *text)
{
    if (turn->running)
        return;
    turn->running = true;
    turn->interrupted = false;
    turn->error_told = false;
    observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_TURN_STARTED, .text = text});
    stream_turn_phase(turn, observer, PHASE_CONNECTING, NULL);
}

void stream_turn_usage(struct stream_turn *turn, const struct observer *observer)
{
    const struct observed_usage *usage = &turn->usage;

    if (usage->input_tokens < 0 && usage->output_tokens < 0 && usage->context_pct < 0)
        return;
    turn->usage_told = *usage;
    observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_USAGE, .usage = *usage});
}

void stream_turn_end(struct stream_turn *turn, const struct observer *observer, const char *outcome,
                     const char *why)
{
    if (!turn->running)
        return;
    turn->running = false;
    turn->interrupted = false;
    if (memcmp(&turn->usage, &turn->usage_told, sizeof turn->usage) != 0)
        stream_turn_usage(turn, observer);
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_TURN_ENDED, .outcome = outcome, .text = why});
}

bool stream_turn_queue(struct stream_turn *turn, const char *text)
{
    if (json_array_size(turn->prompts) >= PROMPTS_MAX)
        return false;
    (void)json_array_append_new(turn->prompts, json_string_or_null(text));
    return true;
}

char *stream_turn_next(struct stream_turn *turn)
{
    const char *text = json_string_value(json_array_get(turn->prompts, 0));
    char *copy = text != NULL ? xstrdup(text) : NULL;

    (void)json_array_remove(turn->prompts, 0);
    return copy;
}

void stream_turn_unknown(struct stream_turn *turn, const struct observer *observer, const char *kind)
{
    struct buffer name;

    if (json_object_size(turn->unknown) >= UNKNOWN_MAX)
        return;
    buffer_init(&name);
    tool_line_append_text(&name, kind, UNKNOWN_LENGTH_MAX);
    if (json_object_get(turn->unknown, name.bytes) == NULL) {
        (void)json_object_set_new(turn->unknown, name.bytes, json_true());
        observer->observe(observer->argument,
                          &(struct observation){.kind = OBSERVED_UNKNOWN, .text = name.bytes});
    }
    buffer_finish(&name);
}

void stream_turn_error(struct stream_turn *turn, const struct observer *observer, const char *name,
                       const char *code, const char *text)
{
    turn->error_told = true;
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_ERROR,
                                            .name = name != NULL ? name : error_class_of_text(text),
                                            .outcome = code,
                                            .text = text});
}

void stream_turn_say(const struct observer *observer, enum observation_kind kind, const char *name,
                     const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    observer->observe(observer->argument,
                      &(struct observation){.kind = kind, .name = name, .text = text, .percent = -1});
}

static const char *todo_state(const json_t *entry)
{
    const char *status = json_member_string(entry, "status", "");

    if (strcmp(status, "completed") == 0 || json_is_true(json_object_get(entry, "completed")))
        return "done";
    return strcmp(status, "in_progress") == 0 || strcmp(status, "inProgress") == 0 ? "active" : "pending";
}

void stream_turn_todo(const struct observer *observer, const json_t *entries)
{
    json_t *items = json_array();
    const json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        const char *text = json_member_string(entry, "text", NULL);
        text = json_member_string(entry, "content", json_member_string(entry, "step", text));
        if (text != NULL)
            (void)json_array_append_new(items,
                                        json_pack("{s:s, s:s}", "text", text, "state", todo_state(entry)));
    }
    if (json_array_size(items) > 0)
        observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_TODO, .input = items});
    json_decref(items);
}
