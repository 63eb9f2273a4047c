/*
 * The stand-in agent's terminal: raw input, collected output, size. What it changes is put back by terminal_restore,
 * which also runs at exit and on SIGTERM, SIGHUP and SIGINT.
 */
#ifndef FAKE_AGENT_TERMINAL_H
#define FAKE_AGENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Raw input; without a terminal on stdin nothing changes. */
void terminal_raw(void);
void terminal_restore(void);
/* Bytes written at the end besides the settings, "\033[?25h" say. */
void terminal_on_restore(const char *bytes);
/* Columns and rows as the kernel has them; 80x24 without a terminal. */
void terminal_size(int *columns, int *rows);

void out_text(const char *text);
void out_bytes(const char *bytes, size_t length);
void out_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void out_flush(void);

/* Waits up to `milliseconds` (-1: for ever) for input and reads it. Returns the length, 0 when none came (a signal came,
 * or the time is over), -1 at end of file. */
long terminal_read(char *bytes, size_t room, int milliseconds);

/* Set by signals. */
bool terminal_ended(void);   /* SIGTERM, SIGHUP, SIGINT */
bool terminal_resized(void); /* SIGWINCH since the last call */
int terminal_end_signal(void);

long long clock_ms(void);

#endif
