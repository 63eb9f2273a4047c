/* A rules file as rules.c has read it; for the modules behind rules.h. */
#ifndef AGENT_RULE_SET_H
#define AGENT_RULE_SET_H

#include "agent/pattern.h"
#include "agent/rules.h"

/* How the choices of a dialog are drawn, and chosen. */
enum rule_choices {
    CHOICES_DIGITS,  /* "1. Yes": the digit chooses */
    CHOICES_LETTERS, /* "1. Yes (y)": the letter, or "(esc)"; without one: arrows */
    CHOICES_ARROWS,  /* a marked line among others: arrows and Enter */
    CHOICES_ROW,     /* words in the line that matched, the first one marked: Right and Enter */
};

struct rule_tool {
    char *text, *name; /* what the dialog says, and the tool it means */
};

struct rule_question {
    enum rule_choices choices;
    struct patterns top; /* the line above the dialog */
    int skip;            /* so many of those lines belong to it */
    struct patterns approve, deny;
    struct rule_tool *tools;
    size_t tool_count;
    char *deny_keys; /* or NULL */
};

struct rule {
    enum phase phase;
    bool coarse;
    char *kind;          /* or NULL */
    int last;            /* of the lines that are not blank, the lowest so many are looked at */
    struct patterns any; /* one of them matches a line: the lowest is the rule's line */
    struct patterns all, none;
    struct patterns same;            /* match the rule's line */
    struct patterns block;           /* the line above it where what stands before it begins */
    struct patterns within, without; /* any line, no line of that block */
    bool while_working;              /* speaks only of an agent that is believed to work */
    bool growing;                    /* what stands above the rule's line is being written */
    char *wait;                      /* after this text the rule's line says how long */
    char *clock;                     /* after this text it says the time of day: "3:45pm" */
    struct rule *then;               /* what the same line says more exactly */
    size_t then_count;
    struct rule_question *question; /* or NULL */
};

struct rules {
    char *agent, *seen;
    struct patterns ready, turn; /* turn: a line that shows what the person said */
    struct patterns identify_titles, identify_screen;
    struct phase_proofs proofs;
    struct rule *titles, *screen;
    size_t title_count, screen_count;
};

/* A screen cut into lines. */
#define SCREEN_LINES_MAX 512
struct screen_lines {
    char *text;
    const char *lines[SCREEN_LINES_MAX];
    int count; /* without the blank lines at the bottom */
};
void screen_lines_init(struct screen_lines *screen, const char *text);
void screen_lines_finish(struct screen_lines *screen);

#endif
