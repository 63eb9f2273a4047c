/*
 * Standard output of a headless run: what it takes without blocking. A reader that stops delays nobody, one that is gone ends
 * nothing: what comes after is dropped.
 */
#ifndef CLI_HEADLESS_OUTPUT_H
#define CLI_HEADLESS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct headless_output {
    struct buffer pending;
    bool gone; /* nobody reads any more, or it cannot be written */
};

/* Makes sure that descriptors 0 to 2 exist, whatever the caller closed, so that no file of ours takes their place. */
void headless_output_settle(void);
void headless_output_init(struct headless_output *output);
void headless_output_finish(struct headless_output *output);
void headless_output_add(struct headless_output *output, const char *bytes, size_t length);
/* Whether there is something to write: then wait for POLLOUT. */
bool headless_output_waits(const struct headless_output *output);
/* So much waits that no more should be made. */
bool headless_output_full(const struct headless_output *output);
/* What poll said of it: writes a piece, or gives up. */
void headless_output_ready(struct headless_output *output, short events);

#endif
