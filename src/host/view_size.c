#include "host/view_size.h"

#include "term/terminal.h"

bool view_choose(const struct view *views, size_t count, int *cols, int *rows)
{
    const struct view *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct view *view = &views[i];
        if (view->cols == 0)
            continue;
        if (best == NULL || view->typed > best->typed ||
            (view->typed == best->typed && view->viewed > best->viewed))
            best = view;
    }
    if (best == NULL)
        return false;
    *cols = best->cols;
    *rows = best->rows;
    return true;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void view_clamp(int *cols, int *rows)
{
    *cols = clamp(*cols, TERMINAL_COLS_MIN, TERMINAL_COLS_MAX);
    *rows = clamp(*rows, TERMINAL_ROWS_MIN, TERMINAL_ROWS_MAX);
}
