/*
 * Commands of ganger itself, run beside the dashboard: `ganger run -d …`, `ganger rm …`. Their output is collected in the
 * loop; nothing blocks.
 */
#ifndef TUI_CHILD_H
#define TUI_CHILD_H

struct ui;
struct child;

/* The command has ended: exit code (-1: killed by a signal), its output, and its last line of errors, without the
 * leading "ganger: ". */
typedef void (*child_done)(struct ui *ui, int code, const char *output, const char *problem);

/* Runs this program with `arguments` (NULL-terminated, without the program's name). What goes wrong at once is said in the
 * status line. */
void child_run(struct ui *ui, const char *const *arguments, child_done done);
/* SIGCHLD. */
void child_reap(struct ui *ui);
/* Forgets those that still run; they go on. */
void child_close(struct ui *ui);

#endif
