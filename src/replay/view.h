/*
 * Which part of a recorded screen is seen in a smaller one: the one around the cursor, or where a person moved it.
 */
#ifndef REPLAY_VIEW_H
#define REPLAY_VIEW_H

#include <stdbool.h>

struct view {
    int left, top;
    int width, height; /* what can be seen, at least 1 */
    bool panned;       /* a person moved it: it stays */
};

/* Follows the cursor of a screen of cols x rows, no further than it must, and never shows more than there is. */
void view_follow(struct view *view, int cols, int rows, int x, int y);
/* Moves it by half of what is seen in each direction given (-1, 0, 1). False when all is seen anyway. */
bool view_pan(struct view *view, int cols, int rows, int right, int down);

#endif
