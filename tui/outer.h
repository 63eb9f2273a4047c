/*
 * The terminal that the dashboard runs in: set up for raw input and full-screen output, asked what it can do, and put
 * back on every way out, crashes included. One per process.
 */
#ifndef TUI_OUTER_H
#define TUI_OUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* Takes the terminal over. -1 and the error when it cannot be driven; it is then untouched. */
int outer_open(struct error *error);
/* Gives it back; may be called twice. */
void outer_close(void);

/* Gives it to another program for a while; until it is taken back nothing may be drawn. */
void outer_lend(void);
void outer_take_back(void);

int outer_cols(void);
int outer_rows(void);
/* After SIGWINCH: takes the new size. */
void outer_resized(void);

/* An answer to one of the queries that outer_open sent. True when the keyboard speaks the kitty protocol from here on. */
bool outer_reply(const char *text, size_t length);
/* True once, when the terminal has told its background: 0xRRGGBB. */
bool outer_background(uint32_t *rgb);
/* Its colours, 0xRRGGBB, once it has told both. */
bool outer_colours(uint32_t *foreground, uint32_t *background);

/* What was drawn on stdscr appears. The cursor is shown at (x, y) with a shape of term/terminal.h, or hidden when x
 * is -1. */
void outer_show(int x, int y, int shape, bool blink);
/* Every cell is written again, whatever stood there. */
void outer_redraw(void);

/* Whether moves without a button are reported too. */
void outer_mouse_moves(bool wanted);
void outer_bell(void);
/* Puts text into the clipboard, OSC 52. */
void outer_copy(const char *text, size_t length);

#endif
