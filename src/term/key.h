/*
 * Keys, mouse and pastes as values: decoded from what a terminal sends (raw stdin of the dashboard), named as tmux
 * names them, and encoded as the program in a pane asked for (legacy xterm, modifyOtherKeys, kitty flags).
 * Pure functions and no state but the tokenizer's. Sources: xterm ctlseqs, the kitty keyboard protocol.
 */
#ifndef TERM_KEY_H
#define TERM_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum key_modifier { KEY_SHIFT = 1, KEY_ALT = 2, KEY_CTRL = 4, KEY_SUPER = 8 };

/* Named keys, above Unicode. Text keys are their code point; control characters are letters with KEY_CTRL. */
enum key_code {
    KEYCODE_ENTER = 0x110000,
    KEYCODE_TAB,
    KEYCODE_BACKSPACE,
    KEYCODE_ESCAPE,
    KEYCODE_UP,
    KEYCODE_DOWN,
    KEYCODE_LEFT,
    KEYCODE_RIGHT,
    KEYCODE_HOME,
    KEYCODE_END,
    KEYCODE_INSERT,
    KEYCODE_DELETE,
    KEYCODE_PAGE_UP,
    KEYCODE_PAGE_DOWN,
    KEYCODE_F1, /* F1 to F20 follow each other */
    KEYCODE_F20 = KEYCODE_F1 + 19,
    KEYCODE_KEYPAD_ENTER,
    KEYCODE_LAST,
};

struct key {
    uint32_t code; /* code point or enum key_code */
    unsigned modifiers;
};

enum mouse_action { MOUSE_PRESS, MOUSE_RELEASE, MOUSE_MOVE, MOUSE_DRAG, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

struct mouse {
    enum mouse_action action;
    int button; /* 1 left, 2 middle, 3 right; 0 none */
    unsigned modifiers;
    int x, y; /* columns and rows from 0 */
};

/* What the program in the pane has asked its terminal for; kept by the emulator, sent in every frame. */
enum mouse_mode { MOUSE_OFF, MOUSE_CLICK, MOUSE_BUTTON, MOUSE_ANY }; /* DECSET 9 is off; 1000, 1002, 1003 */
enum mouse_encoding { MOUSE_ENCODING_X10, MOUSE_ENCODING_UTF8, MOUSE_ENCODING_SGR };

struct input_modes {
    bool application_cursor;    /* DECCKM */
    bool application_keypad;    /* DECKPAM */
    bool bracketed_paste;       /* 2004 */
    bool focus_events;          /* 1004 */
    unsigned modify_other_keys; /* 0, 1, 2 */
    unsigned kitty_flags;
    enum mouse_mode mouse_mode;
    enum mouse_encoding mouse_encoding;
};

/* Names: "a", "é", "C-a", "M-x", "S-Up", "C-M-Left", "Enter", "Escape", "BSpace", "Tab", "BTab", "Space", "Up",
 * "Home", "IC", "DC", "PPage"/"PageUp", "NPage"/"PageDown", "F1"… "F20", "KPEnter"; "^a" is "C-a", "s-" is Super. Names of
 * keys in any case. Returns 0, or -1 for no key. key_format writes the first of several names, modifiers as C-M-S-s-. */
int key_parse(const char *name, struct key *key);
#define KEY_NAME_SIZE 32
void key_format(struct key key, char name[KEY_NAME_SIZE]);
bool key_equal(struct key a, struct key b);
/* One form for each key, which key_parse and the tokenizer give: a letter with Shift alone (or Alt) is the upper-case
 * letter, with Ctrl or Super the lower-case one and KEY_SHIFT; C-@ is C-Space. */
struct key key_normalize(struct key key);
/* A Unicode scalar value that is no control, or an enum key_code. */
bool key_valid(struct key key);

/* Appends the bytes for the program; nothing when the key cannot be expressed. Shift+Enter unasked is ESC CR. */
void key_encode(struct key key, const struct input_modes *modes, struct buffer *out);
/* Appends the report, or nothing when the mode does not want this action or the encoding cannot express the place. */
void mouse_encode(const struct mouse *mouse, const struct input_modes *modes, struct buffer *out);
/* Appends the text as one paste: wrapped if the program set 2004 (an embedded end marker removed), line feeds as CR. */
void paste_encode(const char *text, size_t length, const struct input_modes *modes, struct buffer *out);

enum input_type {
    INPUT_NONE, /* no complete event; more bytes are needed */
    INPUT_KEY,
    INPUT_MOUSE,
    INPUT_PASTE, /* `text`, whole */
    INPUT_FOCUS_IN,
    INPUT_FOCUS_OUT,
    INPUT_REPLY, /* the terminal answered a query; `text` is the whole sequence */
};

struct input_event {
    enum input_type type;
    struct key key;
    struct mouse mouse;
    const char *text; /* valid until the next call */
    size_t length;
};

struct tokenizer;

struct tokenizer *tokenizer_create(void);
void tokenizer_destroy(struct tokenizer *tokenizer);
/* Under the kitty protocol a lone ESC byte never is a key, so no time-out is needed. */
void tokenizer_set_kitty(struct tokenizer *tokenizer, bool enabled);
void tokenizer_feed(struct tokenizer *tokenizer, const char *bytes, size_t length);
/* The next event, or INPUT_NONE. Pastes are bounded at 4 MiB; the rest of a longer one is dropped. */
struct input_event tokenizer_next(struct tokenizer *tokenizer);
/* True when a lone ESC waits, or an ESC and one byte that may be Alt and a key ("[", "O"): after 25 ms without further
 * bytes call tokenizer_flush, then tokenizer_next until INPUT_NONE. */
bool tokenizer_pending_escape(const struct tokenizer *tokenizer);
void tokenizer_flush(struct tokenizer *tokenizer);

#endif
