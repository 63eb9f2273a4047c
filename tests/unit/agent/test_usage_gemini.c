#include <stdlib.h>

#include "scratch.h"
#include "test.h"

#include "agent/usage_text.h"

#define BEGIN "{\"sessionId\":\"s1\",\"projectHash\":\"h\",\"kind\":\"main\"}\n"
#define MESSAGE(id, tokens)                                                                                  \
    "{\"id\":\"" id "\",\"timestamp\":\"2026-11-21T02:29:56.603Z\",\"type\":\"gemini\",\"content\":\"x\","   \
    "\"tokens\":{" tokens "},\"model\":\"gemini-3.8-flash\"}"
#define TOKENS "\"input\":19200,\"output\":120,\"cached\":15000,\"thoughts\":64,\"tool\":0,\"total\":19384"
#define TOLD(id, conversation)                                                                               \
    id " - " conversation " gemini-3.8-flash 1795228196603 4200 184 15000 -1 -1 -1 -1\n"

TEST(messages)
{
    CHECK_STRING(feed(&usage_gemini, BEGIN MESSAGE("a", TOKENS) "\n" MESSAGE(
                                         "b", "\"input\":10,\"output\":1,\"tool\":5") "\n"),
                 TOLD("a", "s1") "b - s1 gemini-3.8-flash 1795228196603 15 1 -1 -1 -1 -1 -1\n");
}

TEST(messages_written_anew)
{
    CHECK_STRING(feed(&usage_gemini, "{\"$set\":{\"messages\":[{\"id\":\"u\",\"type\":\"user\"}," MESSAGE(
                                         "a", TOKENS) "]}}\n{\"$set\":{\"lastUpdated\":\"x\"}}\n"),
                 TOLD("a", "-"));
}

TEST(what_is_no_message)
{
    CHECK_STRING(feed(&usage_gemini, "{\"type\":\"user\",\"id\":\"a\",\"tokens\":{\"input\":3}}\n"
                                     "{\"type\":\"gemini\",\"tokens\":{\"input\":3}}\n"
                                     "{\"type\":\"gemini\",\"id\":\"a\",\"tokens\":null}\n"
                                     "{\"type\":\"gemini\",\"id\":\"a\",\"tokens\":{\"input\":-3}}\n"
                                     "{\"type\":\"gemini\",\"id\":\"a\",\"tokens\":{\"input\":3}\n"),
                 "");
}

TEST(an_older_file)
{
    static const char text[] = "{\n  \"sessionId\": \"s2\",\n  \"messages\": [ " MESSAGE(
        "a", TOKENS) ",\n" MESSAGE("b", TOKENS) " ]\n}\n";
    char *folder = scratch_folder(), *path = scratch_file(folder, "session-1.json", text, sizeof text - 1);
    int64_t mark = 0;

    begin();
    CHECK_NUMBER(usage_gemini.read(path, NULL, &mark, take, NULL), 0);
    CHECK_STRING(told.bytes, TOLD("a", "s2") TOLD("b", "s2"));
    CHECK(mark > 0);
    begin();
    CHECK_NUMBER(usage_gemini.read(path, NULL, &mark, take, NULL), 0);
    CHECK_STRING(told.bytes, "");
    CHECK_NUMBER(usage_gemini.read("/nonexistent", NULL, &mark, take, NULL), -1);
    free(path);
    free(folder);
}

TEST(goes_on_within_a_file)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "a.jsonl", BEGIN, sizeof BEGIN - 1);
    void *state = usage_gemini.create(path, sizeof BEGIN - 1);

    begin();
    feed_state(&usage_gemini, state, MESSAGE("a", TOKENS) "\n");
    CHECK_STRING(told.bytes, TOLD("a", "s1"));
    usage_gemini.destroy(state);
    free(path);
    free(folder);
}

#define QWEN(metadata)                                                                                       \
    "{\"uuid\":\"u\",\"sessionId\":\"q\",\"timestamp\":\"2026-11-21T02:33:32.485Z\",\"type\":\"assistant\"," \
    "\"model\":\"m\",\"usageMetadata\":{" metadata "}}\n"

TEST(qwen)
{
    /* Thoughts within the answer, and beside it. */
    CHECK_STRING(
        feed(&usage_qwen,
             QWEN("\"promptTokenCount\":19200,\"candidatesTokenCount\":120,\"thoughtsTokenCount\":64,"
                  "\"totalTokenCount\":19320,\"cachedContentTokenCount\":15000")
                 QWEN("\"promptTokenCount\":100,"
                      "\"candidatesTokenCount\":20,"
                      "\"thoughtsTokenCount\":5,"
                      "\"totalTokenCount\":125")),
        "u - q m 1795228412485 4200 120 15000 -1 -1 -1 -1\nu - q m 1795228412485 100 25 -1 -1 -1 -1 -1\n");
    CHECK_STRING(feed(&usage_qwen,
                      "{\"type\":\"system\",\"uuid\":\"u\",\"usageMetadata\":{\"promptTokenCount\":1}}\n"),
                 "");
}

TEST_MAIN
