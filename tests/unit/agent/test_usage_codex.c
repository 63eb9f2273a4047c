#include <stdlib.h>

#include "scratch.h"
#include "test.h"

#include "agent/usage_text.h"

#define META(id, more)                                                                                       \
    "{\"timestamp\":\"2026-11-21T02:00:00.000Z\",\"type\":\"session_meta\",\"payload\":{\"id\":\"" id        \
    "\",\"session_id\":\"" id "\"" more "}}\n"
#define TURN(id, model)                                                                                      \
    "{\"timestamp\":\"2026-11-21T02:00:00.100Z\",\"type\":\"turn_context\",\"payload\":{\"turn_id\":\"" id   \
    "\",\"model\":\"" model "\"}}\n"
#define COUNTS(input, cached, output, total)                                                                 \
    "{\"input_tokens\":" input ",\"cached_input_tokens\":" cached ",\"output_tokens\":" output               \
    ",\"reasoning_output_tokens\":1,\"total_tokens\":" total "}"
#define COUNT_AT(at, sum, last)                                                                              \
    "{\"timestamp\":\"2026-11-21T" at "Z\",\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\","    \
    "\"info\":{\"total_token_usage\":" sum ",\"last_token_usage\":" last                                     \
    "},\"rate_limits\":{\"plan_type\":null}}}\n"
#define COUNT(sum, last) COUNT_AT("02:00:05.000", sum, last)
#define FIRST COUNTS("100", "60", "20", "120")
#define SECOND COUNTS("300", "160", "30", "330")
#define MORE COUNTS("200", "100", "10", "210")

TEST(answers_of_a_turn)
{
    CHECK_STRING(feed(&usage_codex,
                      META("c", "") TURN("t1", "gpt-5.5") COUNT(FIRST, FIRST) COUNT(FIRST, FIRST)
                          TURN("t2", "gpt-6-sol") COUNT(FIRST, FIRST) COUNT(SECOND, MORE)),
                 "t1:100:60:20:120 - c gpt-5.5 1795226405000 40 20 60 -1 -1 -1 -1\n"
                 "t2:300:160:30:330 - c gpt-6-sol 1795226405000 100 10 100 -1 -1 -1 -1\n");
}

TEST(sums_alone)
{
    CHECK_STRING(feed(&usage_codex, META("c", "") COUNT(FIRST, "null") COUNT(SECOND, "null")
                                        COUNT(COUNTS("10", "0", "5", "15"), "null")),
                 "c:100:60:20:120 - c - 1795226405000 40 20 60 -1 -1 -1 -1\n"
                 "c:300:160:30:330 - c - 1795226405000 100 10 100 -1 -1 -1 -1\n"
                 "c:10:0:5:15 - c - 1795226405000 10 5 0 -1 -1 -1 -1\n");
}

TEST(a_copy_of_another_conversation_has_its_names)
{
    static const char *parent = META("p", "") TURN("t1", "m") COUNT_AT("01:00:00.000", FIRST, FIRST);
    static const char *child = META("k", ",\"forked_from_id\":\"p\"") META("p", "") TURN("t1", "m")
        COUNT_AT("02:00:00.010", FIRST, FIRST) TURN("t2", "m") COUNT(SECOND, MORE);

    CHECK_STRING(feed(&usage_codex, parent), "t1:100:60:20:120 - p m 1795222800000 40 20 60 -1 -1 -1 -1\n");
    CHECK_STRING(feed(&usage_codex, child),
                 "t1:100:60:20:120 - p m 1795226400010 40 20 60 -1 -1 -1 -1 copied\n"
                 "t2:300:160:30:330 - k m 1795226405000 100 10 100 -1 -1 -1 -1\n");
}

TEST(a_copy_without_turns_has_the_names_of_the_other)
{
    CHECK_STRING(feed(&usage_codex, META("k", ",\"forked_from_id\":\"p\"") META("p", "")
                                        COUNT_AT("02:00:00.010", FIRST, FIRST) COUNT(SECOND, MORE)),
                 "p:100:60:20:120 - p - 1795226400010 40 20 60 -1 -1 -1 -1 copied\n"
                 "k:300:160:30:330 - k - 1795226405000 100 10 100 -1 -1 -1 -1\n");
}

#define OLDER "01a1fddb-3aa5-73f0-a70c-742a1e99874b"
#define CHILD "01a1fddb-3ce5-7a53-a611-30d6d4673440"
#define YOUNGER "01a1fddb-3d05-7043-a860-536cb7e7cb23"

/* However fast an answer comes. */
TEST(turns_with_times_are_copied_when_they_are_older)
{
    CHECK_STRING(feed(&usage_codex, META(CHILD, ",\"forked_from_id\":\"p\"") META("p", "") TURN(OLDER, "m")
                                        COUNT_AT("02:00:09.010", FIRST, FIRST) TURN(YOUNGER, "m")
                                            COUNT_AT("02:00:00.010", SECOND, MORE)),
                 OLDER ":100:60:20:120 - p m 1795226409010 40 20 60 -1 -1 -1 -1 copied\n" YOUNGER
                       ":300:160:30:330 - " CHILD " m 1795226400010 100 10 100 -1 -1 -1 -1\n");
}

static bool belongs(const char *first, const char *name, const char *conversation)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, name, first, strlen(first));
    bool found = usage_codex.belongs(path, conversation);

    free(path);
    free(folder);
    return found;
}

TEST(subagents_belong_to_those_that_began_them)
{
    static const char *child = META(CHILD, ",\"parent_thread_id\":\"" OLDER "\""),
                      *fork = META(CHILD, ",\"forked_from_id\":\"" OLDER "\"");
    static const char name[] = "rollout-2026-11-21T11-26-06-" CHILD ".jsonl";

    CHECK(belongs(child, name, OLDER));
    CHECK(!belongs(child, name, CHILD));
    CHECK(!belongs(child, name, YOUNGER));
    CHECK(!belongs(fork, name, OLDER));
    CHECK(!belongs("{\"type\":\"session_meta\"", name, OLDER));
    CHECK(!belongs("", name, OLDER));
}

TEST(what_is_no_count)
{
    CHECK_STRING(
        feed(&usage_codex,
             META("c", "") COUNT("null", "null") COUNT("{}", "{}") COUNT(
                 COUNTS("-1", "-1", "-1", "-1"),
                 "null") "{\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":null}}\n"
                         "{\"type\":\"response_item\",\"payload\":{\"text\":\"\\\"token_count\\\"\",\"x\":"
                         "\"token_count\"}}\n"
                         "{\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":{\"total_"
                         "tok\n"),
        "");
}

TEST(cached_more_than_sent_and_written)
{
    CHECK_STRING(
        feed(&usage_codex, META("c", "") COUNT(FIRST, "{\"input_tokens\":10,\"cached_input_tokens\":60,"
                                                      "\"cache_write_input_tokens\":5,\"output_tokens\":1}")),
        "c:100:60:20:120 - c - 1795226405000 0 1 60 5 -1 -1 -1\n");
}

TEST(a_plan_is_a_subscription)
{
    CHECK_STRING(feed(&usage_codex,
                      META("c", "") "{\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":{"
                                    "\"total_token_usage\":" FIRST ",\"last_token_usage\":" FIRST
                                    "},\"rate_limits\":{\"plan_type\":\"plus\"}}}\n"),
                 "c:100:60:20:120 - c - 0 40 20 60 -1 -1 -1 -1 subscription\n");
}

/* What was read before is remembered out of the file itself, however far back it is. */
TEST(goes_on_within_a_file)
{
    static const char before[] = META("c", "") COUNT(FIRST, "null") TURN("t1", "gpt-5.5");
    static const char middle[] = "{\"type\":\"response_item\",\"payload\":\"", after[] = "\"}\n";
    size_t filler = 3 * 1024 * 1024;
    struct buffer text;
    char *folder = scratch_folder(), *path;
    void *state;

    buffer_init(&text);
    buffer_append_string(&text, before);
    buffer_append_string(&text, middle);
    memset(buffer_reserve(&text, filler), 'x', filler);
    text.length += filler;
    buffer_append_string(&text, after);
    path = scratch_file(folder, "rollout-c.jsonl", text.bytes, text.length);
    state = usage_codex.create(path, (int64_t)text.length);
    begin();
    feed_state(&usage_codex, state, COUNT(FIRST, "null") COUNT(SECOND, "null"));
    CHECK_STRING(told.bytes, "t1:300:160:30:330 - c gpt-5.5 1795226405000 100 10 100 -1 -1 -1 -1\n");
    usage_codex.destroy(state);
    buffer_finish(&text);
    free(path);
    free(folder);
}

TEST_MAIN
