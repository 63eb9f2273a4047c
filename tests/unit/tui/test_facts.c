#include "tui/facts.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static bool take(struct facts *facts, const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    bool changed = facts_take(facts, object);

    json_decref(object);
    return object != NULL && changed;
}

TEST(used)
{
    struct facts facts;

    facts_init(&facts);
    CHECK(!take(&facts, "{}"));
    CHECK(!facts_used(&facts));
    CHECK(
        take(&facts,
             "{\"usage\": {\"input_tokens\": 100, \"output_tokens\": 20, \"cache_read_tokens\": null,"
             " \"cost_usd\": 1.5, \"cost_basis\": \"computed\"}, \"context_pct\": 41.5, \"model\": \"m\"}"));
    CHECK_NUMBER(facts.tokens, 120);
    CHECK(facts.cost_usd > 1.4 && facts.cost_estimated && facts.context_pct > 41);
    CHECK(facts_used(&facts));
    CHECK(take(&facts, "{\"usage\": null}"));
    CHECK_NUMBER(facts.tokens, -1);
    CHECK(!facts_used(&facts));
    facts_finish(&facts);
}

TEST(the_command_of_a_hint_comes_first_when_it_would_be_cut)
{
    static const struct {
        const char *hint;
        int cols;
        const char *row;
    } cases[] = {
        {"the service failed: `ganger retry api` in a minute", 80,
         "the service failed: `ganger retry api` in a minute"},
        {"the service failed: `ganger retry api` in a minute", 40,
         "the service failed: `ganger retry api` in a minute"},
        {"the service failed: `ganger retry api` in a minute", 30,
         "ganger retry api · the service failed: `ganger retry api` in a minute"},
        {"log in again: ganger login claude/home", 20,
         "ganger login claude/home · log in again: ganger login claude/home"},
        {"check the network of the machine", 10, "check the network of the machine"},
        {"", 10, ""},
    };
    char row[200];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        facts_hint_row(cases[i].hint, cases[i].cols, row, sizeof row);
        CHECK_STRING(row, cases[i].row);
    }
}

TEST(hostile_values)
{
    struct facts facts;

    facts_init(&facts);
    (void)take(
        &facts,
        "{\"usage\": {\"input_tokens\": -5, \"output_tokens\": 9223372036854775807, \"cost_usd\": \"x\"},"
        " \"context_pct\": [], \"model\": 7, \"queue\": [7, {\"id\": 3}, {\"id\": \"a\"}, null], "
        "\"waiting\": \"x\","
        " \"last_error\": {\"hint\": \"a\\u001b[31mb\\nc\"}}");
    CHECK_NUMBER(facts.tokens, -1);
    CHECK_NUMBER(json_array_size(facts.queue), 1);
    CHECK_NUMBER(facts.waiting, WAITING_NOT);
    CHECK_STRING(facts.hint, "a [31mb c");
    (void)take(&facts,
               "{\"queue\": {\"id\": \"a\"}, \"waiting\": {\"for\": \"else\", \"until\": \"never\"}}");
    CHECK_NUMBER(json_array_size(facts.queue), 0);
    CHECK_NUMBER(facts.waiting, WAITING_OTHER);
    CHECK_NUMBER(facts.waiting_until_ms, 0);
    facts_finish(&facts);
}

TEST(models)
{
    static const struct {
        const char *model, *agent, *text;
    } cases[] = {{"claude-opus-4-1-20250805", "claude", "opus-4-1"},
                 {"gpt-5.1-codex", "codex", "gpt-5.1-codex"},
                 {"anthropic/claude-sonnet-4-5", "opencode", "claude-sonnet-4-5"},
                 {"gemini-2.5-pro", "gemini", "2.5-pro"},
                 {"", "claude", ""},
                 {"claude-", "claude", "claude-"},
                 {"20250805", "", "20250805"},
                 {"a/", "x", "a/"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct facts facts;
        size_t length;
        const char *model;
        char *text;
        facts_init(&facts);
        free(facts.model);
        facts.model = strdup(cases[i].model);
        model = facts_model(&facts, cases[i].agent, &length);
        text = strndup(model, length);
        CHECK_STRING(text, cases[i].text);
        free(text);
        facts_finish(&facts);
    }
}

TEST(waiting)
{
    struct facts facts;
    char text[80];

    facts_init(&facts);
    facts_waiting_text(&facts, "claude/work", false, text, sizeof text);
    CHECK_STRING(text, "");
    CHECK(take(&facts, "{\"waiting\": {\"for\": \"limit\", \"account\": \"work\", \"until\": "
                       "\"2026-11-21T09:00:00.000Z\"}}"));
    facts_waiting_text(&facts, "claude/work", false, text, sizeof text);
    CHECK_STRING(text, "waits for claude/work");
    facts_waiting_text(&facts, "claude/work", true, text, sizeof text);
    CHECK_STRING(text, "claude/work");
    CHECK(facts.waiting_until_ms > 0);
    (void)take(&facts, "{\"waiting\": {\"for\": \"budget\", \"reason\": \"$5 a day are spent\"}}");
    facts_waiting_text(&facts, "claude", false, text, sizeof text);
    CHECK_STRING(text, "$5 a day are spent");
    facts_finish(&facts);
}

TEST(what_goes_next)
{
    struct facts facts;

    facts_init(&facts);
    CHECK_NUMBER(facts_next(&facts), 0);
    (void)take(
        &facts,
        "{\"queue\": [{\"id\": \"1\", \"state\": \"uncertain\"}, {\"id\": \"2\", \"state\": \"queued\"}]}");
    CHECK_NUMBER(facts_next(&facts), 1);
    (void)take(&facts, "{\"queue\": [{\"id\": \"1\", \"state\": \"uncertain\"}]}");
    CHECK_NUMBER(facts_next(&facts), 1);
    facts_finish(&facts);
}

TEST_MAIN
