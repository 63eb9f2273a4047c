/*
 * What an agent is doing, decided from evidence. A pure machine: state, evidence and time in; phase out. It
 * touches no descriptor and reads no clock. Sources are ranked; ranks never add up. Evidence lives until its
 * source speaks again or the attempt ends; a lower rank overrides a live higher one by a listed proof only. It
 * may say, though, at what an agent works of which the higher one knows only that it works.
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

/* Ranks 1 to 5 of the design. The stream is the whole truth; hooks, server and status are the program's own words,
 * spoken through different doors: among these the latest word counts. */
enum evidence_source {
    EVIDENCE_STREAM,  /* rank 1: the agent's JSON events */
    EVIDENCE_HOOK,    /* rank 1 */
    EVIDENCE_SERVER,  /* rank 1: the agent's own server or session file */
    EVIDENCE_STATUS,  /* rank 2: OSC 7501 */
    EVIDENCE_TITLE,   /* rank 3: OSC 0/2, 9;4 */
    EVIDENCE_SCREEN,  /* rank 4 */
    EVIDENCE_PROCESS, /* rank 5 */
    EVIDENCE_USER, /* a key typed or a prompt sent through ganger; holds until another source says otherwise */
    EVIDENCE_COUNT,
};

struct evidence {
    enum phase phase;
    bool coarse;      /* of a working phase: works, but at what is not known. A lower rank may say */
    char detail[160]; /* "title: ✳ …", "blocked: permission" */
    int64_t at_ms;    /* monotonic, ms: when it became so; 0: this source says nothing */
    int64_t seen_ms;  /* when the source said so last: a spinner still turns. 0 counts as at_ms */
    int64_t until_ms; /* wall clock, ms; 0: none. For limited and retrying */
    uint64_t became;  /* the machine's own: order in which things became so, */
    uint64_t said;    /* and were said last */
};

/*
 * What may end the evidence of a higher rank: the proofs. Each names the lower source and what it says, what
 * the higher one says, and under which condition; rules files can change the times (rules.h). See phase.c for
 * the table.
 */
struct phase_proofs {
    int dialog_gone_ms; /* an approval ends when its dialog, once seen, is gone so long */
    int quiet_ms;   /* work ends when the prompt box is back and the agent has written nothing for so long */
    int turning_ms; /* idle ends when a spinner still turns so long after it was said */
    int unsaid_ms;  /* Enter was typed, the box is back and nothing happened: no prompt was sent */
};
extern const struct phase_proofs phase_proofs_default;

struct phase_state {
    enum phase phase;
    enum evidence_source source; /* of the phase in force */
    int64_t since_ms;            /* monotonic */
    struct evidence evidence[EVIDENCE_COUNT];
    /* By which source the evidence is overruled; EVIDENCE_COUNT: it is not. `why` says by which proof. */
    enum evidence_source overruled_by[EVIDENCE_COUNT];
    const char *why[EVIDENCE_COUNT];
    struct phase_proofs proofs;
    int64_t output_ms; /* of the agent's last output */
    int64_t text_ms;   /* when the text above its prompt box changed last */
    int64_t dialog_ms; /* when a screen rule last saw a dialog; 0: never */
    enum phase wanted; /* a change that has to hold for a while; PHASE_COUNT: none */
    int64_t wanted_at_ms;
    int64_t next_ms; /* when a proof may become true by the time alone; 0: never */
    uint64_t order;  /* of what was said last */
    bool ended;
};

/* How long evidence of idle must hold before the phase is idle. */
#define PHASE_IDLE_DEBOUNCE_MS 300
/* How long any phase lasts at least, approval excepted, and how long another kind of work must hold. */
#define PHASE_DWELL_MS 150
/* How long work must hold before an agent that rested counts as working: some flash at their start. */
#define PHASE_FLASH_MS 50

void phase_init(struct phase_state *state, int64_t now_ms);
/* Takes the evidence of one source. Returns true when the phase (or its until) changed. */
bool phase_observe(struct phase_state *state, enum evidence_source source, const struct evidence *evidence);
/* The source has nothing to say any more (7501 record cleared, title gone). Returns true when the phase
 * changed. */
bool phase_withdraw(struct phase_state *state, enum evidence_source source, int64_t now_ms);
/* The agent wrote something. */
void phase_output(struct phase_state *state, int64_t now_ms);
/* What was told before this machine began goes on if the evidence says the same: nothing has to hold for a while. Returns true
 * when the phase changed. */
bool phase_resume(struct phase_state *state, enum phase told, int64_t now_ms);
/* Runs debounce and proofs. Returns true when the phase changed; *next_ms is when to call again, 0: not needed. */
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
