/*
 * libvterm's parser and state machine, without its screen: cursor arithmetic, margins, origin mode, tab stops and
 * scrolling are decided there and reported here. It is fed only well-formed control sequences and never text (the
 * filter writes glyphs into the grid itself), and is created anew on every resize, so that none of the parts of
 * libvterm 0.1.4 and 0.3.x that differ or misbehave are used. The only module that includes vterm.h.
 */
#ifndef TERM_ENGINE_H
#define TERM_ENGINE_H

#include <stddef.h>

/* Rows [top, bottom) and columns [left, right). */
struct rect {
    int top, bottom, left, right;
};

struct engine_calls {
    void (*move)(void *argument, int x, int y);
    /* The contents of the rectangle move up by `up` rows (down when negative) or left by `left` columns; never both. */
    void (*scroll)(void *argument, struct rect rect, int up, int left);
    void (*erase)(void *argument, struct rect rect);
};

struct engine;

/* The cursor is at 0, 0, no margins, default tab stops. Nothing is called. */
struct engine *engine_create(int cols, int rows, const struct engine_calls *calls, void *argument);
void engine_destroy(struct engine *engine);
void engine_write(struct engine *engine, const char *bytes, size_t length);

#endif
