/* What a session asks the ledger before a turn: its place among the account's sessions, and what was spent. */
#ifndef HOST_PERMIT_ASK_H
#define HOST_PERMIT_ASK_H

#include "policy/budget.h"
#include "store/ledger.h"

struct host;

enum { BUDGET_OF_SESSION, BUDGET_OF_ACCOUNT, BUDGET_OF_DAY, BUDGETS };

struct permit_ask {
    char *key, *state_dir;
    char uuid[37];
    struct ledger_turn turn;
    struct {
        struct budget budget;
        enum budget_state state;
        char text[200];
    } budgets[BUDGETS];
    int64_t day_ms, next_day_ms; /* local midnights */
    /* What the agent itself told of the session: the ledger knows only what the agent's files hold. */
    int64_t told_tokens;
    double told_usd;

    /* The answer. */
    struct ledger_permission permission;
    const char *spent; /* the budget that is spent, in words; NULL: none */
    int64_t spent_until_ms, spent_again_ms;
};

/* NULL for a plain command, which has no account. */
struct permit_ask *permit_ask_create(const struct host *host, int64_t now_ms);
void permit_ask_destroy(void *asked);
/* Whether any budget is set. */
bool permit_ask_budgets(const struct permit_ask *asked);
/* A ledger_work. */
int permit_ask_work(struct ledger *ledger, void *argument, struct error *error);
/* A sentence on why the turn waits. */
const char *permit_ask_reason(const struct permit_ask *asked);

#endif
