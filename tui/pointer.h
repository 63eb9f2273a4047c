/*
 * The mouse: clicks give the focus, the wheel scrolls, a drag selects; what a program asked for goes to it.
 */
#ifndef TUI_POINTER_H
#define TUI_POINTER_H

#include "term/key.h"

struct ui;

enum pointer_result {
    POINTER_DONE,   /* nothing to send */
    POINTER_AGENT,  /* *inside is for the focused session's program, in its own columns and rows */
    POINTER_ARROWS, /* the wheel as cursor keys, for a full-screen program that takes no mouse */
};

enum pointer_result pointer_take(struct ui *ui, const struct mouse *mouse, struct mouse *inside);

#endif
