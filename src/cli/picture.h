/*
 * A screen (the result of screen.get in its frame format) as text, with or without SGR sequences, or as an SVG picture.
 */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buffer.h"

void picture_text(const json_t *screen, bool ansi, struct buffer *out);
void picture_svg(const json_t *screen, struct buffer *out);

#endif
