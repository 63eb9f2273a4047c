/*
 * From what a program shows to its phase: titles, OSC 7501, progress, the screen, its output and the keys that a person
 * types become evidence for the phase machine. Pure: the same bytes and times give the same phases, live and over a
 * recording. The agent's own channels (observation.h) are given in as evidence by the host.
 */
#ifndef AGENT_DETECTOR_H
#define AGENT_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/phase.h"
#include "agent/program_status.h"
#include "agent/rules.h"

/* A screen is looked at when output has paused so long, and at most so often. */
#define DETECTOR_LOOK_MS 30
#define DETECTOR_INTERVAL_MS 100

struct detector {
    struct phase_state phase;
    struct program_status status;
    const struct rules *rules; /* borrowed */
    unsigned ignored;          /* bits of enum evidence_source that are left out */
    struct rules_match match;  /* of the last screen */
    struct rules_seen seen;    /* what was known beside it */
    bool output_seen, box_seen;
    bool progress; /* what the title is believed to say comes from OSC 9;4 */
    bool strange;  /* nothing that the program shows is known: its version may be a new one */
    int64_t first_output_ms;
    int64_t started_ms;   /* when its process began; 0: it has not */
    bool spoke;           /* evidence of rank 1 to 4 was given in this attempt */
    uint32_t text;        /* of the screen, without its bottom */
    int64_t grown_ms;     /* when that changed last */
    unsigned growths;     /* times in a row that it did */
    int64_t unmatched_ms; /* since when no screen rule speaks; 0: one does */
    int64_t look_ms;      /* when to look at the screen next; 0: nothing changed */
    int64_t unlooked_ms;  /* of the first output since the last look */
    int64_t looked_ms;
};

/* `agent_known`: a program that has not drawn its prompt box yet is still starting. */
void detector_init(struct detector *detector, const struct rules *rules, int64_t now_ms);
void detector_finish(struct detector *detector);
/* Other rules from here on. */
void detector_set_rules(struct detector *detector, const struct rules *rules);

/* Each returns true when the phase changed. Evidence of a source that is ignored is dropped. */
bool detector_observe(struct detector *detector, enum evidence_source source, enum phase phase, bool coarse,
                      const char *label, const char *detail, int64_t until_ms, int64_t now_ms);
bool detector_withdraw(struct detector *detector, enum evidence_source source, int64_t now_ms);
bool detector_title(struct detector *detector, const char *title, int64_t now_ms);
/* OSC 9;4: state 0 none, 1 a percentage, 2 an error, 3 works, 4 paused. Speaks while no title does. */
bool detector_progress(struct detector *detector, int state, int64_t now_ms);
bool detector_status(struct detector *detector, const char *payload, size_t length, int64_t now_ms);
/* A shell's prompt mark, or the terminal's reset. */
bool detector_status_settle(struct detector *detector, int64_t now_ms);
bool detector_status_clear(struct detector *detector, int64_t now_ms);
/* What changed on the screen need not be looked at before then, until more output comes. */
void detector_postpone(struct detector *detector, int64_t until_ms);
/* The program's process runs, since then. */
void detector_started(struct detector *detector, int64_t started_ms);
/* The program wrote something. */
bool detector_output(struct detector *detector, int64_t now_ms);
/* The screen is due: call detector_screen with its text (terminal_text) and whether it is complete (no synchronized
 * update is open). `wall_ms` is now by the wall clock. */
bool detector_wants_screen(const struct detector *detector, int64_t now_ms);
/* The same when nothing of the screen changed since then but line `detector->match.line`, which is `line`. False: the whole
 * screen is needed. */
bool detector_line(struct detector *detector, const char *line, int64_t now_ms, int64_t wall_ms);
bool detector_screen(struct detector *detector, const char *text, bool complete, int64_t now_ms,
                     int64_t wall_ms);
/* A person typed Escape or Ctrl+C, or Enter after text. */
bool detector_interrupted(struct detector *detector, const char *key, int64_t now_ms);
bool detector_entered(struct detector *detector, int64_t now_ms);
/* Runs what the time alone changes. *next_ms: when to call again; 0: not needed. */
bool detector_tick(struct detector *detector, int64_t now_ms, int64_t *next_ms);

#endif
