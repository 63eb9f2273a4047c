/*
 * A stand-in agent's turn: a list of steps that take time, and the scenarios made of them.
 */
#ifndef FAKE_AGENT_TURN_H
#define FAKE_AGENT_TURN_H

#include <stdbool.h>

enum step_kind {
    STEP_END,
    STEP_THINK,  /* status line `text` for `ms` */
    STEP_STREAM, /* writes `text` word by word, `ms` a word */
    STEP_TOOL,   /* "● text", runs for `ms` */
    STEP_ASK,    /* asks whether `text` may run; a yes goes on, a no skips to the next STEP_END */
    STEP_LIMIT,  /* the usage limit is reached; waits `ms` for its reset */
    STEP_REST,   /* idle for `ms` */
    STEP_FAIL,   /* says `text` and ends the program with 1 */
};

struct step {
    enum step_kind kind;
    const char *text;
    long ms;
};

struct scenario {
    const char *name, *shows;
    const struct step *opening; /* runs at the start; NULL: waits for a prompt */
    bool repeats;
};

/* Ended by one without a name. */
extern const struct scenario scenarios[];
const struct scenario *scenario_find(const char *name);
/* The steps of an answer to a prompt: those of the scenario that the prompt names ("approve", "limit", "fail", "slow"), else a short
 * answer that repeats the prompt. */
const struct step *scenario_answer(const char *prompt);

#endif
