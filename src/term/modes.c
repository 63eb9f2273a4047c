#include "term/emulator.h"

#include <string.h>

static const struct {
    int number;
    uint32_t bit;
} private_modes[] = {
    {1, MODE_APPLICATION_CURSOR}, {5, MODE_REVERSE_SCREEN},      {6, MODE_ORIGIN},
    {7, MODE_AUTOWRAP},           {9, MODE_MOUSE_X10},           {12, MODE_CURSOR_BLINK},
    {25, MODE_CURSOR_VISIBLE},    {66, MODE_APPLICATION_KEYPAD}, {1004, MODE_FOCUS},
    {2004, MODE_BRACKETED_PASTE}, {2026, MODE_SYNCHRONIZED},
};

static const struct {
    int number;
    int state;
} fixed_modes[] = {
    {3, 4},  {4, 4},    {8, 3},    {40, 4},   {45, 4},   {67, 4},   {69, 4},
    {80, 4}, {1001, 4}, {1007, 4}, {1015, 4}, {1016, 4}, {2027, 3},
};

static const struct {
    int number;
    enum mouse_mode mode;
} mouse_modes[] = {{1000, MOUSE_CLICK}, {1002, MOUSE_BUTTON}, {1003, MOUSE_ANY}};

static const struct {
    int number;
    enum mouse_encoding encoding;
} mouse_encodings[] = {{1005, MOUSE_ENCODING_UTF8}, {1006, MOUSE_ENCODING_SGR}};

#define COUNT(table) (sizeof(table) / sizeof *(table))

void charsets_reset(struct charsets *charsets)
{
    *charsets = (struct charsets){.designated = {'B', 'B', 'B', 'B'}};
}

uint32_t charsets_map(struct charsets *charsets, uint32_t code)
{
    /* DEC special graphics, 0x60 to 0x7E. */
    static const uint16_t drawing[] = {
        0x25C6, 0x2592, 0x2409, 0x240C, 0x240D, 0x240A, 0x00B0, 0x00B1, 0x2424, 0x240B, 0x2518,
        0x2510, 0x250C, 0x2514, 0x253C, 0x23BA, 0x23BB, 0x2500, 0x23BC, 0x23BD, 0x251C, 0x2524,
        0x2534, 0x252C, 0x2502, 0x2264, 0x2265, 0x03C0, 0x2260, 0x00A3, 0x00B7,
    };
    char set = charsets->designated[charsets->single != 0 ? charsets->single : charsets->active];

    charsets->single = 0;
    if (set == '0' && code >= 0x60 && code <= 0x7E)
        return drawing[code - 0x60];
    if (set == 'A' && code == '#')
        return 0xA3;
    return code;
}

/* ---- the saved cursor ---- */

void modes_save_cursor(struct terminal *terminal)
{
    terminal->saved[terminal->alternate] = (struct saved_cursor){
        .x = terminal->x,
        .y = terminal->y,
        .pending = terminal->pending,
        .origin = (terminal->modes & MODE_ORIGIN) != 0,
        .valid = true,
        .pen = terminal->pen,
        .charsets = terminal->charsets,
    };
}

static void set_origin(struct terminal *terminal, bool on)
{
    terminal->modes = on ? terminal->modes | MODE_ORIGIN : terminal->modes & ~(uint32_t)MODE_ORIGIN;
    terminal->pending = false;
    screen_controlf(terminal, "\033[?6%c", on ? 'h' : 'l');
}

void modes_restore_cursor(struct terminal *terminal)
{
    struct saved_cursor saved = terminal->saved[terminal->alternate];

    if (!saved.valid) {
        saved = (struct saved_cursor){.pen = style_default};
        charsets_reset(&saved.charsets);
    }
    set_origin(terminal, saved.origin);
    terminal->pen = saved.pen;
    terminal->pen_stale = true;
    terminal->charsets = saved.charsets;
    screen_place(terminal, saved.x, saved.y, saved.pending);
}

/* ---- modes ---- */

static void set_alternate(struct terminal *terminal, int number, bool on)
{
    if (number == 1049 && on)
        modes_save_cursor(terminal);
    if (number == 1047 && !on && terminal->alternate)
        screen_clear(terminal);
    screen_switch(terminal, on, number == 1049 && on);
    if (number == 1049 && !on)
        modes_restore_cursor(terminal);
}

static bool set_mouse(struct terminal *terminal, int number, bool on)
{
    for (size_t i = 0; i < COUNT(mouse_modes); i++)
        if (mouse_modes[i].number == number) {
            terminal->mouse_mode = on ? mouse_modes[i].mode : MOUSE_OFF;
            return true;
        }
    for (size_t i = 0; i < COUNT(mouse_encodings); i++)
        if (mouse_encodings[i].number == number) {
            terminal->mouse_encoding = on ? mouse_encodings[i].encoding : MOUSE_ENCODING_X10;
            return true;
        }
    return false;
}

static void set_private(struct terminal *terminal, int number, bool on)
{
    if (number == 6) {
        set_origin(terminal, on);
    } else if (number == 47 || number == 1047 || number == 1049) {
        set_alternate(terminal, number, on);
    } else if (number == 1048) {
        if (on)
            modes_save_cursor(terminal);
        else
            modes_restore_cursor(terminal);
    } else if (!set_mouse(terminal, number, on)) {
        for (size_t i = 0; i < COUNT(private_modes); i++)
            if (private_modes[i].number == number)
                terminal->modes =
                    on ? terminal->modes | private_modes[i].bit : terminal->modes & ~private_modes[i].bit;
        if (number == 7 && !on)
            terminal->pending = false;
    }
}

static void set_ansi(struct terminal *terminal, int number, bool on)
{
    uint32_t bit = number == 4 ? MODE_INSERT : number == 20 ? MODE_NEWLINE : 0;

    terminal->modes = on ? terminal->modes | bit : terminal->modes & ~bit;
    if (number == 20)
        screen_controlf(terminal, "\033[20%c", on ? 'h' : 'l');
}

void modes_set(struct terminal *terminal, const struct csi *csi, bool on)
{
    for (int i = 0; i < csi->count; i++) {
        int number = csi_value(csi, i, 0);
        if (csi->leader == '?')
            set_private(terminal, number, on);
        else
            set_ansi(terminal, number, on);
    }
    terminal->changed = true;
}

void modes_soft_reset(struct terminal *terminal)
{
    uint32_t kept = MODE_REVERSE_SCREEN | MODE_FOCUS | MODE_BRACKETED_PASTE | MODE_MOUSE_X10 | MODE_NEWLINE |
                    MODE_CURSOR_BLINK;

    terminal->modes = (terminal->modes & kept) | MODE_AUTOWRAP | MODE_CURSOR_VISIBLE;
    terminal->margin_top = 0;
    terminal->margin_bottom = terminal->rows;
    terminal->pending = false;
    terminal->pen = style_default;
    terminal->pen_stale = true;
    charsets_reset(&terminal->charsets);
    terminal->saved[terminal->alternate].valid = false;
    terminal->modify_other_keys = 0;
    terminal->keyboards[terminal->alternate] = (struct keyboard){0};
    terminal->changed = true;
}

void modes_reset(struct terminal *terminal)
{
    modes_soft_reset(terminal);
    terminal->modes = MODES_DEFAULT;
    terminal->mouse_mode = MOUSE_OFF;
    terminal->mouse_encoding = MOUSE_ENCODING_X10;
    terminal->cursor_shape = 1;
    memset(terminal->saved, 0, sizeof terminal->saved);
    memset(terminal->keyboards, 0, sizeof terminal->keyboards);
}

static int on_off(bool on)
{
    return on ? 1 : 2;
}

int modes_report(const struct terminal *terminal, bool private, int mode)
{
    if (!private)
        return mode == 4    ? on_off(terminal->modes & MODE_INSERT)
               : mode == 20 ? on_off(terminal->modes & MODE_NEWLINE)
                            : 0;
    if (mode == 47 || mode == 1047 || mode == 1049)
        return on_off(terminal->alternate);
    if (mode == 1048)
        return on_off(terminal->saved[terminal->alternate].valid);
    for (size_t i = 0; i < COUNT(private_modes); i++)
        if (private_modes[i].number == mode)
            return on_off(terminal->modes & private_modes[i].bit);
    for (size_t i = 0; i < COUNT(fixed_modes); i++)
        if (fixed_modes[i].number == mode)
            return fixed_modes[i].state;
    for (size_t i = 0; i < COUNT(mouse_modes); i++)
        if (mouse_modes[i].number == mode)
            return on_off(terminal->mouse_mode == mouse_modes[i].mode);
    for (size_t i = 0; i < COUNT(mouse_encodings); i++)
        if (mouse_encodings[i].number == mode)
            return on_off(terminal->mouse_encoding == mouse_encodings[i].encoding);
    return 0;
}

/* ---- keyboard protocols ---- */

static uint8_t *keyboard_flags(struct terminal *terminal)
{
    struct keyboard *keyboard = &terminal->keyboards[terminal->alternate];

    return &keyboard->flags[keyboard->depth];
}

static void keyboard_push(struct keyboard *keyboard, uint8_t flags)
{
    if (keyboard->depth + 1 == KEYBOARD_STACK_MAX)
        memmove(keyboard->flags, keyboard->flags + 1, KEYBOARD_STACK_MAX - 1);
    else
        keyboard->depth++;
    keyboard->flags[keyboard->depth] = flags;
}

static void keyboard_pop(struct keyboard *keyboard, int count)
{
    if (count > keyboard->depth) {
        *keyboard = (struct keyboard){0};
        return;
    }
    keyboard->depth = (uint8_t)(keyboard->depth - count);
}

static void keyboard_change(uint8_t *current, uint8_t flags, int how)
{
    if (how == 1)
        *current = flags;
    else if (how == 2)
        *current |= flags;
    else if (how == 3)
        *current &= (uint8_t)~flags;
}

static void kitty(struct terminal *terminal, const struct csi *csi)
{
    struct keyboard *keyboard = &terminal->keyboards[terminal->alternate];
    uint8_t flags = (uint8_t)(csi_value(csi, 0, 0) & 31);

    if (csi->leader == '?')
        replyf(terminal, "\033[?%uu", *keyboard_flags(terminal));
    else if (csi->leader == '>')
        keyboard_push(keyboard, flags);
    else if (csi->leader == '<')
        keyboard_pop(keyboard, csi_count(csi, 0, 1));
    else
        keyboard_change(keyboard_flags(terminal), flags, csi_value(csi, 1, 1));
}

void modes_keyboard(struct terminal *terminal, const struct csi *csi)
{
    if (csi->final == 'u')
        kitty(terminal, csi);
    else if (csi->final == 'm' && csi->leader == '?' && csi_value(csi, 0, 0) == 4)
        replyf(terminal, "\033[>4;%um", terminal->modify_other_keys);
    else if (csi->leader == '>' && csi_value(csi, 0, 4) == 4) {
        int level = csi->final == 'm' ? csi_value(csi, 1, 0) : 0;
        terminal->modify_other_keys = level <= 2 ? (unsigned)level : 0;
    }
    terminal->changed = true;
}
