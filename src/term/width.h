/*
 * One table of column widths for everything: the emulator, the frames, the dashboard's own text.
 * Unicode 15 East Asian Width, emoji presentation, combining marks; generated into width_table.h.
 */
#ifndef TERM_WIDTH_H
#define TERM_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What width_of gives for code points other than printable ASCII. */
int width_lookup(uint32_t code);

/* Columns of one code point on its own: 0 (combining, joiner, variation selector), 1 or 2; -1 for what has no glyph
 * (controls, line separators, surrogates, noncharacters, numbers above U+10FFFF). */
static inline int width_of(uint32_t code)
{
    return code >= 0x20 && code < 0x7F ? 1 : width_lookup(code);
}

/* Grapheme clusters, one code point at a time. Zero the state before the first. */
struct cluster_state {
    uint32_t last;
    uint8_t flags;
};
/* True when `code` joins the cluster of the code points before it (combining marks, VS16, ZWJ sequences, emoji
 * modifiers, the second of a flag's regional indicators). *width is the cluster's width with `code` in it; it may grow
 * from 1 to 2, never shrink. When false, `code` begins a cluster and *width is width_of(code); a control (-1) is a
 * cluster that nothing joins. */
bool cluster_extend(struct cluster_state *state, uint32_t code, int *width);

/* Columns of UTF-8 text, clusters counted once, controls as 0, each invalid part as one U+FFFD. */
int width_of_text(const char *text, size_t length);
/* How many bytes of the text fit into `columns`, never splitting a cluster; *used is the columns they take. */
size_t width_cut(const char *text, size_t length, int columns, int *used);

#endif
