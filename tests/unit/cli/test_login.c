#include <stdlib.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/memory.h"
#include "cli/login.h"
#include "test.h"

#define NOW INT64_C(1795219200000) /* 2026-11-21 */

static const struct {
    const char *agent, *output;
    const char *state, *method, *plan, *email;
    int64_t expires_ms;
} cases[] = {
    {"claude", "{\"loggedIn\": false, \"authMethod\": \"none\", \"loginExpiresAt\": null}\n", "none", NULL,
     NULL, NULL, 0},
    {"claude", "{\"loggedIn\": true, \"authMethod\": \"api_key\", \"apiKeySource\": \"ANTHROPIC_API_KEY\"}",
     "ok", "api_key", NULL, NULL, 0},
    {"claude",
     "a warning\n{\"loggedIn\": true, \"authMethod\": \"claude.ai\", \"email\": \"me@example.org\",\n"
     "\"subscriptionType\": \"max\", \"loginExpiresAt\": \"2026-12-01T00:00:00.000Z\"}\nmore\n",
     "ok", "claude.ai", "max", "me@example.org", INT64_C(1796083200000)},
    {"claude", "{\"loggedIn\": true, \"loginExpiresAt\": 1796083200000}", "ok", NULL, NULL, NULL,
     INT64_C(1796083200000)},
    {"claude", "{\"loggedIn\": true, \"loginExpiresAt\": 1796083200}", "ok", NULL, NULL, NULL,
     INT64_C(1796083200000)},
    {"claude", "{\"loggedIn\": true, \"loginExpiresAt\": 1795219200000}", "expired", NULL, NULL, NULL, NOW},
    {"claude", "{\"loggedIn\": false, \"loginExpiresAt\": \"2026-01-01T00:00:00Z\"}", "expired", NULL, NULL,
     NULL, INT64_C(1767225600000)},
    {"claude", "{\"loggedIn\": true, \"loginExpiresAt\": -1, \"authMethod\": 7, \"email\": \"a\\u0007b\"}",
     "ok", NULL, NULL, NULL, 0},
    /* nobody says so */
    {"claude", "", "unknown", NULL, NULL, NULL, 0},
    {"claude", "{\"loggedIn\": \"yes\", \"authMethod\": \"claude.ai\"}", "unknown", NULL, NULL, NULL, 0},
    {"claude", "{\"loggedIn\": tru", "unknown", NULL, NULL, NULL, 0},
    {"claude", "Logged in using ChatGPT\n", "unknown", NULL, NULL, NULL, 0},
    {"codex", "WARNING: x\nNot logged in\n", "none", NULL, NULL, NULL, 0},
    {"codex", "Logged in using ChatGPT", "ok", "chatgpt", NULL, NULL, 0},
    {"codex", "API key configured - sk-proj-***EFAKE\nAuthentication is checked when you send a request.\n",
     "ok", "api_key", NULL, NULL, 0},
    {"codex", "Logged in using an API key - sk-proj-***EFAKE\r\n", "ok", "api_key", NULL, NULL, 0},
    {"codex", "Error loading configuration: no such file\n", "unknown", NULL, NULL, NULL, 0},
    {"gemini", "{\"loggedIn\": true}", "unknown", NULL, NULL, NULL, 0},
};

static const char *text(const char *value)
{
    return value == NULL ? "(null)" : value;
}

TEST(what_agents_say_of_their_login)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct login login = {.agent = cases[i].agent};
        login_read(&login, agent_catalogue_find(cases[i].agent)->login, cases[i].output,
                   strlen(cases[i].output), NOW);
        CHECK_STRING(login.state, cases[i].state);
        CHECK_STRING(text(login.method), text(cases[i].method));
        CHECK_STRING(text(login.plan), text(cases[i].plan));
        CHECK_STRING(text(login.email), text(cases[i].email));
        CHECK_NUMBER(login.expires_ms, cases[i].expires_ms);
        login_finish(&login);
    }
}

TEST(a_text_that_is_too_long_is_none)
{
    char *output = xasprintf("{\"loggedIn\": true, \"email\": \"%0300d\"}", 1);
    struct login login = {.agent = "claude"};

    login_read(&login, agent_catalogue_find("claude")->login, output, strlen(output), NOW);
    CHECK_STRING(login.state, "ok");
    CHECK(login.email == NULL);
    login_finish(&login);
    free(output);
}

static const char answers[] = "{\"id\":1,\"result\":{\"account\":{\"email\":\"other\"}}}\nnot JSON\n"
                              "{\"id\":2,\"result\":{\"account\":{\"type\":\"chatgpt\",\"email\":\"me@"
                              "example.org\",\"planType\":\"plus\"}}}\n";

static void read_more(struct login *login, const char *output)
{
    login_read_more(login, agent_catalogue_find("codex")->login, output, strlen(output));
}

TEST(the_second_question)
{
    struct login login = {.agent = "codex", .state = "ok"};

    read_more(&login, "{\"id\":2,\"result\":{\"account\":null}}\n");
    read_more(&login, "{\"id\":2,\"error\":{}}");
    CHECK(login.email == NULL && login.plan == NULL);
    read_more(&login, answers);
    CHECK_STRING(text(login.email), "me@example.org");
    CHECK_STRING(text(login.plan), "plus");
    login_finish(&login);
}

TEST_MAIN
