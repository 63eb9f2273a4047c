/*
 * The status line: mode, how many sessions are in which state, the last message, and the keys that help now.
 */
#ifndef TUI_STATUS_H
#define TUI_STATUS_H

struct ui;

void status_paint(const struct ui *ui);

#endif
