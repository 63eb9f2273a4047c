/*
 * A row of the recorded screen as the bytes that draw it, cut to the part that is to be seen.
 */
#ifndef REPLAY_SCREEN_ROW_H
#define REPLAY_SCREEN_ROW_H

#include <stdbool.h>

#include "base/buffer.h"
#include "replay/screen_style.h"
#include "replay/search.h"
#include "term/terminal.h"

struct row_look {
    enum color_depth depth;
    bool ascii;                  /* the terminal shows nothing else */
    int left, width;             /* the columns to be seen */
    const struct search *search; /* what is shown in reverse; or NULL */
};

/* Appends columns [left, left + width) of row y, from the cursor's place at the left edge on, and clears what remains of the row.
 * Half of a wide character is a blank. */
void row_draw(struct buffer *out, const struct terminal *terminal, int y, const struct row_look *look);

#endif
