/*
 * What an agent's titles and screens mean: its rules file (src/agent/rules/AGENT.json, compiled in, overridable in the
 * configuration folder as agents/AGENT.json, described by rules/schema.json). Rules are tried in order, the first that
 * speaks decides.
 *
 * Patterns are texts that a line contains; "^text" begins the line after blanks and frame characters (│ ┃ |), and
 * "/regex/" is a POSIX extended regular expression on the whole line.
 */
#ifndef AGENT_RULES_H
#define AGENT_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "agent/phase.h"
#include "base/error.h"

#define RULES_VERSION 2
#define RULES_CHOICES_MAX 12

struct rules;

/* The rules of an agent: `text` (JSON) of the file `name`, or with NULL the built-in ones. NULL and the error when they
 * are wrong, as "FILE: rules[3].phase: expected …". An agent without built-in rules has an empty set. */
struct rules *rules_load(const char *agent, const char *text, const char *name, struct error *error);
void rules_destroy(struct rules *rules);
const char *rules_seen(const struct rules *rules); /* the agent's version they were made for; or "" */
const struct phase_proofs *rules_proofs(const struct rules *rules);
/* Whether the agent's prompt box is on a screen of this text; also true when the rules do not say how to tell. */
bool rules_ready(const struct rules *rules, const char *screen);
/* True when there are rules for screens. */
bool rules_know_screen(const struct rules *rules);
/* True when the rules say how the prompt box looks. */
bool rules_know_box(const struct rules *rules);
/* Whether a title, or a screen of this text, is this agent's. */
bool rules_identify(const struct rules *rules, const char *title, const char *screen);

/* What a title means; phase PHASE_COUNT when no rule speaks. */
struct rules_title {
    enum phase phase;
    bool coarse;
};
struct rules_title rules_title(const struct rules *rules, const char *title);

/* What a screen means. Lines are numbered from 0 at the top. */
struct rules_match {
    enum phase phase; /* PHASE_COUNT: no rule speaks */
    bool coarse;
    const char *kind; /* of an approval: permission, question, plan, auth */
    int line;         /* that matched */
    int64_t wait_ms;  /* "retrying in 3s": 3000; -1: the screen does not say */
    int clock;        /* "resets 4:19am": minutes since midnight, local time; -1: the screen does not say */
    char detail[128]; /* the line */
    uint32_t same; /* a bit for each of the rule's refinements: what it wants of the line itself is there */
    size_t rule;   /* its index in the file */
};
/* What is known beside the screen's text. */
struct rules_seen {
    bool growing; /* what stands above the agent's prompt box is being written (rules_text_hash) */
    bool working; /* the agent is believed to work */
};
/* `screen`: rows ended by \n, as terminal_text gives them. */
struct rules_match rules_screen(const struct rules *rules, const char *screen, struct rules_seen seen);
/* The same screen, but for the match's own line, which reads `line` now: brings the match up to date. False when that
 * takes the whole screen. */
bool rules_screen_again(const struct rules *rules, const char *line, struct rules_match *match);
/* A hash of the lines above `line` but the last one, which may be a spinner's: it changes as the agent writes. */
uint32_t rules_text_hash(const char *screen, int line);

/* A dialog, as its rule reads it from the screen. Texts are the caller's to free with rules_question_finish. */
struct rules_question {
    char *tool;  /* or NULL */
    char *input; /* what is asked, whole, several lines */
    char *choices[RULES_CHOICES_MAX];
    char *keys[RULES_CHOICES_MAX]; /* key names, space separated, that choose it */
    int choice_count;
    int approve, deny; /* choices, 1 for the first; 0: none */
    char *deny_keys;   /* without a choice: "Escape" */
};
/* Returns -1 when the match is no dialog. */
int rules_question(const struct rules *rules, const struct rules_match *match, const char *screen,
                   struct rules_question *question);
void rules_question_finish(struct rules_question *question);

#endif
