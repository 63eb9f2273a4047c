/*
 * Text into rows of a terminal: wrapped at words, each row behind its indentation and with its style, cleaned of control
 * bytes. Text may come in pieces: a word at their end is held back until it is known to be whole. Light markdown
 * (**bold**, `code`, headings, fenced code) becomes styles where that is asked for.
 */
#ifndef AGENT_DRAWING_WRAP_H
#define AGENT_DRAWING_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "term/width.h"

#define WRAP_INDENT 48 /* bytes of an indentation, its SGR included */

struct indent {
    char first[WRAP_INDENT], rest[WRAP_INDENT]; /* of the first row, and of those that follow */
    int width;                                  /* columns of either */
};

enum { STYLE_BOLD = 1, STYLE_CODE = 2 };

struct wrap {
    struct indent indent;
    char style[24]; /* SGR parameters of the whole: "2;3"; empty: none */
    bool markdown;
    /* The row. */
    bool open, begun; /* a row is being drawn; any was */
    int column;
    unsigned shown, current; /* styles at the end of what was drawn, and of what was taken */
    /* What waits. */
    struct buffer word;
    int word_width, cluster_width;
    struct cluster_state cluster;
    int spaces, newlines;
    /* Markdown. */
    int stars, ticks;
    bool line_begun, fence, heading;
    int hashes;
};

void wrap_init(struct wrap *wrap);
void wrap_finish(struct wrap *wrap);
/* Begins a piece of text; what was before is ended (wrap_end). `style`: SGR parameters. */
void wrap_begin(struct wrap *wrap, const struct indent *indent, const char *style, bool markdown);
void wrap_text(struct wrap *wrap, const char *text, size_t length, int cols, struct buffer *out);
/* Draws what waits and ends the row, if one is open. Line feeds at the end are left out. */
void wrap_end(struct wrap *wrap, int cols, struct buffer *out);

/* One row of text: cut at `cols` with an ellipsis; escape sequences are left out, tabs become blanks, and of a line that
 * overwrites itself with carriage returns the last state counts. No line end. */
void wrap_cut(const char *text, size_t length, int cols, struct buffer *out);

#endif
