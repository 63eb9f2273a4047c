/*
 * The side panel: all sessions by urgency, the accounts with their limits, the prompts that wait in the focused session. In a
 * narrow terminal it is one line above the panes.
 */
#ifndef TUI_PANEL_H
#define TUI_PANEL_H

#include <stdbool.h>

struct ui;
struct session;

/* Draws panel or strip, whichever there is. */
void panel_paint(struct ui *ui);
/* The session whose row is at that place, or NULL. */
struct session *panel_session_at(struct ui *ui, int x, int y);
/* True when a running time is shown anywhere: the clock is needed. */
bool panel_shows_time(struct ui *ui);

#endif
