/*
 * A pane: a border that says whose it is, and inside it a session's screen, clipped around the cursor.
 */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include <stdbool.h>

#include "tui/layout.h"

struct ui;
struct session;

struct pane {
    struct session *session;
    struct rectangle area, inside; /* inside: within the border; no rows when the pane is too small */
    int left, top;                 /* the part of the screen that is shown begins here */
};

/* Places the pane; `framed` is false for one without a border. */
void pane_place(struct pane *pane, struct rectangle area, bool framed);
/* Draws name, agent, phase and time into the border. */
void pane_paint_border(const struct ui *ui, const struct pane *pane);
/* Draws the rows that are marked (or all), and unmarks them. */
void pane_paint_screen(struct ui *ui, struct pane *pane, bool all);
/* Where the screen's cursor stands on the dashboard. False when it is hidden or outside. */
bool pane_cursor(const struct pane *pane, int *x, int *y);

#endif
