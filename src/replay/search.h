/*
 * Looking for text while a recording goes through the terminal: it appears when a screen, with the lines that left it
 * meanwhile, holds it more often than the screen that was looked at before. Case counts when the text has an upper-case
 * letter. Text that goes on in the next row is found, text across a line break is not.
 */
#ifndef REPLAY_SEARCH_H
#define REPLAY_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "term/terminal.h"

struct search {
    char *pattern;
    size_t length;
    bool fold;        /* ignores case */
    uint64_t version; /* of the terminal, at the last look */
    size_t shown;     /* how often it was on the screen then */
    size_t left;      /* how often it was in lines that left the screen since */
    uint64_t lines;   /* that have left the screen, of which the last may grow */
    size_t in_last;   /* how often it is in the last of them */
    struct buffer text;
};

/* Copies the pattern, which is not "". */
void search_init(struct search *search, const char *pattern);
void search_finish(struct search *search);

/* Begins with this screen: what it shows has not appeared. */
void search_begin(struct search *search, const struct terminal *terminal);
/* Takes note of the lines that left the screen, before the terminal forgets them. */
void search_gather(struct search *search, const struct terminal *terminal);
/* Whether it appeared since the last look. */
bool search_look(struct search *search, const struct terminal *terminal);

/* Where it is in the text of one row, from `from` on: bytes; -1 when it is not. The text is changed to lower case. */
long search_in_row(const struct search *search, char *text, size_t length, size_t from);

#endif
