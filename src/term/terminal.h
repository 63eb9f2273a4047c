/*
 * A terminal: bytes in, a grid of cells out. An escape filter stands in front of libvterm's parser and state
 * machine (only engine.c includes vterm.h), the grid and the scrollback are ours. Never blocks, never fails:
 * any bytes at all leave a valid screen.
 *
 * Lines that leave the top of the primary screen go to the scrollback, numbered by logical (unwrapped) line from 0,
 * never reused within a terminal: a line that a resize brings back to the screen keeps its number when it leaves again.
 * The last line may still grow, while its rest is on the screen.
 */
#ifndef TERM_TERMINAL_H
#define TERM_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/mask.h"
#include "term/key.h"

#define TERMINAL_COLS_MIN 2
#define TERMINAL_ROWS_MIN 2
#define TERMINAL_COLS_MAX 1000
#define TERMINAL_ROWS_MAX 500

enum style_attribute {
    STYLE_BOLD = 1 << 0,
    STYLE_DIM = 1 << 1,
    STYLE_ITALIC = 1 << 2,
    STYLE_BLINK = 1 << 3,
    STYLE_REVERSE = 1 << 4,
    STYLE_CONCEAL = 1 << 5,
    STYLE_STRIKE = 1 << 6,
    STYLE_OVERLINE = 1 << 7,
};

/* A colour: COLOR_DEFAULT, an index 0 to 255, or COLOR_RGB with 24 bits. */
#define COLOR_DEFAULT 0xFF000000u
#define COLOR_RGB 0x01000000u

struct style {
    uint32_t foreground, background, underline_color;
    uint16_t attributes; /* enum style_attribute */
    uint8_t underline;   /* 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed */
    uint16_t link;       /* terminal_link(); 0: none */
};

/*
 * A cell. `glyph` is a code point, 0 for an empty cell, CELL_TAIL for the right half of a wide one, or
 * CELL_CLUSTER plus the number of an interned cluster.
 */
#define CELL_CLUSTER 0x80000000u
#define CELL_TAIL 0x7FFFFFFFu

struct cell {
    uint32_t glyph;
    uint32_t style : 24;
    uint32_t width : 8; /* 1 or 2; 0 for CELL_TAIL */
};

struct terminal;

/* What the program asked of its terminal besides drawing. Called within terminal_write; any may be NULL. */
struct terminal_calls {
    /* Bytes for the program's input: answers to its queries, in stream order. */
    void (*reply)(void *argument, const char *bytes, size_t length);
    void (*bell)(void *argument);
    void (*title)(void *argument, const char *title); /* clean UTF-8; also from terminal_load */
    /* OSC 9, OSC 777 and OSC 99: a notification. `title` may be "". */
    void (*notify)(void *argument, const char *title, const char *body);
    void (*progress)(void *argument, int state, int percent);             /* OSC 9;4: state 0 to 4 */
    void (*clipboard)(void *argument, const char *base64, size_t length); /* OSC 52, set only */
    /* OSC 7501 without "7501;", already bounded; a query was answered by the terminal itself. */
    void (*program_status)(void *argument, const char *payload, size_t length);
    void (*working_folder)(void *argument, const char *uri); /* OSC 7 */
    void (*prompt_mark)(void *argument, char mark);          /* OSC 133;A to D */
    void (*reset)(void *argument);                           /* RIS */
};

struct terminal_options {
    int cols, rows;
    size_t scrollback_lines; /* logical lines kept; 0: none */
    bool clipboard;          /* whether OSC 52 is offered (DA1 lists 52) */
    bool quiet;              /* no calls at all: set while replaying, see terminal_set_quiet */
    const struct terminal_calls *calls;
    void *argument;
};

struct terminal *terminal_create(const struct terminal_options *options);
void terminal_destroy(struct terminal *terminal);
/* While quiet, nothing but `title` is called. */
void terminal_set_quiet(struct terminal *terminal, bool quiet);
/* Colours of the outer terminal, for OSC 4/10/11 queries: 0xRRGGBB. Index 0 to 255; -1 foreground, -2 background,
 * -3 cursor. */
void terminal_set_palette(struct terminal *terminal, int index, uint32_t rgb);

void terminal_write(struct terminal *terminal, const char *bytes, size_t length);
/* Clamped to the limits above. Primary screen and scrollback are reflowed. */
void terminal_resize(struct terminal *terminal, int cols, int rows);

int terminal_cols(const struct terminal *terminal);
int terminal_rows(const struct terminal *terminal);
/* The `cols` cells of a row of the screen now shown. Valid until the next write or resize. */
const struct cell *terminal_row(const struct terminal *terminal, int y);
/* True when row y goes on in row y + 1 without a line break. */
bool terminal_row_wrapped(const struct terminal *terminal, int y);

struct style terminal_style(const struct terminal *terminal, uint32_t style);
/* The UTF-8 of a cluster glyph (CELL_CLUSTER) and its length. */
const char *terminal_cluster(const struct terminal *terminal, uint32_t glyph, size_t *length);
/* The URI of a link, or NULL. */
const char *terminal_link(const struct terminal *terminal, uint16_t link);

struct terminal_cursor {
    int x, y;
    bool visible, blink;
    int shape; /* 1 block, 2 underline, 3 bar */
};
struct terminal_cursor terminal_cursor(const struct terminal *terminal);

struct terminal_modes {
    struct input_modes input;
    bool alternate_screen;
    bool synchronized; /* 2026 is on: hold frames back, at most 1 s */
};
struct terminal_modes terminal_modes(const struct terminal *terminal);
const char *terminal_title(const struct terminal *terminal);

/*
 * What changed, for frames. `terminal_version` rises with every visible change. A client that has seen version V asks
 * terminal_row_changed(y, V) for each row; style and cluster numbers stay valid while terminal_epoch is the same, a
 * new epoch means: send everything again.
 */
uint64_t terminal_version(const struct terminal *terminal);
uint64_t terminal_epoch(const struct terminal *terminal);
bool terminal_row_changed(const struct terminal *terminal, int y, uint64_t since);
/*
 * When all scrolling since `since` was of one region, fills it: rows [top, bottom) moved up by n (down when negative),
 * and terminal_row_changed(y, since) then speaks of the rows after that move. Returns false when there was none or
 * it cannot be told; then every moved row counts as changed.
 */
struct terminal_scroll {
    int top, bottom, n;
};
bool terminal_scrolled(const struct terminal *terminal, uint64_t since, struct terminal_scroll *scroll);

/* ---- scrollback ---- */

/* Logical lines [first, end) are kept. */
uint64_t terminal_scrollback_first(const struct terminal *terminal);
uint64_t terminal_scrollback_end(const struct terminal *terminal);
/* Whether the last of them goes on in the first row of the primary screen. */
bool terminal_scrollback_open(const struct terminal *terminal);

/* A run of one style within a logical line. Text is UTF-8. */
struct line_run {
    struct style style;
    const char *link; /* or NULL */
    const char *text;
    size_t length;
};
/* Calls `run` for each run of a logical line, in order. Returns false when the line is not kept (any more). */
bool terminal_scrollback_line(const struct terminal *terminal, uint64_t number,
                              void (*run)(void *argument, const struct line_run *run), void *argument);
/* Searches backwards (or forwards) from line `from` for the plain text, ignoring case when it has no upper case.
 * Returns the line's number, or -1. */
int64_t terminal_scrollback_search(const struct terminal *terminal, const char *text, uint64_t from,
                                   bool forwards);
void terminal_scrollback_clear(struct terminal *terminal);
/* Compresses what can be: to be called when the program has been quiet for a while, or memory is short. */
void terminal_compact(struct terminal *terminal);
/* Bytes the terminal holds, roughly, for `resources` and memory pressure. */
size_t terminal_memory(const struct terminal *terminal);

/* Plain text of the screen: `rows` lines, trailing blanks trimmed, each ended by \n. */
void terminal_text(const struct terminal *terminal, struct buffer *out);
/* One row of it, ended by \n. */
void terminal_row_text(const struct terminal *terminal, int y, struct buffer *out);
/* The same without \n, for a row of a line that goes on in the next one when `wrapped`: its blanks at the end count then. */
void terminal_row_part(const struct terminal *terminal, int y, bool wrapped, struct buffer *out);
/* The screen with SGR sequences, for `snapshot --ansi`. */
void terminal_ansi(const struct terminal *terminal, struct buffer *out);
/* What draws, in a terminal of this size, both screens, cursor, pen, margins, tab stops and modes as they are: output may go
 * on after it. To be taken at ground. */
void terminal_drawing(const struct terminal *terminal, struct buffer *out);

/* ---- checkpoint ---- */

/* True between sequences: only then may a checkpoint be taken. */
bool terminal_at_ground(const struct terminal *terminal);
/* Appends the whole state: both grids, scrollback, modes, pen, keyboard stacks, title. */
void terminal_save(const struct terminal *terminal, struct buffer *out);
/* The same with secrets masked; what the screens show is masked only between terminal_mask and terminal_unmask. */
void terminal_save_masked(const struct terminal *terminal, const struct mask *mask, struct buffer *out);

/* ---- masking ---- */

/* Cells that were masked, and what they showed. */
struct masked_cells;
/* For writing the screens down: secrets in the cells, also those that go on in the next row, become '*' until they are put
 * back. Nothing may write to the terminal in between. NULL: there was nothing to mask. */
struct masked_cells *terminal_mask(struct terminal *terminal, const struct mask *mask);
void terminal_unmask(struct masked_cells *cells);
/* A terminal in exactly that state, of the size it had (the options' size does not count). NULL when the bytes are not of this
 * version or damaged. */
struct terminal *terminal_load(const struct terminal_options *options, const char *bytes, size_t length,
                               struct error *error);

#endif
