/*
 * The rows of one session in the side panel: number, glyph, name, phase, time; below them who it is and what it does or waits
 * for; below that what it used, or what to do about its error.
 */
#ifndef TUI_PANEL_SESSION_H
#define TUI_PANEL_SESSION_H

#include <stdbool.h>

#include "tui/layout.h"

struct ui;
struct session;

/* Whether there is anything for the third row. */
bool panel_session_third(const struct session *session);
/* Draws `area.rows` rows (1 to 3). */
void panel_session_paint(const struct ui *ui, const struct session *session, struct rectangle area);

#endif
