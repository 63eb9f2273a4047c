#include <stdlib.h>

#include "agent/error_class.h"
#include "policy/errors.h"
#include "test.h"

static const struct {
    const char *class, *group;
    int exit_code;
} table[] = {
    {"rate_limit", "retryable", 75},
    {"overloaded", "retryable", 1},
    {"server_error", "retryable", 1},
    {"network", "retryable", 1},
    {"connect_timeout", "retryable", 1},
    {"authentication", "permanent", 77},
    {"billing", "permanent", 1},
    {"permission", "permanent", 1},
    {"not_found", "permanent", 1},
    {"invalid_request", "permanent", 1},
    {"cancelled", "context", 130},
    {"timeout", "context", 124},
    {"context_window", "context", 1},
    {"max_turns", "context", 1},
    {"budget", "context", 1},
    {"out_of_memory", "resource", 1},
    {"too_many_files", "resource", 1},
    {"disk_full", "resource", 1},
    {"something else", "unknown", 1},
    {"", "unknown", 1},
    {NULL, "unknown", 1},
};

TEST(each_class_has_its_group_exit_code_and_a_hint_with_a_command)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct error_rule *rule = error_rule_find(table[i].class);
        char *hint = error_hint(rule, "claude", "api", NULL);
        bool sound = hint != NULL && strchr(hint, '`') != NULL && strchr(hint, '%') == NULL &&
                     strchr(hint, '\n') == NULL;

        free(hint);
        CHECK_STRING(error_group_name(rule->group), table[i].group);
        CHECK_NUMBER(rule->exit_code, table[i].exit_code);
        CHECK(sound);
    }
}

TEST(statuses_of_http_all_have_a_rule)
{
    for (int status = 400; status < 600; status++) {
        const char *class = error_class_of_status(status);

        CHECK(class == NULL || error_rule_find(class)->group != ERROR_UNKNOWN);
    }
}

static const struct {
    const char *class, *agent, *session, *account, *hint;
} hints[] = {
    {"authentication", "claude", "api", NULL,
     "log in: `claude auth login`; `ganger accounts` shows the logins; then `ganger retry api`"},
    {"authentication", "claude", "api", "work",
     "log in: `claude auth login` with the CLAUDE_CONFIG_DIR of account work; `ganger accounts` shows the "
     "logins; then `ganger retry api`"},
    {"authentication", "codex", "api", NULL,
     "log in: `codex login`; `ganger accounts` shows the logins; then `ganger retry api`"},
    {"authentication", "gemini", "api", NULL,
     "log in: `gemini`, then /auth; `ganger accounts` shows the logins; then `ganger retry api`"},
    {"authentication", "opencode", "api", NULL,
     "log in: `opencode auth login`; `ganger accounts` shows the logins; then `ganger retry api`"},
    {"authentication", "pi", "api", NULL,
     "log in: `pi`, then /login; `ganger accounts` shows the logins; then `ganger retry api`"},
    {"authentication", NULL, NULL, NULL,
     "log in: `AGENT`, then /auth; `ganger accounts` shows the logins; then `ganger retry SESSION`"},
    {"rate_limit", "claude", "api", "work",
     "`ganger limits` shows the resets; `ganger retry api -A ACCOUNT` goes on with another account"},
    {"permission", "claude", "api", "work",
     "account work may not do this: `ganger accounts` shows the others, `ganger retry api -A ACCOUNT` uses "
     "one"},
    {"permission", "claude", "api", NULL,
     "its own login may not do this: `ganger accounts` shows the others, `ganger retry api -A ACCOUNT` uses "
     "one"},
    {"context_window", "qwen", "api", NULL,
     "the conversation is too long: `ganger send api /compact`, or begin afresh with `ganger run -a qwen`"},
    /* Words that are filled in are not looked at again. */
    {"network", "claude", "%A%S", NULL, "check the network, then `ganger retry %A%S`"},
};

TEST(hints_have_their_words_filled_in)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        char *hint =
            error_hint(error_rule_find(hints[i].class), hints[i].agent, hints[i].session, hints[i].account);
        bool same = hint != NULL && strcmp(hint, hints[i].hint) == 0;

        if (!same)
            printf("# %s\n", hint);
        free(hint);
        CHECK(same);
    }
}

TEST(no_rule_or_no_hint_is_null)
{
    struct error_rule rule = {"x", ERROR_UNKNOWN, 1, NULL};

    CHECK(error_hint(NULL, "claude", "api", NULL) == NULL);
    CHECK(error_hint(&rule, "claude", "api", NULL) == NULL);
    CHECK_STRING(error_group_name((enum error_group)99), "unknown");
}

TEST_MAIN
