/*
 * Texts of which one must be in every match of a POSIX extended regular expression.
 */
#ifndef CLI_SEARCH_LITERALS_H
#define CLI_SEARCH_LITERALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

#define SEARCH_LITERALS 8

struct search_literals {
    struct buffer items[SEARCH_LITERALS];
    size_t count; /* 0: nothing is known */
};

/* With `ignore_case` the texts are ASCII, in lower case. Fails when the expression is nested, or repeats, too much, or refers
 * back. What is no expression at all may pass: regcomp says it better. Returns 0 or -1. */
int search_literals_find(struct search_literals *literals, const char *expression, bool ignore_case,
                         struct error *error);
void search_literals_finish(struct search_literals *literals);

#endif
