/*
 * The dashboard: an ncurses application that shows the sessions of one user in panes and a side panel, and sends
 * keys and commands to their hosts. It owns nothing that a session needs: it may end at any moment.
 */
#ifndef TUI_APP_H
#define TUI_APP_H

#include <stdbool.h>

struct tui_options {
    const char *session;  /* UUID of the session to open on, in pane mode; NULL: crew mode */
    bool read_only;       /* no key reaches an agent and no size is asked for */
    bool raw;             /* that session alone, without frame and panel */
    void (*opened)(void); /* called once when it is open, or NULL */
};

/* Runs until the person detaches or the terminal goes. Errors are printed. Returns the exit code: 0 detached, 1 error. */
int tui_main(const struct tui_options *options);

#endif
