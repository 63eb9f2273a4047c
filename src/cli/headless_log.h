/*
 * The lines of a headless run: "HH:MM:SS  name  what", the name in a column of its own, what is too long going on below it.
 */
#ifndef CLI_HEADLESS_LOG_H
#define CLI_HEADLESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/headless_output.h"

enum headless_style { STYLE_PLAIN, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_ACCENT };

struct headless_log {
    struct headless_output *output;
    int name_width;
    bool terminal, colour;
    const void *talker; /* whose words stand last, and may go on below; or NULL */
};

/* What one session says, until a row of it is whole. */
struct headless_words {
    struct buffer pending;
    int64_t at_ms; /* of what was said last */
};

void headless_log_init(struct headless_log *log, struct headless_output *output, int name_width);
/* One entry; text of any origin, cleaned. At most `rows` rows (0: all), then "…". `at_ms` is wall-clock time. */
void headless_log_entry(struct headless_log *log, int64_t at_ms, const char *name, enum headless_style style,
                        int rows, const char *text);
/* Adds to a session's words and prints the rows that are whole; with `text` NULL all of them. */
void headless_log_words(struct headless_log *log, struct headless_words *words, const char *name,
                        int64_t at_ms, const char *text);

#endif
