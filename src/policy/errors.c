#include "policy/errors.h"

#include <stdlib.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/buffer.h"
#include "base/json.h"

enum { EXIT_OTHER = 1, EXIT_LIMITED = 75, EXIT_LOGIN = 77, EXIT_TIMEOUT = 124, EXIT_CANCELLED = 130 };

static const struct error_rule rules[] = {
    {"rate_limit", ERROR_RETRYABLE, EXIT_LIMITED,
     "`ganger limits` shows the resets; `ganger retry %S -A ACCOUNT` goes on with another account"},
    {"overloaded", ERROR_RETRYABLE, EXIT_OTHER,
     "the service is overloaded: `ganger retry %S` in some minutes"},
    {"server_error", ERROR_RETRYABLE, EXIT_OTHER, "the service failed: `ganger retry %S` in some minutes"},
    {"network", ERROR_RETRYABLE, EXIT_OTHER, "check the network, then `ganger retry %S`"},
    {"connect_timeout", ERROR_RETRYABLE, EXIT_OTHER,
     "nothing answered: check the network, then `ganger retry %S`"},

    {"authentication", ERROR_PERMANENT, EXIT_LOGIN,
     "log in: %L; `ganger accounts` shows the logins; then `ganger retry %S`"},
    {"billing", ERROR_PERMANENT, EXIT_OTHER,
     "%K cannot pay: add credit at the vendor, or use another of `ganger accounts`: `ganger retry %S -A "
     "ACCOUNT`"},
    {"permission", ERROR_PERMANENT, EXIT_OTHER,
     "%K may not do this: `ganger accounts` shows the others, `ganger retry %S -A ACCOUNT` uses one"},
    {"not_found", ERROR_PERMANENT, EXIT_OTHER,
     "the model or address does not exist for %K: `ganger why %S` shows what was asked for"},
    {"invalid_request", ERROR_PERMANENT, EXIT_OTHER,
     "the service refused the request: `ganger logs %S` shows why"},

    {"cancelled", ERROR_CONTEXT, EXIT_CANCELLED, "`ganger retry %S` asks again"},
    {"timeout", ERROR_CONTEXT, EXIT_TIMEOUT,
     "`ganger logs %S` shows how far it came, `ganger retry %S` goes on; timeouts.hard_s allows more time"},
    {"session_timeout", ERROR_CONTEXT, EXIT_TIMEOUT,
     "`ganger logs %S` shows how far it came, `ganger retry %S` goes on; a longer --timeout, or timeout_s of "
     "a crew's file, allows "
     "more time"},
    {"context_window", ERROR_CONTEXT, EXIT_OTHER,
     "the conversation is too long: `ganger send %S /compact`, or begin afresh with `ganger run -a %A`"},
    {"max_turns", ERROR_CONTEXT, EXIT_OTHER,
     "the agent's own bound of turns: `ganger send %S continue` goes on"},
    {"budget", ERROR_CONTEXT, EXIT_OTHER,
     "a budget is spent: `ganger usage` shows which; budgets in `ganger config` allow more"},

    {"out_of_memory", ERROR_RESOURCE, EXIT_OTHER,
     "memory ran out: `ganger ls` shows who uses how much, `ganger cancel SESSION` ends one"},
    {"too_many_files", ERROR_RESOURCE, EXIT_OTHER,
     "too many open files: raise `ulimit -n`, or end a session with `ganger cancel SESSION`"},
    {"disk_full", ERROR_RESOURCE, EXIT_OTHER,
     "the disk is full: `df` shows which, `ganger rm SESSION` removes an ended session's files"},
};

static const struct error_rule unknown = {
    NULL, ERROR_UNKNOWN, EXIT_OTHER, "`ganger logs %S` shows what happened, `ganger retry %S` tries again"};

const struct error_rule *error_rule_find(const char *class)
{
    for (size_t i = 0; class != NULL && i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].class, class) == 0)
            return &rules[i];
    }
    return &unknown;
}

const char *error_group_name(enum error_group group)
{
    static const char *const names[] = {"retryable", "permanent", "context", "resource", "unknown"};

    return (size_t)group < sizeof names / sizeof names[0] ? names[group] : "unknown";
}

/* "`claude auth login` with the CLAUDE_CONFIG_DIR of account work" */
static void append_login(struct buffer *text, const char *agent, const char *account)
{
    const struct agent_entry *entry = agent != NULL ? agent_catalogue_find(agent) : NULL;
    const json_t *command = entry != NULL ? json_object_get(entry->login, "command") : NULL, *word;
    size_t i;

    buffer_printf(text, "`%s", entry != NULL && entry->program != NULL ? entry->program : agent);
    json_array_foreach(command, i, word)
    {
        buffer_printf(text, " %s", json_string_value(word));
    }
    buffer_append_string(text, "`");
    if (json_array_size(command) == 0)
        buffer_append_string(text,
                             agent != NULL && strcmp(agent, "pi") == 0 ? ", then /login" : ", then /auth");
    if (account == NULL)
        return;
    if (entry != NULL && entry->home.variable != NULL)
        buffer_printf(text, " with the %s of account %s", entry->home.variable, account);
    else
        buffer_printf(text, " with the environment of account %s", account);
}

char *error_hint(const struct error_rule *rule, const char *agent, const char *session, const char *account)
{
    struct buffer text;

    if (rule == NULL || rule->hint == NULL)
        return NULL;
    buffer_init(&text);
    for (const char *at = rule->hint; *at != '\0'; at++) {
        if (*at != '%') {
            buffer_append_char(&text, *at);
            continue;
        }
        at++;
        if (*at == 'A')
            buffer_append_string(&text, agent != NULL ? agent : "AGENT");
        else if (*at == 'S')
            buffer_append_string(&text, session != NULL ? session : "SESSION");
        else if (*at == 'K')
            buffer_printf(&text, account != NULL ? "account %s" : "%s",
                          account != NULL ? account : "its own login");
        else if (*at == 'L')
            append_login(&text, agent != NULL ? agent : "AGENT", account);
    }
    return buffer_steal(&text);
}
