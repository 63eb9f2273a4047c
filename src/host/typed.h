/*
 * What a person typed into the program, read from the bytes: whether text stands in the input that was not
 * sent with Enter, and whether Escape was pressed. Sequences of other keys, mouse and focus reports count as
 * nothing. Pure.
 */
#ifndef HOST_TYPED_H
#define HOST_TYPED_H

#include <stdbool.h>
#include <stddef.h>

struct typed {
    bool unsent;  /* text was typed since the last Enter, Ctrl+C or Ctrl+U */
    bool command; /* that text begins with a slash */
    int state;    /* within an escape sequence */
};

struct typed_keys {
    bool text, enter, escape, interrupt;
    bool sent; /* Enter after text that is no command */
};

/* Takes bytes as they are written to the program and returns which kinds of keys were among them. An Escape
 * counts when nothing follows it in the same bytes. */
struct typed_keys typed_scan(struct typed *typed, const char *bytes, size_t length);

#endif
