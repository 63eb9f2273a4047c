/*
 * The size of a session's terminal: that of the client which typed last, else of the newest view; without
 * any it stays. Changes go out at most every VIEW_INTERVAL_NS, the last one always. Pure.
 */
#ifndef HOST_VIEW_SIZE_H
#define HOST_VIEW_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIEW_INTERVAL_NS 16000000

struct view {
    int cols, rows;  /* 0: the client has none */
    uint64_t viewed; /* order of session.view calls; higher is newer */
    uint64_t typed;  /* order of input; 0: never */
};

/* Picks the view in force among `count`. False when no client has one. */
bool view_choose(const struct view *views, size_t count, int *cols, int *rows);
/* Clamps to what a terminal may be. */
void view_clamp(int *cols, int *rows);

#endif
