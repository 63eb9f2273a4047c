#include "host/permit_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/memory.h"
#include "host/host.h"
#include "policy/retry.h"
#include "store/session_dir.h"

#define SPENT_AGAIN_MS 60000 /* the budget or the clock may have changed */

static bool lives(void *argument, const char *session)
{
    const struct permit_ask *asked = argument;

    /* Who cannot be looked at is taken to live. */
    return strcmp(session, asked->uuid) == 0 || session_dir_alive(asked->state_dir, session, NULL) != 0;
}

static void load_budget(struct budget *budget, const json_t *values)
{
    budget->tokens = json_member_number(values, "tokens", 0);
    budget->usd = json_member_number(values, "usd", 0);
}

static void load_budgets(struct permit_ask *asked, const struct host *host, const json_t *account)
{
    const json_t *own = json_object_get(account, "budget");

    load_budget(&asked->budgets[BUDGET_OF_SESSION].budget, config_value(host->config, "budgets.session"));
    load_budget(&asked->budgets[BUDGET_OF_ACCOUNT].budget,
                own != NULL ? own : config_value(host->config, "budgets.account"));
    load_budget(&asked->budgets[BUDGET_OF_DAY].budget, config_value(host->config, "budgets.day"));
}

static void load_told(struct permit_ask *asked, const struct host *host)
{
    static const char *const kinds[] = {"input_tokens", "output_tokens", "cache_read_tokens",
                                        "cache_write_tokens"};
    const json_t *usage = json_object_get(host->session.object, "usage");

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        asked->told_tokens += json_member_integer(usage, kinds[i], 0);
    asked->told_usd = json_member_number(usage, "cost_usd", 0);
}

static void set_day(struct permit_ask *asked, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm day;

    (void)localtime_r(&now, &day);
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    asked->day_ms = (int64_t)mktime(&day) * 1000;
    day.tm_mday++;
    day.tm_isdst = -1;
    asked->next_day_ms = (int64_t)mktime(&day) * 1000;
}

/* One that was not refused itself waits for the same reset. */
static int64_t jitter_of(const struct host *host, const struct retry_rules *rules)
{
    if (host->permit.jitter_ms > 0)
        return host->permit.jitter_ms;
    return rules->jitter_min_ms +
           arc4random_uniform((uint32_t)(rules->jitter_max_ms - rules->jitter_min_ms) + 1);
}

struct permit_ask *permit_ask_create(const struct host *host, int64_t now_ms)
{
    char *key = permit_account(host);
    const json_t *account =
        config_account(host->config, json_member_string(host->session.object, "account", ""));
    struct permit_ask *asked;
    struct retry_rules rules;

    if (key == NULL)
        return NULL;
    asked = xcalloc(1, sizeof *asked);
    retry_rules_load(&rules, host->config);
    asked->key = key;
    asked->state_dir = xstrdup(host->state_dir);
    (void)strlcpy(asked->uuid, host->uuid, sizeof asked->uuid);
    asked->turn = (struct ledger_turn){
        .account = asked->key,
        .session = asked->uuid,
        .now_ms = now_ms,
        .jitter_ms = jitter_of(host, &rules),
        .stagger_ms = rules.stagger_ms,
        .probe_ms = rules.probe_ms,
        .cap = (unsigned)json_member_integer(
            account, "turns", (json_int_t)config_number(host->config, "limits.turns_per_account")),
        .alive = lives,
        .argument = asked};
    if (host->permit.fewer > 0 && (asked->turn.cap == 0 || asked->turn.cap > host->permit.fewer))
        asked->turn.cap = host->permit.fewer;
    load_budgets(asked, host, account);
    load_told(asked, host);
    set_day(asked, now_ms);
    return asked;
}

void permit_ask_destroy(void *argument)
{
    struct permit_ask *asked = argument;

    free(asked->key);
    free(asked->state_dir);
    free(asked);
}

/* ---- budgets ---- */

static int spent_on(struct ledger *ledger, const struct ledger_usage_query *query, int64_t *tokens,
                    double *usd, struct error *error)
{
    json_t *rows = ledger_usage_sum(ledger, query, error), *row;
    size_t index;

    *tokens = 0;
    *usd = 0;
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, index, row)
    {
        *tokens += json_member_integer(row, "total_tokens", 0);
        *usd += json_member_number(row, "cost_usd", 0);
    }
    json_decref(rows);
    return 0;
}

static void say_share(struct permit_ask *asked, int which, double share)
{
    static const char *const names[] = {[BUDGET_OF_SESSION] = "this session's budget",
                                        [BUDGET_OF_ACCOUNT] = "the account's budget of today",
                                        [BUDGET_OF_DAY] = "the budget of today"};
    static const char *const keys[] = {[BUDGET_OF_SESSION] = "budgets.session",
                                       [BUDGET_OF_ACCOUNT] = "budgets.account",
                                       [BUDGET_OF_DAY] = "budgets.day"};
    const struct budget *budget = &asked->budgets[which].budget;
    char bound[64];

    if (budget->usd > 0 && budget->tokens > 0)
        (void)snprintf(bound, sizeof bound, "$%.2f, %.0f tokens", budget->usd, budget->tokens);
    else if (budget->usd > 0)
        (void)snprintf(bound, sizeof bound, "$%.2f", budget->usd);
    else
        (void)snprintf(bound, sizeof bound, "%.0f tokens", budget->tokens);
    (void)snprintf(asked->budgets[which].text, sizeof asked->budgets[which].text,
                   "%s (%s) is %s: %.0f%%; %s in config.json sets it", names[which], bound,
                   asked->budgets[which].state == BUDGET_SPENT ? "spent, no further turn begins"
                                                               : "nearly spent",
                   share * 100, keys[which]);
}

bool permit_ask_budgets(const struct permit_ask *asked)
{
    for (int i = 0; i < BUDGETS; i++) {
        if (asked->budgets[i].budget.tokens > 0 || asked->budgets[i].budget.usd > 0)
            return true;
    }
    return false;
}

static int look_at_budgets(struct ledger *ledger, struct permit_ask *asked, struct error *error)
{
    const struct ledger_usage_query queries[] = {
        [BUDGET_OF_SESSION] = {.by = USAGE_BY_SESSION, .session = asked->uuid},
        [BUDGET_OF_ACCOUNT] = {.by = USAGE_BY_ACCOUNT, .since_ms = asked->day_ms, .account = asked->key},
        [BUDGET_OF_DAY] = {.by = USAGE_BY_ACCOUNT, .since_ms = asked->day_ms}};

    for (int i = 0; i < BUDGETS; i++) {
        const struct budget *budget = &asked->budgets[i].budget;
        int64_t tokens;
        double usd, share;
        if (budget->tokens <= 0 && budget->usd <= 0)
            continue;
        if (spent_on(ledger, &queries[i], &tokens, &usd, error) < 0)
            return -1;
        if (i == BUDGET_OF_SESSION && tokens < asked->told_tokens)
            tokens = asked->told_tokens;
        if (i == BUDGET_OF_SESSION && usd < asked->told_usd)
            usd = asked->told_usd;
        asked->budgets[i].state = budget_state(budget, tokens, usd, &share);
        if (asked->budgets[i].state == BUDGET_WITHIN)
            continue;
        say_share(asked, i, share);
        if (asked->budgets[i].state != BUDGET_SPENT)
            continue;
        asked->spent = asked->budgets[i].text;
        asked->spent_until_ms = i == BUDGET_OF_SESSION ? 0 : asked->next_day_ms;
    }
    asked->spent_again_ms = asked->turn.now_ms + SPENT_AGAIN_MS;
    return 0;
}

/* ---- the question ---- */

int permit_ask_work(struct ledger *ledger, void *argument, struct error *error)
{
    struct permit_ask *asked = argument;

    if (look_at_budgets(ledger, asked, error) < 0)
        return -1;
    if (asked->spent != NULL)
        return ledger_turn_over(ledger, &asked->turn, error);
    return ledger_turn_ask(ledger, &asked->turn, &asked->permission, error);
}

const char *permit_ask_reason(const struct permit_ask *asked)
{
    switch (asked->permission.wait) {
    case LEDGER_LIMITED:
        return "the account is at its limit";
    case LEDGER_TURN:
        return "other sessions of the account go on first";
    case LEDGER_PROBE:
        return "another session tries first whether the limit is over";
    case LEDGER_FULL:
        return "as many turns run on the account as limits.turns_per_account allows";
    case LEDGER_GO:
        break;
    }
    return "";
}
