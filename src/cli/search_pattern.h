/*
 * What `ganger search` looks for: a POSIX extended regular expression or fixed text. Lines that lack every text of which one
 * must be in a match are told from the others without asking the expression.
 */
#ifndef CLI_SEARCH_PATTERN_H
#define CLI_SEARCH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define SEARCH_PATTERN_MAX 4096   /* bytes */
#define SEARCH_PATTERN_COST 10000 /* characters, repetitions multiplied */

/* For one thread. */
struct search_pattern;

/* NULL: it is no expression, or one that costs too much. */
struct search_pattern *search_pattern_create(const char *text, bool fixed, bool ignore_case,
                                             struct error *error);
void search_pattern_destroy(struct search_pattern *pattern);
/* Whether it is in the line, which is followed by a NUL. */
bool search_pattern_matches(struct search_pattern *pattern, const char *line, size_t length);
/* The match at or after `from`: its place, or false. */
bool search_pattern_find(struct search_pattern *pattern, const char *line, size_t from, size_t *start,
                         size_t *end);

#endif
