/*
 * Colour pairs. curses wants a numbered pair for each combination of foreground and background; the numbers come
 * from a fixed set of slots, least recently used first. A slot is never recycled while a cell on the screen uses it:
 * when none is free, near colours stand in for one frame and the whole screen is composed again.
 */
#ifndef TUI_COLOUR_H
#define TUI_COLOUR_H

#include <stdbool.h>
#include <stdint.h>

enum colour_depth { COLOUR_MONO, COLOUR_8, COLOUR_16, COLOUR_256, COLOUR_DIRECT };

/* After newterm. Picks the depth from the terminal and NO_COLOR. */
void colour_init(void);
void colour_finish(void);
enum colour_depth colour_depth(void);
/* The pair for two colours in the values of rpc/frame.h; 0 is the terminal's own colours. */
int colour_pair(uint32_t foreground, uint32_t background);
/* True once when a pair could not be had: compose the whole screen again, after colour_forget. */
bool colour_exhausted(void);
void colour_forget(void);

/* A colour as the nearest of a smaller palette: -1 for default. Pure. */
int colour_reduce(uint32_t colour, enum colour_depth depth);

#endif
