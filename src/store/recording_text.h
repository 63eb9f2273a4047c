/*
 * The text in a terminal's output, for searching: escape sequences are taken out, in pieces of any length. A movement of the
 * cursor to another row, a line feed, and erasing end the line; a movement to the right becomes a blank. What is written after
 * a carriage return or a backspace takes the place of what was there; a line that begins anew is given as it was first. It is no
 * emulation: an interface that draws a word letter by letter in no order is not read.
 */
#ifndef STORE_RECORDING_TEXT_H
#define STORE_RECORDING_TEXT_H

#include <stddef.h>

#include "base/buffer.h"

#define RECORDING_LINE_MAX 4096 /* a longer line is given in parts */

struct recording_text {
    int state; /* of the escape sequence that is open */
    struct buffer line;
    size_t column;            /* in `line`: where the next text goes */
    unsigned row, cell;       /* where the cursor was put last; 0: not known */
    unsigned parameters[2];   /* of the control sequence that is open */
    unsigned parameter_count; /* that have begun */
};

void recording_text_init(struct recording_text *text);
void recording_text_finish(struct recording_text *text);
/* Calls `line` for each line that ends in these bytes, if it has any text, until it returns nonzero, which is returned. The line
 * is NUL-terminated and valid during the call. */
int recording_text_feed(struct recording_text *text, const char *bytes, size_t length,
                        int (*line)(void *argument, const char *bytes, size_t length), void *argument);
/* The line that is open, as if it ended. */
int recording_text_end(struct recording_text *text,
                       int (*line)(void *argument, const char *bytes, size_t length), void *argument);

#endif
