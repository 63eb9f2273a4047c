#include "replay/view.h"

static int clamp(int value, int most)
{
    return value > most && most > 0 ? most : value > most || value < 0 ? 0 : value;
}

/* The new begin of a window of `size` that shows `at`. */
static int reach(int begin, int size, int at)
{
    if (at < begin)
        return at < size ? 0 : at - size / 2;
    return at >= begin + size ? at - size + 1 : begin;
}

void view_follow(struct view *view, int cols, int rows, int x, int y)
{
    if (!view->panned) {
        view->left = x < view->width ? 0 : reach(view->left, view->width, x);
        view->top = reach(view->top, view->height, y);
    }
    view->left = clamp(view->left, cols - view->width);
    view->top = clamp(view->top, rows - view->height);
}

bool view_pan(struct view *view, int cols, int rows, int right, int down)
{
    if (cols <= view->width && rows <= view->height)
        return false;
    view->panned = true;
    view->left = clamp(view->left + right * ((view->width + 1) / 2), cols - view->width);
    view->top = clamp(view->top + down * ((view->height + 1) / 2), rows - view->height);
    return true;
}
