/*
 * Claude Code's transcripts, projects/FOLDER/SESSION.jsonl, those of subagents in folders below. Each content block of an
 * answer is a row that repeats the answer's usage; a resumed conversation may copy rows into another file.
 */
#include <string.h>

#include "agent/json_peek.h"
#include "agent/usage_record.h"

#define MARK "\"usage\""

struct row {
    struct json_view type, timestamp, session, request, sidechain, cost, error, uuid, message;
    struct json_view id, model, usage;
};

struct texts {
    char message[USAGE_TEXT_MAX], request[USAGE_TEXT_MAX], conversation[USAGE_TEXT_MAX],
        model[USAGE_TEXT_MAX];
};

static bool read_row(struct json_view line, struct row *row)
{
    const struct json_wanted of_row[] = {{"type", &row->type},
                                         {"timestamp", &row->timestamp},
                                         {"sessionId", &row->session},
                                         {"requestId", &row->request},
                                         {"isSidechain", &row->sidechain},
                                         {"costUSD", &row->cost},
                                         {"isApiErrorMessage", &row->error},
                                         {"uuid", &row->uuid},
                                         {"message", &row->message}};
    const struct json_wanted of_message[] = {
        {"id", &row->id}, {"model", &row->model}, {"usage", &row->usage}};

    return json_peek_members(line, of_row, sizeof of_row / sizeof of_row[0]) &&
           (row->type.length == 0 || json_peek_is(row->type, "assistant")) &&
           json_peek_members(row->message, of_message, sizeof of_message / sizeof of_message[0]) &&
           !json_peek_true(row->error) && !json_peek_is(row->model, "<synthetic>");
}

/* What the row says of the cache's kinds wins over their sum, which may be left out. */
static void read_cache(struct json_view kinds, struct usage_record *record)
{
    struct json_view five_minutes, hour;
    const struct json_wanted wanted[] = {{"ephemeral_5m_input_tokens", &five_minutes},
                                         {"ephemeral_1h_input_tokens", &hour}};
    int64_t short_lived;

    if (!json_peek_members(kinds, wanted, 2))
        return;
    short_lived = json_peek_count(five_minutes);
    record->cache_write_1h_tokens = json_peek_count(hour);
    if (short_lived >= 0 && record->cache_write_1h_tokens >= 0 &&
        short_lived + record->cache_write_1h_tokens > record->cache_write_tokens)
        record->cache_write_tokens = short_lived + record->cache_write_1h_tokens;
}

static bool read_usage(struct json_view usage, struct usage_record *record)
{
    struct json_view input, output, read, written, kinds, tools, geography;
    const struct json_wanted wanted[] = {
        {"input_tokens", &input},           {"output_tokens", &output},
        {"cache_read_input_tokens", &read}, {"cache_creation_input_tokens", &written},
        {"cache_creation", &kinds},         {"server_tool_use", &tools},
        {"inference_geo", &geography}};

    if (!json_peek_members(usage, wanted, sizeof wanted / sizeof wanted[0]))
        return false;
    record->input_tokens = json_peek_count(input);
    record->output_tokens = json_peek_count(output);
    record->cache_read_tokens = json_peek_count(read);
    record->cache_write_tokens = json_peek_count(written);
    read_cache(kinds, record);
    record->web_searches =
        json_peek_count(json_peek_path(tools, (const char *const[]){"web_search_requests", NULL}));
    record->us_only = json_peek_is(geography, "us");
    return true;
}

static void line(void *state, const char *bytes, size_t length, usage_taker *take, void *argument)
{
    struct usage_record record = {USAGE_RECORD_NONE};
    struct texts texts;
    struct row row;

    (void)state;
    if (memmem(bytes, length, MARK, sizeof MARK - 1) == NULL || !read_row(json_peek(bytes, length), &row) ||
        !read_usage(row.usage, &record))
        return;
    record.message = json_peek_text(row.id, texts.message, sizeof texts.message);
    if (record.message == NULL)
        record.message = json_peek_text(row.uuid, texts.message, sizeof texts.message);
    record.request = json_peek_text(row.request, texts.request, sizeof texts.request);
    record.conversation = json_peek_text(row.session, texts.conversation, sizeof texts.conversation);
    record.model = json_peek_text(row.model, texts.model, sizeof texts.model);
    record.at_ms = json_peek_time(row.timestamp);
    record.sidechain = json_peek_true(row.sidechain);
    record.cost_usd = json_peek_number(row.cost, -1);
    if (record.message != NULL && usage_record_counts(&record))
        take(argument, &record);
}

const struct usage_source usage_claude = {
    .agent = "claude",
    .variable = "CLAUDE_CONFIG_DIR",
    .home = ".claude",
    .patterns = (const char *const[]){"projects/*/*.jsonl", "projects/*/*/*.jsonl", "projects/*/*/*/*.jsonl",
                                      "projects/*/*/*/*/*.jsonl", "projects/*/*/*/*/*/*.jsonl", NULL},
    .conversation =
        (const char *const[]){"projects/*/%s.jsonl", "projects/*/%s/*.jsonl", "projects/*/%s/*/*.jsonl",
                              "projects/*/%s/*/*/*.jsonl", "projects/*/%s/*/*/*/*.jsonl", NULL},
    .line = line,
};
