/*
 * A field of text that a person edits: UTF-8, a cursor between clusters, bounded. Several lines when allowed.
 */
#ifndef TUI_FIELD_H
#define TUI_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "term/key.h"
#include "tui/layout.h"

struct field {
    struct buffer text;
    size_t cursor; /* byte */
    size_t limit;  /* bytes */
    bool lines;    /* Alt+Enter or Ctrl+J adds a line */
};

void field_init(struct field *field, size_t limit, bool lines, const char *text);
void field_finish(struct field *field);
/* Never NULL. */
const char *field_text(const struct field *field);
/* True when the key was one of editing. */
bool field_key(struct field *field, struct key key);
/* Inserts text; what does not fit, and control characters, are left out. */
void field_insert(struct field *field, const char *text, size_t length);
/* Draws it, scrolled so that the cursor is seen. Sets where the cursor stands when `focused`. */
void field_paint(const struct field *field, struct rectangle area, bool focused, int *x, int *y);

#endif
