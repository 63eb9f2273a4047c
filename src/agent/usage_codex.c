/*
 * Codex' rollouts, sessions/YYYY/MM/DD/rollout-TIME-ID.jsonl: after each answer an event "token_count" with what it used
 * and the conversation's sum. The same sum may be told again. A forked conversation begins with a copy of the other's
 * events, at times of its own; turns keep their ids, so that an answer is named by its turn and the sum after it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/file_part.h"
#include "agent/json_peek.h"
#include "agent/usage_record.h"
#include "base/memory.h"

#define HEAD 512 /* of a line: its kind is told there */
#define FIRST_MAX ((size_t)4 * 1024 * 1024)
#define FIRST ((size_t)64 * 1024)
#define PIECE ((size_t)256 * 1024)
#define COPY_MS 1500 /* a copy is written at once; no answer comes so soon */

struct counts {
    int64_t input, cached, written, output, total;
};

struct rollout {
    char conversation[USAGE_TEXT_MAX], root[USAGE_TEXT_MAX], parent[USAGE_TEXT_MAX];
    bool subagent; /* the parent began it; else it was copied from the parent */
    char model[USAGE_TEXT_MAX], turn[USAGE_TEXT_MAX];
    int64_t began_ms;
    bool begun;        /* its own first line was seen; those of a copy follow */
    struct counts sum; /* told last; total 0: none */
};

static bool says(const char *bytes, size_t length, const char *word)
{
    return memmem(bytes, length < HEAD ? length : HEAD, word, strlen(word)) != NULL;
}

static void note_meta(struct rollout *rollout, struct json_view payload, struct json_view timestamp)
{
    struct json_view id, session, forked, parent;
    const struct json_wanted wanted[] = {
        {"id", &id}, {"session_id", &session}, {"forked_from_id", &forked}, {"parent_thread_id", &parent}};

    if (rollout->begun || !json_peek_members(payload, wanted, sizeof wanted / sizeof wanted[0]))
        return;
    rollout->begun = true;
    rollout->began_ms = json_peek_time(timestamp);
    (void)json_peek_text(session, rollout->root, sizeof rollout->root);
    if (json_peek_text(id, rollout->conversation, sizeof rollout->conversation) == NULL)
        (void)strlcpy(rollout->conversation, rollout->root, sizeof rollout->conversation);
    rollout->subagent = parent.length > 2 && *parent.at == '"';
    if (json_peek_text(forked, rollout->parent, sizeof rollout->parent) == NULL)
        (void)json_peek_text(parent, rollout->parent, sizeof rollout->parent);
}

static void note_turn(struct rollout *rollout, struct json_view payload)
{
    struct json_view model, turn;
    const struct json_wanted wanted[] = {{"model", &model}, {"turn_id", &turn}};

    if (!json_peek_members(payload, wanted, 2))
        return;
    (void)json_peek_text(model, rollout->model, sizeof rollout->model);
    (void)json_peek_text(turn, rollout->turn, sizeof rollout->turn);
}

static bool read_counts(struct json_view usage, struct counts *counts)
{
    struct json_view input, cached, written, output, total;
    const struct json_wanted wanted[] = {{"input_tokens", &input},
                                         {"cached_input_tokens", &cached},
                                         {"cache_write_input_tokens", &written},
                                         {"output_tokens", &output},
                                         {"total_tokens", &total}};

    if (!json_peek_members(usage, wanted, sizeof wanted / sizeof wanted[0]))
        return false;
    *counts = (struct counts){json_peek_count(input), json_peek_count(cached), json_peek_count(written),
                              json_peek_count(output), json_peek_count(total)};
    return true;
}

static int64_t since(int64_t sum, int64_t before)
{
    return sum >= before && before > 0 ? sum - before : sum;
}

/* What an answer used: as told, else what the sum grew by. A sum that fell began anew. */
static bool read_answer(const struct rollout *rollout, struct json_view last, const struct counts *sum,
                        struct counts *answer)
{
    const struct counts *before = &rollout->sum;

    if (read_counts(last, answer))
        return true;
    if (sum->total <= 0)
        return false;
    *answer = *sum;
    if (sum->total >= before->total && before->total > 0)
        *answer = (struct counts){since(sum->input, before->input), since(sum->cached, before->cached),
                                  since(sum->written, before->written), since(sum->output, before->output),
                                  sum->total - before->total};
    return true;
}

/* UUIDs of version 7 begin with their time: a turn that is older than the conversation was copied into it. */
static bool is_timed(const char *id)
{
    return strlen(id) == 36 && id[14] == '7';
}

static bool is_copied(const struct rollout *rollout, int64_t at_ms)
{
    if (rollout->parent[0] == '\0')
        return false;
    if (is_timed(rollout->turn) && is_timed(rollout->conversation))
        return strcmp(rollout->turn, rollout->conversation) < 0;
    return at_ms - rollout->began_ms < COPY_MS;
}

/* An event without a turn's id belongs to the conversation that it was copied from. */
static void name_answer(const struct rollout *rollout, const struct counts *sum, int64_t at_ms, char *name,
                        size_t size, struct usage_record *record)
{
    bool copied = is_copied(rollout, at_ms);
    const char *whose = copied ? rollout->parent : rollout->conversation;

    (void)snprintf(name, size, "%.80s:%" PRId64 ":%" PRId64 ":%" PRId64 ":%" PRId64,
                   rollout->turn[0] != '\0' ? rollout->turn : whose, sum->input, sum->cached, sum->output,
                   sum->total);
    if (sum->total <= 0)
        (void)snprintf(name, size, "%.80s@%" PRId64, whose, at_ms);
    record->message = name;
    record->copied = copied;
    record->conversation = whose[0] != '\0' ? whose : NULL;
}

static void count(struct rollout *rollout, struct json_view payload, struct json_view timestamp,
                  usage_taker *take, void *argument)
{
    static const char *const plan_path[] = {"rate_limits", "plan_type", NULL};
    struct json_view info, total, last, plan = json_peek_path(payload, plan_path);
    const struct json_wanted wanted[] = {{"total_token_usage", &total}, {"last_token_usage", &last}};
    struct usage_record record = {USAGE_RECORD_NONE};
    struct counts sum = {0, 0, 0, 0, 0}, answer;
    char name[2 * USAGE_TEXT_MAX];

    info = json_peek_path(payload, (const char *const[]){"info", NULL});
    if (!json_peek_members(info, wanted, 2))
        return;
    (void)read_counts(total, &sum);
    if (!read_answer(rollout, last, &sum, &answer))
        return;
    record.at_ms = json_peek_time(timestamp);
    name_answer(rollout, &sum, record.at_ms, name, sizeof name, &record);
    record.model = rollout->model[0] != '\0' ? rollout->model : NULL;
    record.subscription = plan.length > 2 && *plan.at == '"';
    record.cache_read_tokens = answer.cached;
    record.cache_write_tokens = answer.written;
    record.input_tokens = usage_without(usage_without(answer.input, answer.cached), answer.written);
    record.output_tokens = answer.output;
    if (usage_record_counts(&record) && memcmp(&sum, &rollout->sum, sizeof sum) != 0 && take != NULL)
        take(argument, &record);
    rollout->sum = sum;
}

static void line(void *state, const char *bytes, size_t length, usage_taker *take, void *argument)
{
    struct rollout *rollout = state;
    struct json_view type, payload, timestamp;
    const struct json_wanted wanted[] = {{"type", &type}, {"payload", &payload}, {"timestamp", &timestamp}};

    if (!says(bytes, length, "\"token_count\"") && !says(bytes, length, "\"turn_context\"") &&
        !says(bytes, length, "\"session_meta\""))
        return;
    if (!json_peek_members(json_peek(bytes, length), wanted, sizeof wanted / sizeof wanted[0]))
        return;
    if (json_peek_is(type, "session_meta"))
        note_meta(rollout, payload, timestamp);
    else if (json_peek_is(type, "turn_context"))
        note_turn(rollout, payload);
    else if (json_peek_is(type, "event_msg") &&
             json_peek_is(json_peek_path(payload, (const char *const[]){"type", NULL}), "token_count"))
        count(rollout, payload, timestamp, take, argument);
}

/* ---- what came before ---- */

static void note_lines(struct rollout *rollout, const char *bytes, size_t length)
{
    const char *end = bytes + length, *newline;

    for (; (newline = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL; bytes = newline + 1)
        line(rollout, bytes, (size_t)(newline - bytes), NULL, NULL);
}

static void note_first(struct rollout *rollout, const char *path)
{
    size_t length = 0;
    char *bytes = file_part_read(path, 0, FIRST, &length);

    if (bytes != NULL && length == FIRST && memchr(bytes, '\n', length) == NULL) {
        free(bytes);
        bytes = file_part_read(path, 0, FIRST_MAX, &length);
    }
    if (bytes != NULL) {
        const char *newline = memchr(bytes, '\n', length);
        if (newline != NULL)
            line(rollout, bytes, (size_t)(newline - bytes), NULL, NULL);
    }
    free(bytes);
}

/* Looks back from `offset` for the turn that goes on there, further each time, to the beginning if need be. */
static void note_before(struct rollout *rollout, const char *path, int64_t offset)
{
    bool found = false;

    for (int64_t back = (int64_t)PIECE; !found && offset > 0; back *= 4) {
        int64_t from = back < offset ? offset - back : 0;
        size_t length = 0;
        char *bytes = file_part_read(path, from, (size_t)(offset - from), &length);
        const char *first = bytes == NULL ? NULL : memchr(bytes, '\n', length);
        found = bytes == NULL || from == 0 || length > FIRST_MAX * 16;
        if (first != NULL && (found || (memmem(bytes, length, "\"turn_context\"", 14) != NULL &&
                                        memmem(bytes, length, "\"token_count\"", 13) != NULL))) {
            found = true;
            note_lines(rollout, first + 1, length - (size_t)(first + 1 - bytes));
        }
        free(bytes);
    }
}

static void *create(const char *path, int64_t offset)
{
    struct rollout *rollout = xcalloc(1, sizeof *rollout);

    if (offset > 0) {
        note_first(rollout, path);
        note_before(rollout, path, offset);
    }
    return rollout;
}

/* A subagent's conversation names the one that began it, and that in which all began. */
static bool belongs(const char *path, const char *conversation)
{
    struct rollout *rollout;
    size_t length = strlen(path), id = strlen(conversation) + strlen(".jsonl");
    bool found;

    /* The name ends with its id, which is younger than that of its parent. */
    if (length < id || strncmp(path + length - id, conversation, strlen(conversation)) <= 0)
        return false;
    rollout = xcalloc(1, sizeof *rollout);
    note_first(rollout, path);
    found = rollout->subagent &&
            (strcmp(rollout->parent, conversation) == 0 || strcmp(rollout->root, conversation) == 0);
    free(rollout);
    return found;
}

const struct usage_source usage_codex = {
    .agent = "codex",
    .variable = "CODEX_HOME",
    .home = ".codex",
    .patterns = (const char *const[]){"sessions/*/*/*/rollout-*.jsonl", "sessions/*/*/*/rollout-*.jsonl.zst",
                                      "sessions/rollout-*.jsonl", "archived_sessions/rollout-*.jsonl",
                                      "archived_sessions/rollout-*.jsonl.zst", NULL},
    .conversation =
        (const char *const[]){"sessions/*/*/*/rollout-*-%s.jsonl", "sessions/*/*/*/rollout-*-%s.jsonl.zst",
                              "archived_sessions/rollout-*-%s.jsonl",
                              "archived_sessions/rollout-*-%s.jsonl.zst", NULL},
    .related = (const char *const[]){"sessions/*/*/*/rollout-*.jsonl", NULL},
    .belongs = belongs,
    .create = create,
    .destroy = free,
    .line = line,
};
