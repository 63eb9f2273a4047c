/*
 * What follows a turn or an attempt that failed. Here alone it is decided (policy/retry.h), from what the agent said of its
 * error in the turn, a moment after the turn's end; each decision is an event. To go on is a prompt of its own in the queue
 * ("retry-TURN"), which waits there like any other until the turn may begin (host/permit.h), so that nothing is sent twice: an
 * agent that keeps the refused prompt in its conversation is only told to continue. When the agent's process has ended, or the
 * session goes to another account, a further attempt resumes the conversation first.
 */
#ifndef HOST_RETRYING_H
#define HOST_RETRYING_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/phase.h"
#include "policy/retry.h"

struct host;
struct event;

#define RETRY_ID_SIZE 32

/* What the agent said of its failure; class "": nothing. */
struct failure {
    char class[32];
    int64_t resets_at_ms;   /* of the account's limit, wall clock; 0: not told */
    int64_t retry_after_ms; /* that the server asked for; 0: not told */
    int64_t agent_until_ms; /* the agent itself goes on then, wall clock; 0: it does not */
};

struct retrying {
    struct failure failure; /* of the turn that runs or ran last */
    struct event *timer;    /* the decision */
    bool failed;            /* the turn ended so; what follows is due */
    bool decided;           /* and is known: */
    struct retry_decision decision;
    bool spoke;       /* the agent said something in this turn */
    int tries;        /* failures in a row, for reasons that may pass */
    int64_t first_ms; /* wall clock, of the first of them */
    bool login_checked;
    bool rotating; /* another account is looked for */
    bool respawn;  /* the attempt is over, and another begins when the turn may */
    uint64_t
        turn; /* number of the turn that failed; its prompt in the queue goes on with it. 0: none waits */
};

void retrying_init(struct host *host);
void retrying_finish(struct host *host);

/* ---- what the agent says, within a turn ---- */
void retrying_error(struct host *host, const char *class);
void retrying_limit(struct host *host, int64_t resets_at_ms);
/* A window that is full: its reset may be known better than what the refusal said. */
void retrying_window(struct host *host, int64_t resets_at_ms);
void retrying_agent(struct host *host, int64_t until_ms);
void retrying_progress(struct host *host);

/* ---- turns and attempts ---- */
void retrying_turn_began(struct host *host, const char *prompt_id);
/* A turn is about to end as `outcome`. True when the session goes on with it by itself; `id`: as which prompt. */
bool retrying_intended(struct host *host, const char *outcome, char id[RETRY_ID_SIZE]);
void retrying_turn_ended(struct host *host, const char *outcome);
/* The attempt ends as `phase`. True when the session goes on with another one. */
bool retrying_attempt_ended(struct host *host, enum phase phase);
/* No further attempt by itself: a person cancels, or asks for another one. True when something was given up. */
bool retrying_drop(struct host *host, const char *why);
/* Between two attempts: begins the next one when it may. */
void retrying_consider(struct host *host);

/* A host that follows another carries out what that one decided and did not come to. */
void retrying_resume(struct host *host);
/* The login was looked at: the turn goes on at that time, or is given up. */
void retrying_login(struct host *host, bool good, int64_t at_ms);
/* The session's account is another one from here on: an attempt on it takes over. */
void retrying_elsewhere(struct host *host);
/* The attempt that follows begins a conversation of its own: the last prompt is said again. */
void retrying_afresh(struct host *host);
/* Goes on with the failed turn: not before `at_ms` (wall clock; 0: as soon as the ledger lets it). */
void retrying_go_on(struct host *host, int64_t at_ms, const char *reason);

#endif
