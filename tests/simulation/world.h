/*
 * A simulated week of sessions at the limits of their accounts: many processes, one clock that is set by the first of them,
 * a model of the vendors' limits, and the real ledger and retry policy. What all processes see is one struct in shared memory.
 *
 * Two clocks: that of the world, in which the vendors live, and that of the machine, which is stepped now and then. Sessions,
 * the ledger and the policy only know the second. Both are milliseconds since 1970; time goes on in ticks.
 */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/retry.h"
#include "store/ledger.h"

#define TICK_MS 100
#define MINUTE_MS (INT64_C(60) * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define NEVER INT64_MAX

enum {
    ACCOUNTS_MAX = 8,
    SESSIONS_MAX = 512,
    PROMPTS_MAX = 128,
    STEPS_MAX = 8,
    WORKERS_MAX = 32,
    WAITS_MAX = 8192
};

struct options {
    int sessions, accounts, prompts, workers, steps_of_clock, suspends;
    unsigned cap;
    int64_t days;
    uint64_t seed;
    int64_t window_tokens, week_tokens; /* of each account: five hours', a week's */
    double die;                         /* share of requests in which the session dies */
    bool json;                          /* figures as JSON */
    const char *state_dir;
};

/* ---- vendors ---- */

struct window {
    int64_t length_ms, resets_at_ms, used, allowed;
};

struct account {
    char key[32], name[16];
    struct window windows[2];
    /* Seen from outside, in the world's time. */
    int running, running_max;
    int64_t usable_from_ms;   /* when the last exhaustion ends */
    bool exhausted;           /* nothing was released since */
    int64_t last_release_ms;  /* of a session that waited */
    int64_t least_gap_ms;     /* between two such releases */
    int64_t last_change_ms;   /* a turn began or ended here */
    int64_t disturbed_ms;     /* a session died, the clock was set, or a limit was told without its reset */
    bool recovering;          /* a limit was noted, and nothing got through since */
    int probing, probing_max; /* turns that began meanwhile and wait for a first sign */
    int64_t limits, refused_in_a_row, refused_in_a_row_max;
};

enum verdict { VERDICT_ACCEPTED, VERDICT_LIMITED, VERDICT_OVERLOADED, VERDICT_UNAUTHORIZED, VERDICT_NETWORK };

/* ---- sessions ---- */

enum session_state {
    STATE_IDLE,    /* until its next prompt */
    STATE_ASKING,  /* the ledger is asked at wake_ms, or at its next change */
    STATE_BACKOFF, /* asks at until_ms of the machine's clock */
    STATE_REQUEST, /* until the first sign of an answer */
    STATE_ANSWER,  /* until the answer's end */
    STATE_DEAD,    /* until it is started again */
    STATE_GONE,    /* never comes back */
    STATE_DONE
};

enum fate { FATE_WAITING, FATE_DONE, FATE_UNCERTAIN, FATE_ABANDONED };

struct session {
    char uuid[37];
    int worker, account;
    bool alive, rotates;
    uint64_t random;
    enum session_state state;
    int64_t wake_ms;  /* world */
    int64_t until_ms; /* machine */
    /* The prompt that is worked at. */
    int prompt, step, steps;
    int tries;
    int64_t failing_since_ms;
    bool login_checked, through, held, probing;
    int64_t held_since_ms; /* world */
    int64_t jitter_ms;
    enum ledger_wait wait;
    enum verdict verdict;
    int64_t told_reset_ms, told_after_ms;

    int64_t arrival_ms[PROMPTS_MAX];
    unsigned char fate[PROMPTS_MAX], accepted[PROMPTS_MAX][STEPS_MAX];
};

/* ---- the world ---- */

struct waits {
    int count;
    int32_t ms[WAITS_MAX];
};

struct figures {
    int64_t requests, accepted, limited, limited_untold, overloaded, unauthorized, broken;
    int64_t asks, grants, releases, operations, ledger_errors, killed, deaths, returns, rotations, stops;
    int64_t slowest_operation_us, busy_us;
    int64_t idle_max_ms,
        idle_disturbed_max_ms; /* an account could be used, a session waited, none was released */
    struct waits first;        /* from a reset to the first turn on the account */
    char first_ledger_error[256];
};

struct world {
    struct options options;
    struct retry_rules rules;
    pthread_mutex_t mutex;    /* of the accounts and figures */
    int64_t begin_ms, now_ms; /* world */
    int64_t offset_ms;        /* machine - world */
    int64_t awake_ms;         /* since the machine last slept; world */
    struct account accounts[ACCOUNTS_MAX];
    struct session sessions[SESSIONS_MAX];
    struct figures figures;
};

extern struct world *world;

/* Maps the world and fills it; aborts when it cannot. */
void world_create(const struct options *options, const struct retry_rules *rules);
void world_lock(void);
void world_unlock(void);
/* The machine's clock. */
int64_t machine_ms(void);
/* The world's time, in ticks, at which the machine's clock has reached that. */
int64_t world_ms(int64_t machine);
int64_t tick_after(int64_t ms);

/* Numbers of a session's own: 0 to below 1, and whole ones of a range. */
double draw(uint64_t *state);
int64_t draw_between(uint64_t *state, int64_t least, int64_t most);

/* ---- vendor.c ---- */

struct reply {
    enum verdict verdict;
    int64_t reset_ms; /* world; 0: not told */
    int64_t after_ms; /* retry-after; 0: not told */
};
/* A request of the session's; what is accepted is paid for and counted. */
struct reply vendor_request(struct session *session);
/* The time from which the account has tokens. */
int64_t vendor_usable_from(const struct account *account);
/* The time from which a machine that is awake can know that its last limit is over. */
int64_t account_over_ms(const struct account *account);

/* ---- session.c ---- */

/* Goes on with a session whose time has come. */
void session_run(struct session *session);
void session_init(struct session *session, int index);

/* ---- turns.c: the ledger, opened and closed for each ---- */

enum operation { TURN_ASK, TURN_THROUGH, TURN_REFUSED, TURN_OVER };
/* False when the ledger could not be used, which is counted. */
bool turn_do(struct session *session, enum operation operation, int64_t until_ms,
             struct ledger_permission *permission);
/* A process of its own asks for the session and is killed meanwhile. */
void turn_killed(struct session *session);

/* ---- disturbances.c: the clock is set, the machine sleeps ---- */

void disturbances_init(void);
/* The next, in the world's time; NEVER: none. */
int64_t disturbances_next(void);
/* Carries out those that are due. True when there was one. */
bool disturbances_run(void);

/* ---- checks.c ---- */

/* Called between ticks, at the time of the next. */
void checks_watch(void);
/* Prints the figures. Returns how many things were not as they must be, each of which is printed. */
int checks_report(void);
/* What is left to do; 0 when every session is done or gone. */
int checks_unfinished(void);

/* ---- workers.c ---- */

/* Starts the processes. */
void workers_start(void);
/* Whether the ledger changed since the last call. */
bool workers_notified(void);
/* Lets those run whose time has come, or all; returns the next time anything is due, NEVER: none. */
int64_t workers_tick(bool all);
/* Ends and reaps them. False when one failed. */
bool workers_finish(void);

#endif
