/*
 * Drawing on the dashboard's screen: text of a role, boxes, fills. Everything is clipped to the rectangle given.
 * Text is UTF-8 of any origin; control characters become blanks.
 */
#ifndef TUI_CANVAS_H
#define TUI_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "tui/curses.h"
#include "tui/layout.h"
#include "tui/theme.h"

/* The theme that roles are looked up in; borrowed. */
void canvas_set_theme(const struct theme *theme);

/* One cell of text: code points of one cluster, `width` columns (1 or 2). Returns the cells filled, `width`; the
 * second half of a wide one is curses' own. */
void canvas_cell(cchar_t *cell, const uint32_t *codes, size_t count, attr_t attributes, int pair);
attr_t canvas_attributes(uint16_t style, uint8_t underline);

/* Draws text at (x, y), cut at `cols` columns with "…". Returns the columns used. */
int canvas_text(int x, int y, int cols, enum theme_role role, const char *text);
/* The same with a background taken from another role: for rows that are selected. */
int canvas_text_on(int x, int y, int cols, enum theme_role role, enum theme_role background,
                   const char *text);
/* Right-aligned in `cols`. */
void canvas_text_right(int x, int y, int cols, enum theme_role role, enum theme_role background,
                       const char *text);
void canvas_fill(struct rectangle area, enum theme_role role);
/* A thin border with round corners around the area's inside. */
void canvas_box(struct rectangle area, enum theme_role role);
/* A horizontal line. */
void canvas_line(int x, int y, int cols, enum theme_role role);

#endif
