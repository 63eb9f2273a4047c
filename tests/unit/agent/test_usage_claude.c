#include <stdlib.h>

#include "test.h"

#include "agent/usage_text.h"

#define HEAD                                                                                                 \
    "{\"type\":\"assistant\",\"timestamp\":\"2026-11-21T02:21:56.262Z\",\"sessionId\":\"s1\",\"requestId\":" \
    "\"r1\","

TEST(an_answer)
{
    CHECK_STRING(feed(&usage_claude,
                      HEAD "\"isSidechain\":false,\"message\":{\"id\":\"m1\",\"model\":\"claude-opus-5-5\","
                           "\"content\":[{\"type\":\"text\",\"text\":\"a \\\"usage\\\": {}\"}],\"usage\":{"
                           "\"input_tokens\":1200,\"cache_creation_input_tokens\":3000,"
                           "\"cache_read_input_tokens\":15000,\"output_tokens\":67,"
                           "\"server_tool_use\":{\"web_search_requests\":2},\"inference_geo\":\"us\","
                           "\"cache_creation\":{\"ephemeral_1h_input_tokens\":1000,"
                           "\"ephemeral_5m_input_tokens\":2000}}}}\n"),
                 "m1 r1 s1 claude-opus-5-5 1795227716262 1200 67 15000 3000 1000 2 -1 us\n");
}

TEST(old_versions_report_costs_and_have_no_request)
{
    CHECK_STRING(feed(&usage_claude,
                      "{\"message\":{\"id\":\"m1\",\"model\":\"m\",\"usage\":{\"input_tokens\":1,"
                      "\"output_tokens\":2}},\"costUSD\":0.25,\"uuid\":\"u\"}\n"),
                 "m1 - - m 0 1 2 -1 -1 -1 -1 0.25\n");
    CHECK_STRING(feed(&usage_claude,
                      "{\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":1}},\"uuid\":\"u\"}\n"),
                 "u - - m 0 1 -1 -1 -1 -1 -1 -1\n");
}

TEST(rows_that_are_no_usage)
{
    /* Errors that Claude Code itself wrote, a person's rows, results of tools that hold usage, an answer of nothing. */
    CHECK_STRING(
        feed(&usage_claude, HEAD
             "\"message\":{\"id\":\"m\",\"model\":\"<synthetic>\",\"usage\":{\"output_tokens\":3}}}\n" HEAD
             "\"isApiErrorMessage\":true,\"message\":{\"id\":\"m\",\"model\":\"x\",\"usage\":{"
             "\"output_tokens\":3}}}\n"
             "{\"type\":\"user\",\"message\":{\"id\":\"m\",\"usage\":{\"output_tokens\":3}}}\n"
             "{\"type\":\"user\",\"toolUseResult\":{\"usage\":{\"output_tokens\":3}}}\n"
             "{\"type\":\"progress\",\"data\":{\"message\":{\"type\":\"assistant\",\"message\":{\"id\":"
             "\"m\",\"usage\":{\"output_tokens\":3}}}}}\n" HEAD
             "\"message\":{\"id\":\"m\",\"model\":\"x\",\"usage\":{\"output_tokens\":0}}}\n"),
        "");
}

TEST(numbers_that_cannot_be_are_not_told)
{
    CHECK_STRING(feed(&usage_claude,
                      HEAD "\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":-5,\"output_tokens\":7,"
                           "\"cache_read_input_tokens\":99999999999999999999,"
                           "\"cache_creation_input_tokens\":\"3\"}}}\n" HEAD
                           "\"message\":{\"id\":\"n\",\"usage\":{\"input_tokens\":null,\"output_tokens\":1e3,"
                           "\"cache_read_input_tokens\":1000000000001,\"cache_creation\":7}}}\n"),
                 "m r1 s1 - 1795227716262 -1 7 -1 -1 -1 -1 -1\n"
                 "n r1 s1 - 1795227716262 -1 1000 -1 -1 -1 -1 -1\n");
}

TEST(a_subagents_rows_are_a_sidechain)
{
    CHECK_STRING(feed(&usage_claude, HEAD
                      "\"isSidechain\":true,\"message\":{\"id\":\"m\",\"usage\":{\"output_tokens\":7}}}\n"),
                 "m r1 s1 - 1795227716262 -1 7 -1 -1 -1 -1 -1 side\n");
}

TEST(broken_lines)
{
    static const char whole[] =
        HEAD "\"message\":{\"id\":\"m\",\"model\":\"x\\\\\",\"usage\":{\"output_tokens\":7}}}";
    char text[sizeof whole + 1];

    /* Cut anywhere, it is no row. */
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        memcpy(text, whole, length);
        memcpy(text + length, "\n", 2);
        CHECK_STRING(feed(&usage_claude, text), "");
    }
    /* Nor when the next was written behind a part of it. */
    CHECK_STRING(feed(&usage_claude,
                      "{\"type\":\"assis{\"message\":{\"id\":\"m\",\"usage\":{\"output_tokens\":7}}}\n"),
                 "");
    CHECK_STRING(feed(&usage_claude,
                      "\"usage\"\n[\"usage\"]\n{\"usage\"}\n{\"message\":\"usage\"}\n}\"usage\"{\n"
                      "{\"message\":{\"id\":\"m\",\"usage\":{\"output_tokens\":7]}}\n\n"),
                 "");
}

/* Whatever byte stands anywhere in a row of any agent: nothing is read beyond it, and no number is impossible. */
static void check_sound(void *argument, const struct usage_record *record)
{
    const int64_t counts[] = {record->input_tokens,          record->output_tokens,
                              record->cache_read_tokens,     record->cache_write_tokens,
                              record->cache_write_1h_tokens, record->web_searches};
    bool *sound = argument;

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        *sound &= counts[i] >= -1 && counts[i] <= INT64_C(3000000000000);
    *sound &= record->message != NULL && strlen(record->message) < (size_t)2 * USAGE_TEXT_MAX;
}

static bool sound_with(const struct usage_source *source, const char *row, size_t length, size_t at,
                       char byte)
{
    void *state = source->create == NULL ? NULL : source->create("/nonexistent", 0);
    char *line = malloc(length);
    bool sound = true;

    memcpy(line, row, length);
    line[at] = byte;
    source->line(state, line, length, check_sound, &sound);
    source->line(state, line, at, check_sound, &sound);
    if (source->destroy != NULL)
        source->destroy(state);
    free(line);
    return sound;
}

TEST(any_byte_anywhere)
{
    static const char *const rows[] = {
        HEAD
        "\"isSidechain\":false,\"message\":{\"id\":\"m1\",\"model\":\"o\",\"usage\":{\"input_tokens\":1200,"
        "\"cache_creation\":{\"ephemeral_1h_input_tokens\":1000,\"ephemeral_5m_input_tokens\":2000}}}}",
        ("{\"timestamp\":\"2026-11-21T02:00:05.000Z\",\"type\":\"event_msg\",\"payload\":{\"type\":\"token_"
         "count\","
         "\"info\":{\"total_token_usage\":{\"input_tokens\":10,\"cached_input_tokens\":6,\"output_tokens\":5,"
         "\"total_tokens\":15},\"last_token_usage\":null},\"rate_limits\":{\"plan_type\":null}}}"),
        ("{\"$set\":{\"messages\":[{\"id\":\"a\",\"timestamp\":\"2026-11-21T02:29:56.603Z\",\"type\":"
         "\"gemini\","
         "\"tokens\":{\"input\":19,\"output\":1,\"cached\":15,\"thoughts\":6,\"tool\":2}}]}}"),
        ("{\"uuid\":\"u\",\"type\":\"assistant\",\"usageMetadata\":{\"promptTokenCount\":9,"
         "\"candidatesTokenCount\":2,\"thoughtsTokenCount\":1,\"totalTokenCount\":12}}")};
    static const struct usage_source *const sources[] = {&usage_claude, &usage_codex, &usage_gemini,
                                                         &usage_qwen};
    static const char bytes[] = "\0\\\"{}[]:,-.e9 n\xff";

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t length = strlen(rows[i]);
        CHECK(sound_with(sources[i], rows[i], length, 0, '{'));
        for (size_t at = 0; at < length; at++) {
            for (size_t byte = 0; byte < sizeof bytes - 1; byte++)
                CHECK(sound_with(sources[i], rows[i], length, at, bytes[byte]));
        }
    }
}

TEST(a_line_of_fifty_megabytes)
{
    static const char before[] = "{\"type\":\"assistant\",\"text\":\"",
                      after[] = "\",\"message\":{\"id\":\"m\",\"usage\":{\"output_tokens\":7}}}";
    size_t size = (size_t)50 * 1024 * 1024, head = sizeof before - 1, tail = sizeof after - 1;
    char *line = malloc(head + size + tail);

    memcpy(line, before, head);
    memset(line + head, '\\', size);
    memcpy(line + head + size, after, tail);
    begin();
    usage_claude.line(NULL, line, head + size + tail, take, NULL);
    free(line);
    CHECK_STRING(told.bytes, "m - - - 0 -1 7 -1 -1 -1 -1 -1\n");
}

TEST(known_sources)
{
    CHECK(usage_source_find("claude") == &usage_claude);
    CHECK(usage_source_find("command") == NULL);
    for (size_t i = 0; usage_source_at(i) != NULL; i++)
        CHECK(usage_source_find(usage_source_at(i)->agent) == usage_source_at(i));
}

TEST_MAIN
