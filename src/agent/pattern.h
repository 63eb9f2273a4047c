/*
 * Patterns of rules files, on one line of text: "text" is contained in it, "^text" begins it after blanks and frame
 * characters (│ ┃ |), "/regex/" is a POSIX extended regular expression, bytes for characters.
 */
#ifndef AGENT_PATTERN_H
#define AGENT_PATTERN_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

enum pattern_type { PATTERN_WITHIN, PATTERN_PREFIX, PATTERN_REGEX };

struct pattern {
    enum pattern_type type;
    char *text; /* of a prefix: without the ^ */
    size_t length;
    regex_t regex;
};

struct patterns {
    struct pattern *items;
    size_t count;
};

/* Adds one. Returns NULL, or what is wrong with it, the caller's to free. */
char *patterns_add(struct patterns *patterns, const char *text);
void patterns_finish(struct patterns *patterns);

bool pattern_matches(const struct pattern *pattern, const char *line);
/* Whether any of them matches the line. */
bool patterns_match(const struct patterns *patterns, const char *line);
/* The line after blanks and frame characters. */
const char *pattern_skip_frame(const char *line);

#endif
