/*
 * The `screen` notification, written and read by hand. One frame:
 *
 *   {"jsonrpc":"2.0","method":"screen","params":{"frame":N,"base":N,"more":bool,"attempt":N,"cols":N,"rows":N,
 *    "styles":{"ID":{"fg":C,"bg":C,"uc":C,"attr":BITS,"ul":N,"link":"URI"}},
 *    "scroll":[top,bottom,n],"lines":[[y,[[style,width,"text"],…],wrapped],…],
 *    "cursor":[x,y,visible,shape,blink],"modes":{…},"title":"…"}}
 *
 * base 0: a full frame; the client starts from an empty screen and forgets all styles. Otherwise the frame changes what
 * frame `base` left. Colours C are 0 to 255 or "#rrggbb", absent when default; attr is enum style_attribute of
 * term/terminal.h; ul is the underline style. Style 0 is the default. A line replaces the whole row; cells after its
 * last run are empty in style 0. width 1 or 2 holds for each code point of the run; -n: the text is one cluster of n
 * columns. `wrapped` (1) is there when the row goes on in the next one. styles, scroll, lines, modes and title are
 * absent when unchanged. `more`: further parts of the same frame follow, each with the same frame and base; the first
 * alone starts from an empty screen. Paint and acknowledge after the last.
 *
 * modes: {"alternate_screen", "application_cursor", "application_keypad", "bracketed_paste", "focus_events": bool,
 * "modify_other_keys", "kitty_flags", "mouse_mode", "mouse_encoding": N}. `visible` and `blink` are booleans.
 */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* A frame's colour: FRAME_COLOR_DEFAULT, 0 to 255, or FRAME_COLOR_RGB | 0xRRGGBB (the values of term/terminal.h). */
#define FRAME_COLOR_DEFAULT 0xFF000000u
#define FRAME_COLOR_RGB 0x01000000u
#define FRAME_SPLIT (256 * 1024) /* bytes after which a frame is split */
#define FRAME_COLS_MAX 1000
#define FRAME_ROWS_MAX 500
#define FRAME_STYLE_MAX 0xFFFFFFu

struct frame_style {
    uint32_t id;
    uint32_t foreground, background, underline_color;
    uint16_t attributes;
    uint8_t underline;
    const char *link; /* NUL-terminated, or NULL */
};

struct frame_head {
    uint64_t frame, base;
    bool more;
    uint32_t attempt;
    int cols, rows;
};

struct frame_cursor {
    int x, y;
    bool visible, blink;
    int shape;
};

struct frame_modes {
    bool alternate_screen, application_cursor, application_keypad, bracketed_paste, focus_events;
    unsigned modify_other_keys, kitty_flags;
    int mouse_mode, mouse_encoding; /* enum mouse_mode, enum mouse_encoding of term/key.h */
};

/* ---- writing: call in this order; styles and lines any number of times ---- */
struct frame_writer {
    struct buffer *out;
    size_t start;
    int section;        /* what is open */
    uint32_t run_style; /* of the open run */
    int run_width;
    bool run_open;
};

/* Begins a line of JSON in `out`. */
void frame_begin(struct frame_writer *writer, struct buffer *out, const struct frame_head *head);
void frame_style(struct frame_writer *writer, const struct frame_style *style);
void frame_scroll(struct frame_writer *writer, int top, int bottom, int n);
void frame_line_begin(struct frame_writer *writer, int64_t y);
/* Adds text of one style; width as in the format above. Text is valid UTF-8 without control characters. Runs of the
 * same style and width are joined. */
void frame_run(struct frame_writer *writer, uint32_t style, int width, const char *text, size_t length);
void frame_line_end(struct frame_writer *writer, bool wrapped);
void frame_cursor(struct frame_writer *writer, const struct frame_cursor *cursor);
void frame_modes(struct frame_writer *writer, const struct frame_modes *modes);
void frame_title(struct frame_writer *writer, const char *title);
/* Closes everything and adds the \n. Returns the length of the whole line. */
size_t frame_end(struct frame_writer *writer);

/* ---- reading ---- */
struct frame_handler {
    void (*head)(void *argument, const struct frame_head *head);
    void (*style)(void *argument, const struct frame_style *style);
    void (*scroll)(void *argument, int top, int bottom, int n);
    void (*line)(void *argument, int64_t y);
    /* `text` is decoded, valid UTF-8 of `length` bytes. */
    void (*run)(void *argument, uint32_t style, int width, const char *text, size_t length);
    void (*line_end)(void *argument, bool wrapped);
    void (*cursor)(void *argument, const struct frame_cursor *cursor);
    void (*modes)(void *argument, const struct frame_modes *modes);
    void (*title)(void *argument, const char *title);
};

/* True when the line begins like a screen notification as frame_begin writes it. */
bool frame_is(const char *line, size_t length);
/* Reads a frame; `line` is changed in place. Falls back to jansson for unusual but valid JSON. Everything is checked
 * before the handler is called: numbers are in range, y within rows, a row's text within cols, text without control
 * characters. The handler's members must all be set. Returns 0, or -1 and the error; then nothing was called. */
int frame_read(char *line, size_t length, const struct frame_handler *handler, void *argument,
               struct error *error);

/* The two requests of the hot path, as notifications (no id). */
void frame_write_ack(struct buffer *out, uint64_t frame);
void frame_write_input(struct buffer *out, const void *bytes, size_t length);
/* Recognise them: true and the value. The input's base64 is decoded into `out` (appended). */
bool frame_read_ack(const char *line, size_t length, uint64_t *frame);
bool frame_read_input(const char *line, size_t length, struct buffer *out);

#endif
