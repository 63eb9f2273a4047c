/*
 * A piece of a session's scrollback as rows: the answer of scrollback.get, folded at the pane's width.
 */
#ifndef TUI_PAGE_H
#define TUI_PAGE_H

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"
#include "tui/screen.h"

struct page {
    struct screen screen;
    uint64_t *lines; /* of each row: the number of its logical line */
};

/* Allocated; never NULL. `cols` is at least 2. */
struct page *page_create(const json_t *answer, int cols);
/* A page of a screen as it is; its rows have the line numbers from `line` on. */
struct page *page_of_screen(const struct screen *screen, uint64_t line);
void page_destroy(struct page *page);

/* Appends the text of the columns [from, to) of a row; trailing blanks are left out when `trim`. */
void page_text(const struct page *page, int row, int from, int to, bool trim, struct buffer *out);

#endif
