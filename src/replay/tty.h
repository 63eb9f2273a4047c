/*
 * The user's terminal: its input raw, its alternate screen taken, and given back on every way out: a return, a signal, a
 * crash. There is one in a process.
 */
#ifndef REPLAY_TTY_H
#define REPLAY_TTY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What came in by signals since the last tty_signals. */
struct tty_signals {
    int ended; /* the number of a signal that ends the program, or 0 */
    bool resized;
    bool continued; /* it was stopped: everything is to be drawn again */
    bool stop;      /* SIGTSTP: to be answered with tty_stop */
};

/* Takes the terminal of standard output, and its keys from standard input, or /dev/tty when that is something else. Returns 0 or
 * -1. */
int tty_open(struct error *error);
/* Gives it back. Harmless when it was not taken. */
void tty_close(void);
/* Descriptors to poll for reading: keys, and a pipe that signals fill (tty_signals empties it). */
int tty_input(void);
int tty_wakeup(void);
struct tty_signals tty_signals(void);
/* Gives the terminal back, stops the process, takes the terminal again when it goes on. */
void tty_stop(void);
/* Ends the process by the signal, as if it had not been caught. */
_Noreturn void tty_die(int number);
/* Columns and rows, at least 1; 80x24 when the terminal does not know. */
void tty_size(int *cols, int *rows);
/* Writes all of it. -1: the terminal is gone or a signal ends the program. */
int tty_write(const char *bytes, size_t length);

#endif
