/*
 * Claude Code's transcript, projects/FOLDER/SESSION.jsonl: what was said, what it used. Each block of a message has a row
 * of its own that repeats the usage of the message: the largest counts, once per message and request.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "agent/hook_calls.h"
#include "agent/limit_words.h"
#include "agent/transcript_rows.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/memory.h"

#define WINDOW 200000
#define WINDOW_LONG 1000000
#define CONTINUES "continuing automatically"

struct transcript {
    struct transcript_rows rows;
    bool alone;       /* hooks tell nothing */
    int64_t context;  /* tokens that the main loop sent last; -1: not known */
    json_t *limit;    /* "quotaLimits" of an error since the last report */
    int64_t reset_ms; /* of the last of them */
    bool continues;   /* it says since the last report that it goes on by itself then */
};

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

static void *create(int64_t since_ms, bool alone)
{
    struct transcript *transcript = xcalloc(1, sizeof *transcript);

    transcript_rows_init(&transcript->rows, since_ms);
    transcript->context = -1;
    transcript->alone = alone;
    return transcript;
}

static void destroy(void *state)
{
    struct transcript *transcript = state;

    transcript_rows_finish(&transcript->rows);
    json_decref(transcript->limit);
    free(transcript);
}

static bool grew(const void *hooks, const json_t *payload)
{
    static const char *const events[] = {"SessionStart", "PreToolUse", "PostToolUse", "Stop", "StopFailure"};
    const char *name = word(payload, "hook_event_name");

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i], name) == 0)
            return hook_conversation_knows(hooks, payload);
    }
    return false;
}

static void note_usage(struct transcript *transcript, const json_t *row, const json_t *message)
{
    const json_t *usage = json_object_get(message, "usage");
    int64_t counts[COUNTS] = {[COUNT_INPUT] = json_member_integer(usage, "input_tokens", 0),
                              [COUNT_OUTPUT] = json_member_integer(usage, "output_tokens", 0),
                              [COUNT_CACHE_READ] = json_member_integer(usage, "cache_read_input_tokens", 0),
                              [COUNT_CACHE_WRITE] =
                                  json_member_integer(usage, "cache_creation_input_tokens", 0)};
    char *key = xasprintf("%s %s", word(message, "id"), word(row, "requestId"));
    int64_t sent;

    transcript_rows_count(&transcript->rows, key, counts);
    free(key);
    sent = counts[COUNT_INPUT] + counts[COUNT_CACHE_READ] + counts[COUNT_CACHE_WRITE];
    if (!json_is_true(json_object_get(row, "isSidechain")) && sent > 0)
        transcript->context = sent;
}

/* What ends a turn is in the hook Stop as well, tools in their own. */
static void note_content(struct transcript *transcript, const json_t *message)
{
    bool last = strcmp(word(message, "stop_reason"), "end_turn") == 0;
    const json_t *block;
    size_t index;

    json_array_foreach(json_object_get(message, "content"), index, block)
    {
        const char *type = word(block, "type");
        if (strcmp(type, "text") == 0 && (!last || transcript->alone))
            transcript_rows_say(&transcript->rows, OBSERVED_TEXT, word(block, type));
        else if (strcmp(type, "thinking") == 0)
            transcript_rows_say(&transcript->rows, OBSERVED_THINKING, word(block, type));
        else if (strcmp(type, "tool_use") == 0 && transcript->alone)
            transcript_rows_call(&transcript->rows, word(block, "id"), word(block, "name"),
                                 json_object_get(block, "input"));
    }
}

static void note_limit(struct transcript *transcript, const json_t *limit)
{
    if (!transcript->rows.telling || !json_is_object(limit))
        return;
    json_decref(transcript->limit);
    transcript->limit = json_deep_copy(limit);
    transcript->reset_ms = limit_epoch_ms(json_member_integer(limit, "resetsAt", 0));
}

/* "Usage limit reached · continuing automatically at 11:46am · esc to cancel" */
static void note_notice(struct transcript *transcript, const json_t *row)
{
    if (transcript->rows.telling && strcmp(word(row, "subtype"), "informational") == 0 &&
        strstr(word(row, "content"), CONTINUES) != NULL)
        transcript->continues = true;
}

static void note_results(struct transcript *transcript, const json_t *message)
{
    const json_t *block;
    size_t index;

    json_array_foreach(json_object_get(message, "content"), index, block)
    {
        if (strcmp(word(block, "type"), "tool_result") == 0)
            transcript_rows_result(&transcript->rows, word(block, "tool_use_id"),
                                   json_object_get(block, "content"),
                                   json_is_true(json_object_get(block, "is_error")));
    }
}

static void take_row(struct transcript *transcript, const json_t *row)
{
    const json_t *message = json_object_get(row, "message");

    transcript_rows_at(&transcript->rows, word(row, "timestamp"));
    if (transcript->alone && strcmp(word(row, "type"), "user") == 0)
        note_results(transcript, message);
    if (strcmp(word(row, "type"), "system") == 0)
        note_notice(transcript, row);
    if (strcmp(word(row, "type"), "assistant") != 0)
        return;
    if (json_is_true(json_object_get(row, "isApiErrorMessage"))) {
        note_limit(transcript, json_object_get(row, "quotaLimits"));
        return;
    }
    note_usage(transcript, row, message);
    if (json_is_true(json_object_get(row, "isSidechain")))
        return;
    if (*word(message, "model") != '<')
        transcript_rows_model(&transcript->rows, word(message, "model"));
    note_content(transcript, message);
}

static void line(void *state, char *text, size_t length)
{
    const struct transcript *transcript = state;
    json_t *row;

    /* Most rows are results of tools; hooks told them. */
    if (memmem(text, length, "\"assistant\"", 11) == NULL &&
        memmem(text, length, CONTINUES, strlen(CONTINUES)) == NULL &&
        (!transcript->alone || memmem(text, length, "\"tool_result\"", 13) == NULL))
        return;
    json_text_mend(text, length);
    row = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
    take_row(state, row);
    json_decref(row);
}

static void report_limit(struct transcript *transcript, const struct observer *observer)
{
    const json_t *limit = transcript->limit;

    if (limit == NULL)
        return;
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_LIMIT,
                                            .name = word(limit, "rateLimitType"),
                                            .until_ms = transcript->reset_ms,
                                            .percent = -1,
                                            .failed = strcmp(word(limit, "status"), "rejected") == 0});
    json_decref(transcript->limit);
    transcript->limit = NULL;
}

/* Before the limit itself, which is what keeps it. */
static void report_continuing(struct transcript *transcript, const struct observer *observer)
{
    if (transcript->continues && transcript->reset_ms != 0)
        observer->observe(observer->argument,
                          &(struct observation){.kind = OBSERVED_RETRY,
                                                .name = "rate_limit",
                                                .text = "the agent goes on by itself after the reset",
                                                .until_ms = transcript->reset_ms});
    transcript->continues = false;
}

static double context_pct(const struct transcript *transcript)
{
    const char *model = transcript->rows.model == NULL ? "" : transcript->rows.model;
    int64_t window = strstr(model, "[1m]") != NULL || transcript->context > WINDOW ? WINDOW_LONG : WINDOW;

    return transcript->context < 0 ? -1 : 100.0 * (double)transcript->context / (double)window;
}

static void report(void *state, const struct observer *observer)
{
    struct transcript *transcript = state;

    report_continuing(transcript, observer);
    report_limit(transcript, observer);
    transcript_rows_report(&transcript->rows, context_pct(transcript), observer);
}

const struct agent_transcript claude_transcript = {.variable = "CLAUDE_CONFIG_DIR",
                                                   .below_variable = "projects/*/%s.jsonl",
                                                   .below_home = ".claude/projects/*/%s.jsonl",
                                                   .create = create,
                                                   .destroy = destroy,
                                                   .grew = grew,
                                                   .line = line,
                                                   .report = report};
