/*
 * The block of prompts that wait in the focused session, in the side panel.
 */
#ifndef TUI_PANEL_QUEUE_H
#define TUI_PANEL_QUEUE_H

#include "tui/layout.h"

struct session;

/* The rows it would take, heading included; 0 when nothing waits. `session` may be NULL. */
int panel_queue_rows(const struct session *session);
/* Draws as many prompts as fit, what goes next marked. */
void panel_queue_paint(const struct session *session, struct rectangle area);

#endif
