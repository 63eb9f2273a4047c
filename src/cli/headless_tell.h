/*
 * The events of a headless run as lines for people, one or more an event, none for what only repeats; and what is said when nothing
 * happens: that it still runs, and how long a wait will last.
 */
#ifndef CLI_HEADLESS_TELL_H
#define CLI_HEADLESS_TELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/headless_log.h"
#include "cli/headless_state.h"

struct headless_teller {
    struct headless_log *log;
    const struct headless_state *state;
    struct headless_words words;
    int64_t said_ms;      /* monotonic, of the last line */
    int64_t waiting_for;  /* what was counted down to, wall clock; 0: nothing */
    int64_t countdown_ms; /* wall clock, of the next line of the countdown; 0: none is due */
    char *error;          /* the message of the last one, or NULL */
    int percent;          /* of a limit's window, as last told */
    bool approval;        /* a person is waited for */
};

void headless_teller_init(struct headless_teller *teller, struct headless_log *log,
                          const struct headless_state *state);
void headless_teller_finish(struct headless_teller *teller);
/* Before the event is given to the state. */
void headless_teller_event(struct headless_teller *teller, const json_t *event);
/* A line that a plain command printed. */
void headless_teller_printed(struct headless_teller *teller, const char *line);
/* What is due without an event. */
void headless_teller_tick(struct headless_teller *teller);
/* Milliseconds until then, -1: nothing is. */
int headless_teller_due(const struct headless_teller *teller);
/* A line of ganger's own. */
void headless_teller_say(struct headless_teller *teller, enum headless_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
