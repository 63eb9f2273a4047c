/*
 * Draws what an agent said through its channel as text for a terminal: observations in, bytes with SGR sequences out.
 * Pure: the same observations and columns give the same bytes. Text is wrapped at words; nothing of the agent's text is
 * a control byte of ours: only line feeds and tabs have an effect. Every line ends with CR LF.
 */
#ifndef AGENT_DRAWING_H
#define AGENT_DRAWING_H

#include <stddef.h>

#include "agent/observation.h"
#include "base/buffer.h"

struct drawing;

struct drawing *drawing_create(void);
void drawing_destroy(struct drawing *drawing);

/* `cols`: columns of the terminal. Appends to `out`. */
void drawing_observe(struct drawing *drawing, const struct observation *observation, int cols,
                     struct buffer *out);

enum drawing_line { DRAWING_UNREAD, DRAWING_STDERR };
/* A line that is no message, without its line feed; any bytes. */
void drawing_line(struct drawing *drawing, enum drawing_line kind, const char *text, size_t length, int cols,
                  struct buffer *out);

#endif
