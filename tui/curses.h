/*
 * The one place that includes curses, with wide characters and extended colours, and without its function-like
 * macros, which clash with other names.
 */
#ifndef TUI_CURSES_H
#define TUI_CURSES_H

#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#define NCURSES_NOMACROS 1
#include <curses.h>

#endif
