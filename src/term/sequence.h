/*
 * The parts of a control sequence (ECMA-48 section 5.4): CSI or SS3, parameters, a final byte.
 */
#ifndef TERM_SEQUENCE_H
#define TERM_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>

enum { SEQUENCE_PARAMETERS = 6, SEQUENCE_PARTS = 3, SEQUENCE_NUMBER_MAX = 99999999 };

struct sequence {
    char prefix;       /* '<', '=', '>', '?', or 0 */
    char intermediate; /* the last, or 0 */
    char final;
    int count; /* parameters, at most SEQUENCE_PARAMETERS */
    unsigned numbers[SEQUENCE_PARAMETERS]
                    [SEQUENCE_PARTS]; /* separated by ';' and ':'; missing is 0, larger is cut */
};

/* Reads what follows CSI or SS3, final byte included. Returns 0, or -1 for what has no such form. */
int sequence_parse(const char *bytes, size_t length, struct sequence *sequence);

/* True for what only a terminal's answer to a query looks like (DA, DSR, DECRPM, cursor position, window reports). */
bool sequence_is_reply(const struct sequence *sequence);

#endif
