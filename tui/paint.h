/*
 * Composes a frame of the dashboard from what has changed, and shows it.
 */
#ifndef TUI_PAINT_H
#define TUI_PAINT_H

struct ui;

/* Paints what ui->paint asks for and writes it out at once. */
void paint_now(struct ui *ui);

#endif
