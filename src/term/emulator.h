/*
 * The inside of a terminal, shared by the modules it is made of: filter.c (bytes to sequences), csi.c and osc.c
 * (sequences to actions), modes.c, pen.c, query.c (answers), screen.c (cursor, erasing, scrolling, damage),
 * print.c (glyphs), reflow.c, checkpoint.c, snapshot.c and drawing.c (the screen as text), terminal.c (the public functions).
 * Nothing outside src/term includes it.
 */
#ifndef TERM_EMULATOR_H
#define TERM_EMULATOR_H

#include "term/engine.h"
#include "term/grid.h"
#include "term/intern.h"
#include "term/scrollback.h"
#include "term/terminal.h"
#include "term/width.h"

#define CSI_PARAMS_MAX 64
#define CSI_PARAM_MAX 65535
#define CSI_MISSING (-1)
#define STRING_BYTES_MAX ((size_t)64 * 1024)
#define TITLE_BYTES_MAX 1024
#define TITLE_STACK_MAX 10
#define KEYBOARD_STACK_MAX 16
#define SCROLL_LOG_SIZE 64
#define PALETTE_SIZE 259 /* 256 colours, foreground, background, cursor */

enum filter_state {
    FILTER_GROUND,
    FILTER_ESCAPE,
    FILTER_ESCAPE_INTERMEDIATE,
    FILTER_CSI,
    FILTER_STRING,
    FILTER_STRING_ESCAPE,
};

/* A control sequence as parsed: CSI leader parameters intermediates final. */
struct csi {
    int params[CSI_PARAMS_MAX]; /* 0 to CSI_PARAM_MAX, or CSI_MISSING */
    uint64_t sub;               /* bit i: parameter i was joined to the one before it by a colon */
    int count;                  /* at least 1 once parsed */
    char leader;                /* one of < = > ?, or 0 */
    char intermediate;          /* one, or 0 */
    char final;
    bool invalid; /* more than one leader or intermediate, or bytes that do not belong */
};

struct filter {
    enum filter_state state;
    struct csi csi;
    char escape_intermediate;
    char partial[4]; /* the beginning of a UTF-8 sequence */
    int partial_length;
    char string_kind; /* ] OSC, P DCS, else ignored */
    bool string_overflow;
    struct buffer string;
};

/* Private modes that are remembered, bit by bit. */
enum mode {
    MODE_APPLICATION_CURSOR = 1 << 0,
    MODE_REVERSE_SCREEN = 1 << 1,
    MODE_ORIGIN = 1 << 2,
    MODE_AUTOWRAP = 1 << 3,
    MODE_CURSOR_BLINK = 1 << 4,
    MODE_CURSOR_VISIBLE = 1 << 5,
    MODE_APPLICATION_KEYPAD = 1 << 6,
    MODE_FOCUS = 1 << 7,
    MODE_BRACKETED_PASTE = 1 << 8,
    MODE_SYNCHRONIZED = 1 << 9,
    MODE_INSERT = 1 << 10,
    MODE_NEWLINE = 1 << 11,
    MODE_MOUSE_X10 = 1 << 12,
};
#define MODES_DEFAULT (MODE_AUTOWRAP | MODE_CURSOR_VISIBLE | MODE_CURSOR_BLINK)

struct charsets {
    char designated[4]; /* G0 to G3: 'B' ASCII, '0' line drawing, 'A' British */
    uint8_t active;     /* the one shifted in */
    uint8_t single;     /* SS2, SS3: for one character; 0 none */
};

/* What DECSC saves. */
struct saved_cursor {
    int x, y;
    bool pending, origin, valid;
    struct style pen;
    struct charsets charsets;
};

struct keyboard {
    uint8_t flags[KEYBOARD_STACK_MAX];
    uint8_t depth; /* index of the flags in force */
};

struct scroll_entry {
    uint64_t version;
    int top, bottom, n;
};

struct title_stack {
    char *titles[TITLE_STACK_MAX];
    int depth;
};

struct terminal {
    struct terminal_calls calls;
    void *argument;
    bool clipboard, quiet;

    int cols, rows;
    int x, y;                      /* the cursor */
    bool pending;                  /* the next glyph wraps first; x is the last column then */
    int engine_x;                  /* the engine's column, at most x: moves to the right are handed on late */
    int margin_top, margin_bottom; /* rows [top, bottom) scroll */
    struct engine *engine;
    bool deleting;    /* what scrolls off is deleted (DL), not history */
    uint64_t scrolls; /* counts them */

    struct grid screens[2]; /* primary; alternate, made when first used */
    struct grid *grid;
    bool alternate;
    struct scrollback *scrollback;
    size_t scrollback_limit;
    struct intern intern;

    struct style pen;
    bool pen_stale;       /* the numbers below are not of `pen` */
    uint32_t pen_style;   /* for glyphs */
    uint32_t blank_style; /* for erased cells: the background only */

    uint32_t modes;
    enum mouse_mode mouse_mode;
    enum mouse_encoding mouse_encoding;
    unsigned modify_other_keys;
    int cursor_shape;
    struct charsets charsets;
    struct saved_cursor saved[2];
    struct keyboard keyboards[2];
    unsigned char tabs[(TERMINAL_COLS_MAX + 7) / 8];
    bool tabs_default;

    /* The glyph printed last, which a joining code point joins while the cursor is where that glyph left it. */
    int last_x, last_y, after_x;
    uint64_t last_scrolls;
    uint32_t last_code; /* 0: none; also what REP repeats */
    bool cluster_live;  /* `cluster` is the state after the last cluster; else it begins with last_code */
    struct cluster_state cluster;

    char *title;
    struct title_stack title_stack;
    struct buffer notification; /* OSC 99 title that waits for its body */
    uint32_t palette[PALETTE_SIZE];

    uint64_t version, next_version, epoch;
    bool changed; /* since `version` */
    struct scroll_entry scroll_log[SCROLL_LOG_SIZE];
    unsigned scroll_count;   /* ever; the log keeps the last */
    uint64_t scroll_barrier; /* before this version scrolls cannot be told */

    struct filter filter;
};

/* ---- screen.c ---- */

extern const struct engine_calls screen_engine_calls;

static inline struct row *screen_row(struct terminal *terminal, int y)
{
    return &terminal->grid->lines[y];
}

static inline void screen_touch(struct terminal *terminal, struct row *row)
{
    row->version = terminal->next_version;
    terminal->changed = true;
}

/* Hands a control sequence to the engine, after the cursor moves it has not seen. */
void screen_control(struct terminal *terminal, const char *bytes, size_t length);
void screen_controlf(struct terminal *terminal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Puts the cursor anywhere on the screen, margins or not. */
void screen_place(struct terminal *terminal, int x, int y, bool pending);
/* C0 controls and their C1 equivalents by ESC. */
void screen_c0(struct terminal *terminal, unsigned char control);
void screen_index(struct terminal *terminal, char final);
void screen_align(struct terminal *terminal);
void screen_switch(struct terminal *terminal, bool alternate, bool clear);
void screen_clear(struct terminal *terminal);
/* To be called before pen_style or blank_style are used. */
void screen_refresh_pen(struct terminal *terminal);
/* All of it is different: no scroll can be told. */
void screen_touch_all(struct terminal *terminal);
/* A new engine for the size, margins, origin mode, tab stops and cursor. */
void screen_restart_engine(struct terminal *terminal);
/* Renumbers styles, clusters and links to those in use. */
void screen_collect(struct terminal *terminal);

/* ---- print.c ---- */

/* Printable ASCII. */
void print_ascii(struct terminal *terminal, const char *bytes, size_t length);
/* Any code point but controls. */
void print_code(struct terminal *terminal, uint32_t code);
void print_again(struct terminal *terminal, int count);

/* ---- filter.c ---- */

void filter_write(struct terminal *terminal, const char *bytes, size_t length);

/* ---- csi.c, osc.c ---- */

/* Parameter i, or `otherwise` when it is missing or 0. */
int csi_count(const struct csi *csi, int i, int otherwise);
/* Parameter i, or `otherwise` when it is missing. */
int csi_value(const struct csi *csi, int i, int otherwise);
void csi_dispatch(struct terminal *terminal, const struct csi *csi);
void csi_escape(struct terminal *terminal, char intermediate, char final);
/* `bell`: it was ended by BEL, and an answer is to be. */
void osc_dispatch(struct terminal *terminal, const char *text, size_t length, bool bell);
void dcs_dispatch(struct terminal *terminal, const char *text, size_t length);
void osc_set_title(struct terminal *terminal, const char *text, size_t length);
/* Whether effects outside the terminal are wanted. */
static inline bool terminal_loud(const struct terminal *terminal)
{
    return !terminal->quiet;
}

/* ---- modes.c ---- */

void modes_set(struct terminal *terminal, const struct csi *csi, bool on);
void modes_reset(struct terminal *terminal);
void modes_soft_reset(struct terminal *terminal);
void modes_save_cursor(struct terminal *terminal);
void modes_restore_cursor(struct terminal *terminal);
/* CSI u and CSI m with a leader: the kitty keyboard protocol and modifyOtherKeys. */
void modes_keyboard(struct terminal *terminal, const struct csi *csi);
/* What DECRQM answers: 0 unknown, 1 set, 2 reset, 3 always set, 4 always reset. */
int modes_report(const struct terminal *terminal, bool private, int mode);
void charsets_reset(struct charsets *charsets);
uint32_t charsets_map(struct charsets *charsets, uint32_t code);
/* True when ASCII needs charsets_map. */
static inline bool charsets_active(const struct charsets *charsets)
{
    return charsets->single != 0 || charsets->designated[charsets->active] != 'B';
}

/* ---- pen.c ---- */

void pen_sgr(struct style *pen, const struct csi *csi);
/* The parameters of the SGR that sets the style from the default ("0" and what differs). */
void pen_format(const struct style *style, struct buffer *out);

/* ---- query.c ---- */

void reply(struct terminal *terminal, const char *bytes, size_t length);
void replyf(struct terminal *terminal, const char *format, ...) __attribute__((format(printf, 2, 3)));
void query_attributes(struct terminal *terminal, char leader);
void query_status(struct terminal *terminal, const struct csi *csi);
void query_mode(struct terminal *terminal, const struct csi *csi);
void query_window(struct terminal *terminal, const struct csi *csi);
void query_setting(struct terminal *terminal, const char *what, size_t length);
/* OSC 4, 10, 11, 12: `text` is what follows the number and its semicolon. */
void query_palette(struct terminal *terminal, int number, const char *text, size_t length, bool bell);
void palette_init(uint32_t palette[PALETTE_SIZE]);

/* ---- reflow.c ---- */

void reflow_resize(struct terminal *terminal, int cols, int rows);

/* ---- snapshot.c ---- */

/* A row with SGR sequences, without a line break; one cell. The pen is the default one before and after. */
void snapshot_row(const struct terminal *terminal, int y, struct buffer *out);
void snapshot_cell(const struct terminal *terminal, struct cell cell, struct buffer *out);

/* ---- terminal.c ---- */

/* Everything but the screens, engine and scrollback. */
struct terminal *terminal_allocate(const struct terminal_options *options);

#endif
