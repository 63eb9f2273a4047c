/*
 * The scrollback of the focused pane: looked at, searched, copied from. Shows the scrollback that the host has, fetched in
 * pieces as it is needed, and below it the screen as it was when the view was opened.
 */
#ifndef TUI_SCROLL_H
#define TUI_SCROLL_H

#include <stdbool.h>

#include "term/key.h"

struct ui;
struct pane;
struct scroll;

/* Opens the view on the focused session and sets MODE_SCROLL. */
void scroll_open(struct ui *ui);
/* Leaves it; keys go where they went before. */
void scroll_close(struct ui *ui);
void scroll_key(struct ui *ui, struct key key);
/* The wheel: rows up (negative) or down. */
void scroll_wheel(struct ui *ui, int rows);
/* A place of the pane's inside, while a mouse button is held: begins or extends a selection. */
void scroll_drag(struct ui *ui, int x, int y, bool begin);
/* The button was let go: copies what is selected. */
void scroll_drop(struct ui *ui);
void scroll_paint(struct ui *ui, const struct pane *pane);
/* Where the view's cursor stands on the dashboard. */
bool scroll_cursor(const struct ui *ui, int *x, int *y);
/* "line 120 of 3,400", for the status line. */
void scroll_describe(const struct ui *ui, char *out, int size);

#endif
