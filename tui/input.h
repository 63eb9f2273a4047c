/*
 * From the terminal's bytes to what they mean: standard input is read raw, decoded by the tokenizer of term/key.h and given to
 * the dialog, the scrollback, the keymap or the agent.
 */
#ifndef TUI_INPUT_H
#define TUI_INPUT_H

#include <stdbool.h>

#include "base/error.h"

struct ui;

int input_open(struct ui *ui, struct error *error);
void input_close(void);
/* Reads nothing until it is called with false. */
void input_pause(bool pause);

#endif
