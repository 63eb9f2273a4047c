/*
 * Styles of cells as SGR sequences, in the colours that a terminal has.
 */
#ifndef REPLAY_SCREEN_STYLE_H
#define REPLAY_SCREEN_STYLE_H

#include "base/buffer.h"
#include "term/terminal.h"

enum color_depth { DEPTH_NONE, DEPTH_16, DEPTH_256, DEPTH_RGB };

/* By the variables of the environment (each may be NULL): NO_COLOR, COLORTERM, TERM. */
enum color_depth color_depth(const char *no_color, const char *colorterm, const char *term);

extern const struct style style_plain;
/* Appends the sequence that sets this style from any other. */
void style_sgr(struct buffer *out, const struct style *style, enum color_depth depth);

#endif
