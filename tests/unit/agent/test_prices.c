#include <stdlib.h>

#include "scratch.h"
#include "test.h"

#include "agent/prices.h"

#define MILLION 1000000

static struct usage_record record(const char *model)
{
    return (struct usage_record){USAGE_RECORD_NONE, .message = "m", .model = model};
}

/* Of a million tokens of each kind, in cents. */
static long cents(const struct prices *prices, struct usage_record what)
{
    double cost = prices_cost(prices, &what);

    return cost < 0 ? -1 : (long)(cost * 100 + 0.5);
}

static struct prices *with(const char *text, struct error *error)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "prices.json", text, strlen(text));
    struct prices *prices = prices_load(path, error);

    free(path);
    free(folder);
    return prices;
}

TEST(kinds_of_tokens)
{
    struct prices *prices = prices_load(NULL, NULL);
    struct usage_record what = record("claude-opus-5-5");

    CHECK_NUMBER(cents(prices, what), 0);
    what.input_tokens = what.output_tokens = MILLION;
    CHECK_NUMBER(cents(prices, what), 2400);
    what.cache_read_tokens = MILLION;
    CHECK_NUMBER(cents(prices, what), 2420);
    what.cache_write_tokens = MILLION;
    CHECK_NUMBER(cents(prices, what), 2920);
    what.cache_write_1h_tokens = MILLION;
    CHECK_NUMBER(cents(prices, what), 3220);
    what.web_searches = 3;
    CHECK_NUMBER(cents(prices, what), 3223);
    what.us_only = true;
    CHECK_NUMBER(cents(prices, what), 3545);
    CHECK_STRING(prices_date(prices), "2026-11-21");
    prices_destroy(prices);
}

/* What Claude Code 2.1.329 said of a conversation itself: "totalCostUSD":0.04718. */
TEST(a_cost_as_the_agent_works_it_out)
{
    struct prices *prices = prices_load(NULL, NULL);
    struct usage_record what = record("claude-opus-5-5");

    what.input_tokens = 2400;
    what.output_tokens = 79;
    what.cache_read_tokens = 30000;
    what.cache_write_tokens = 6000;
    CHECK_NUMBER((long)(prices_cost(prices, &what) * 1e6 + 0.5), 47180);
    prices_destroy(prices);
}

TEST(the_longest_name_counts)
{
    static const struct {
        const char *model;
        long cents; /* a million in */
    } cases[] = {{"claude-opus-4-20250514", 1500},
                 {"claude-opus-4-5-20251101", 500},
                 {"claude-opus-5", 500},
                 {"claude-opus-5-5[1m]", 400},
                 {"CLAUDE-SONNET-4-5@20250929", 300},
                 {"us.anthropic.claude-haiku-4-5-20251001-v1:0", 100},
                 {"anthropic/claude-fable-5-2", 800},
                 {"openrouter/openai/gpt-5.5-codex", 1000},
                 {"gpt-5.1-codex-mini", 25},
                 {"gpt-5.9", -1},
                 {"claude-opus-55", -1},
                 {"gemini-3.8-flash-preview", 75},
                 {"gemini", -1},
                 {"", -1},
                 {"/", -1},
                 {NULL, -1}};
    struct prices *prices = prices_load(NULL, NULL);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct usage_record what = record(cases[i].model);
        what.input_tokens = MILLION;
        CHECK_NUMBER(cents(prices, what), cases[i].cents);
    }
    prices_destroy(prices);
}

TEST(long_prompts_are_dearer)
{
    struct prices *prices = prices_load(NULL, NULL);
    struct usage_record what = record("claude-haiku-5-5");

    what.input_tokens = 40000;
    what.cache_read_tokens = 60000;
    what.output_tokens = MILLION;
    CHECK_NUMBER(prices_cost(prices, &what) * 1e6 + 0.5, 504600);
    what.cache_write_tokens = 1;
    CHECK_NUMBER(prices_cost(prices, &what) * 1e6 + 0.5, 2523001);
    prices_destroy(prices);
}

TEST(the_users_prices)
{
    struct error error;
    struct prices *prices = with("{\"models\": {\"claude-opus-5-5\": {\"input\": 1, \"output\": 2},\n"
                                 "\"mine\": {\"input\": 7, \"output\": 8, \"cache_read\": 0}}}",
                                 &error);
    struct usage_record what = record("claude-opus-5-5-20260901");

    CHECK_STRING(error.text, "");
    what.input_tokens = what.cache_write_tokens = what.cache_read_tokens = MILLION;
    CHECK_NUMBER(cents(prices, what), 300);
    what.model = "mine";
    CHECK_NUMBER(cents(prices, what), 1400);
    what.model = "claude-opus-5";
    CHECK_NUMBER(cents(prices, what), 500 + 50 + 625);
    prices_destroy(prices);
}

TEST(a_missing_file_is_none)
{
    struct error error;
    struct prices *prices = prices_load("/nonexistent/prices.json", &error);

    CHECK(prices != NULL);
    CHECK_STRING(error.text, "");
    prices_destroy(prices);
}

TEST(a_bad_file_is_said_with_its_place)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"models\": {\n\"m\": {]}}", "prices.json:2: "},
        {"", "prices.json:"},
        {"[]", ": models: expected an object of models"},
        {"{\"models\": {\"m\": 3}}", ": models.m: expected an object"},
        {"{\"models\": {\"m\": {\"input\": 1}}}", ": models.m: expected numbers \"input\" and \"output\""},
        {"{\"models\": {\"m\": {\"input\": 1, \"output\": -2}}}",
         ": models.m.output: expected a number from 0 to 1000000"},
        {"{\"models\": {\"m\": {\"input\": 1, \"output\": 2, \"cache\": 2}}}",
         ": models.m.cache: no such key"},
        {"{\"models\": {\"m\": {\"input\": 1, \"output\": 2, \"long\": {\"input\": 2}}}}",
         ": models.m.long.above: expected a number of tokens"},
        {"{\"models\": {\"claude-opus-5\": {\"input\": 1, \"output\": 2}, \"m\": []}}",
         ": models.m: expected an object"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error;
        struct prices *prices = with(cases[i].text, &error);
        struct usage_record what = record("claude-opus-5");
        what.input_tokens = MILLION;
        if (strstr(error.text, cases[i].says) == NULL)
            CHECK_STRING(error.text, cases[i].says);
        CHECK_NUMBER(cents(prices, what), 500);
        prices_destroy(prices);
    }
}

TEST_MAIN
