/*
 * The button byte of mouse reports (xterm's "Mouse Tracking"), read and written.
 */
#ifndef TERM_MOUSE_H
#define TERM_MOUSE_H

#include <stdbool.h>

#include "term/key.h"

/* Decodes a report: the button value without the offset of 32, places counted from 1, and whether the sequence itself
 * says release (SGR). Returns 0, or -1 for a button or place that `struct mouse` has no value for. */
int mouse_decode(unsigned value, unsigned column, unsigned row, bool released, struct mouse *mouse);

#endif
