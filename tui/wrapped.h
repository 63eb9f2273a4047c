/*
 * Text of any origin in lines that fit a width. Nothing is left out: what cannot be shown (control characters, marks that
 * turn the direction of writing, invalid bytes) stands as U+FFFD, a tab as blanks.
 */
#ifndef TUI_WRAPPED_H
#define TUI_WRAPPED_H

#include <stddef.h>

struct wrapped_line {
    size_t start, length; /* bytes of `text` */
};

struct wrapped {
    char *source; /* what was wrapped last; NULL: nothing */
    char *text;   /* cleaned, with line feeds */
    int cols;
    struct wrapped_line *lines;
    size_t count, room;
};

/* Wraps `text` at `cols` columns (at least 2), after a blank where there is one; does nothing when it is the same as before. */
void wrapped_set(struct wrapped *wrapped, const char *text, int cols);
void wrapped_finish(struct wrapped *wrapped);

#endif
