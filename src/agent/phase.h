/*
 * What an agent is doing, decided from evidence. A pure machine: state, evidence and time in; phase out. It
 * touches no descriptor and reads no clock. Sources are ranked; ranks never add up. Evidence lives until its
 * source speaks again or the attempt ends; a lower rank never overrides a live higher one.
 */
#ifndef AGENT_PHASE_H
#define AGENT_PHASE_H

#include <stdbool.h>
#include <stdint.h>

enum phase {
    PHASE_INITIALIZING,
    PHASE_IDLE,
    PHASE_CONNECTING,
    PHASE_THINKING,
    PHASE_STREAMING,
    PHASE_TOOL,
    PHASE_APPROVAL,
    PHASE_LIMITED,
    PHASE_RETRYING,
    PHASE_UNKNOWN,
    PHASE_COMPLETED, /* this and the following are ends */
    PHASE_FAILED,
    PHASE_TIMEOUT,
    PHASE_CANCELLED,
    PHASE_KILLED,
    PHASE_LOST,
    PHASE_COUNT,
};

/* Ranks 1 to 5 of the design; the first three kinds of structured evidence come with the drivers that speak
 * them. */
enum evidence_source {
    EVIDENCE_STREAM,  /* rank 1: the agent's JSON events */
    EVIDENCE_HOOK,    /* rank 1 */
    EVIDENCE_SERVER,  /* rank 1: the agent's own server or session file */
    EVIDENCE_STATUS,  /* rank 2: OSC 7501 */
    EVIDENCE_TITLE,   /* rank 3: OSC 0/2, 9;4 */
    EVIDENCE_SCREEN,  /* rank 4 */
    EVIDENCE_PROCESS, /* rank 5 */
    EVIDENCE_USER,    /* a key typed or a prompt sent through ganger; holds until anything else speaks */
    EVIDENCE_COUNT,
};

struct evidence {
    enum phase phase;
    char detail[160]; /* "title: ✳ …", "blocked: permission" */
    int64_t at_ms;    /* monotonic, ms; 0: this source has not spoken */
    int64_t until_ms; /* wall clock, ms; 0: none. For limited and retrying */
};

struct phase_state {
    enum phase phase;
    enum evidence_source source; /* of the phase in force */
    int64_t since_ms;            /* monotonic */
    struct evidence evidence[EVIDENCE_COUNT];
    enum phase wanted; /* a fall to idle that is being debounced */
    int64_t wanted_at_ms;
    bool ended;
};

/* How long evidence of idle must hold before the phase is idle; other changes take effect at once. */
#define PHASE_IDLE_DEBOUNCE_MS 300

void phase_init(struct phase_state *state, int64_t now_ms);
/* Takes the evidence of one source. Returns true when the phase (or its until) changed. */
bool phase_observe(struct phase_state *state, enum evidence_source source, const struct evidence *evidence);
/* The source has nothing to say any more (7501 record cleared, title gone). Returns true when the phase
 * changed. */
bool phase_withdraw(struct phase_state *state, enum evidence_source source, int64_t now_ms);
/* Runs the debounce. Returns true when the phase changed; *next_ms is when to call again, 0: not needed. */
bool phase_tick(struct phase_state *state, int64_t now_ms, int64_t *next_ms);
/* The attempt ended as `phase`; nothing changes it afterwards. */
void phase_end(struct phase_state *state, enum phase phase, const char *detail, int64_t now_ms);

const char *phase_name(enum phase phase);
/* PHASE_COUNT when there is no such phase. */
enum phase phase_parse(const char *name);
bool phase_is_end(enum phase phase);
/* connecting, thinking, streaming, tool */
bool phase_is_working(enum phase phase);
const char *evidence_source_name(enum evidence_source source);
int evidence_rank(enum evidence_source source);

#endif
