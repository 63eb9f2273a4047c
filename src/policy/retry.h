/*
 * What follows a turn or an attempt that failed: one pure function decides for all agents and both modes (design: "Retry"). The
 * host carries the decision out and tells it as an event.
 */
#ifndef POLICY_RETRY_H
#define POLICY_RETRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

#define RETRY_DELAYS_MAX 16

/* The numbers of the configuration (retry.*), in milliseconds. */
struct retry_rules {
    int64_t delays_ms[RETRY_DELAYS_MAX]; /* rate limit without a reset: before each further try */
    int delay_count;
    int max_attempts;
    int64_t max_wait_ms;
    int64_t jitter_min_ms, jitter_max_ms; /* after a known reset */
    int64_t stagger_ms, probe_ms;
    int64_t initial_ms, max_ms, max_elapsed_ms; /* transient */
};
void retry_rules_load(struct retry_rules *rules, const struct config *config);

struct retry_case {
    const char *class;      /* of the error, or NULL */
    int64_t resets_at_ms;   /* of the limit, wall clock; 0: not known */
    int64_t retry_after_ms; /* that the server said; 0: none */
    int64_t now_ms;         /* wall clock */
    int tries;              /* of this prompt that failed for retryable reasons, this one included */
    int64_t failing_ms;     /* since the first of them */
    bool login_checked;     /* the login was looked at again since, and is good */
    bool agent_continues;   /* the agent says that it goes on by itself */
    double random;          /* 0 to below 1 */
};

enum retry_action {
    RETRY_STOP,    /* a person is needed, or nothing */
    RETRY_LEAVE,   /* the agent goes on by itself */
    RETRY_WAIT,    /* try again at at_ms */
    RETRY_LIMITED, /* the account is limited until at_ms: released through the ledger, with jitter_ms */
    RETRY_LOGIN,   /* look at the login; good: once more, else stop */
};

struct retry_decision {
    enum retry_action action;
    int64_t at_ms, jitter_ms;
    bool fewer;         /* lower the number of turns at once */
    const char *reason; /* a short sentence, static */
};

struct retry_decision retry_decide(const struct retry_rules *rules, const struct retry_case *what);

#endif
