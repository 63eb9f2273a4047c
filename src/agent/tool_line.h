/*
 * What a tool call does, in one line that a person reads.
 */
#ifndef AGENT_TOOL_LINE_H
#define AGENT_TOOL_LINE_H

#include <jansson.h>
#include <stddef.h>

#include "base/buffer.h"

/* Bytes of the longest line, the "…" of a cut one included. */
#define TOOL_LINE_MAX 200

/* Appends the most telling member of the tool's input (its command, path, pattern), else the input as JSON. */
void tool_line_append(struct buffer *out, const json_t *input);
/* Appends at most `max` bytes of `text` as one line: line ends and other control characters become blanks, and
 * what is left out is shown by "…". */
void tool_line_append_text(struct buffer *out, const char *text, size_t max);

#endif
