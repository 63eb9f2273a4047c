/*
 * What a plain command prints, for the log of a headless run: no events tell it, so it is read from the recording, line by line,
 * without escape sequences.
 */
#ifndef CLI_HEADLESS_PRINTED_H
#define CLI_HEADLESS_PRINTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/recording_text.h"

struct headless_printed {
    int folder; /* -1: nothing is read */
    unsigned attempt;
    uint64_t offset;
    struct recording_text text;
};

/* Nothing is read until headless_printed_open. */
void headless_printed_init(struct headless_printed *printed);
int headless_printed_open(struct headless_printed *printed, const char *uuid, struct error *error);
void headless_printed_finish(struct headless_printed *printed);
/* Gives what there is of attempt `attempt`, but no more than takes a moment; `line` returns 0. Returns true when more is there. */
bool headless_printed_step(struct headless_printed *printed, unsigned attempt,
                           int (*line)(void *argument, const char *bytes, size_t length), void *argument);
/* The attempt is over: gives the line that is open. */
void headless_printed_end(struct headless_printed *printed,
                          int (*line)(void *argument, const char *bytes, size_t length), void *argument);

#endif
