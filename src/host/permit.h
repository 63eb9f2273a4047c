/*
 * Whether a turn may begin. Before each prompt that ganger sends, the ledger is asked: it knows which accounts are at their
 * limit, who goes first after one, how many turns run on an account, and what was spent. A turn that may not begin yet waits,
 * for the time that the ledger says or its next change; the prompt stays in the queue. What is waited for is the session's
 * member "waiting", and its phase is `limited` or `retrying` meanwhile. A ledger that cannot be used holds nothing back.
 */
#ifndef HOST_PERMIT_H
#define HOST_PERMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/phase.h"
#include "base/error.h"

struct host;
struct event;
struct wall_timer;

enum permit_state { PERMIT_NONE, PERMIT_ASKING, PERMIT_WAITING, PERMIT_GRANTED };

enum hold_kind {
    HOLD_NONE,
    HOLD_LIMIT,   /* the account is at its limit */
    HOLD_ORDER,   /* others of the account go before */
    HOLD_PROBE,   /* one tries first whether the limit is over */
    HOLD_CAP,     /* as many turns run on the account as may */
    HOLD_BACKOFF, /* a failure is let pass */
    HOLD_ACCOUNT, /* the same as HOLD_LIMIT, but another account could be used: a person is asked */
    HOLD_BUDGET   /* a budget is spent */
};

struct permit {
    enum permit_state state;
    enum hold_kind held;   /* why it waits, also while it asks again */
    int64_t until_ms;      /* wall clock; 0: not known */
    int64_t not_before_ms; /* wall clock, of a backoff; 0: none */
    int64_t jitter_ms;     /* after the reset, drawn once for each limit */
    unsigned fewer;        /* turns on the account at once, after a lack of memory or files; 0: no bound */
    bool account_offered;  /* HOLD_LIMIT is HOLD_ACCOUNT */
    int64_t asks_ms;       /* wall clock, when it asks again */
    unsigned telling;      /* refusals that the ledger does not know yet */
    bool passing;          /* the wait is over, and the turn about to begin */
    bool leased;           /* the turn that runs, or is about to, counts among the account's */
    bool through;          /* that the account answers was told in this turn */
    unsigned warned;       /* budgets whose 80 per cent were told, a bit each, on that day */
    int64_t warned_day_ms;
    char reason[256];
    struct wall_timer *timer;
    int notify; /* inotify, of the ledger's notifications; -1: not watched */
    struct event *news;
};

int permit_init(struct host *host, struct error *error);
void permit_finish(struct host *host);

/* True when the turn may begin. Else the ledger is asked, and delivery_consider called when it may. `urgent`: what a person
 * wants done at once waits for nothing. */
bool permit_take(struct host *host, bool urgent);
/* Not before that time (wall clock). */
void permit_back_off(struct host *host, int64_t until_ms, const char *reason);
/* The account refused the turn until then; 0: not known. */
void permit_refused(struct host *host, int64_t until_ms, int64_t jitter_ms);
/* The account answers. */
void permit_through(struct host *host);
/* The turn is over, or nothing waits any more. */
void permit_over(struct host *host);

/* Goes on only when fewer turns run on the account than do at this moment. */
void permit_fewer(struct host *host);
/* Whether prompts have to wait for their turn: the account has a cap, or is at its limit. Reads the ledger at once. */
bool permit_gates(const struct host *host);

/* The phase that is shown, when the agent itself is in `phase`. */
enum phase permit_phase(const struct host *host, enum phase phase);
/* For which the session waits; "" when nothing is held back. */
const char *permit_held(const struct host *host);
/* The key of the session's account in the ledger, allocated; NULL for a plain command. */
char *permit_account(const struct host *host);

#endif
