/*
 * Rows of a screen as curses cells.
 */
#ifndef TUI_COMPOSE_H
#define TUI_COMPOSE_H

#include "tui/curses.h"
#include "tui/screen.h"

#define COMPOSE_COLS_MAX 1024

/* Composes the columns [left, left + cols) of a row, at most COMPOSE_COLS_MAX. Returns the number of curses cells, which
 * are fewer than the columns where wide characters stand. */
int compose_row(const struct screen *screen, int y, int left, int cols, cchar_t *out);

#endif
