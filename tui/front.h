/*
 * A command of ganger that has the terminal for itself, `ganger replay` say. The dashboard draws and reads nothing meanwhile, but
 * goes on otherwise: no session waits for it.
 */
#ifndef TUI_FRONT_H
#define TUI_FRONT_H

struct ui;

/* Runs this program with `arguments` (NULL-terminated, without the program's name). What goes wrong is said in the status line. */
void front_run(struct ui *ui, const char *const *arguments);
/* SIGCHLD: takes the terminal back when the command has ended. */
void front_reap(struct ui *ui);
/* Ends the command, when there is one, and waits for it. */
void front_end(struct ui *ui);

#endif
