/* Sources: xterm's "Control Sequences" (PC-style function keys, modifyOtherKeys), the kitty keyboard protocol. */
#include "base/utf8.h"
#include "term/key.h"

enum {
    KITTY_DISAMBIGUATE = 1,
    KITTY_ALTERNATES = 4,
    KITTY_REPORT_ALL = 8,
    KITTY_TEXT = 16,
    KITTY_KEYPAD_ENTER = 57414,
    KITTY_F13 = 57376,
};

/* Keys that have a sequence with modifiers of their own, the same in every protocol. */
struct function_key {
    int number; /* the first parameter */
    char final;
};

static const struct function_key editing_keys[] = {
    {1, 'A'}, {1, 'B'}, {1, 'D'}, {1, 'C'}, {1, 'H'}, {1, 'F'}, {2, '~'}, {3, '~'}, {5, '~'}, {6, '~'},
};

static const struct function_key function_keys[] = {
    {1, 'P'},  {1, 'Q'},  {1, 'R'},  {1, 'S'},  {15, '~'}, {17, '~'}, {18, '~'},
    {19, '~'}, {20, '~'}, {21, '~'}, {23, '~'}, {24, '~'}, {25, '~'}, {26, '~'},
    {28, '~'}, {29, '~'}, {31, '~'}, {32, '~'}, {33, '~'}, {34, '~'},
};

static bool kitty_active(const struct input_modes *modes)
{
    return modes->kitty_flags & (KITTY_DISAMBIGUATE | KITTY_REPORT_ALL);
}

static void append_code(struct buffer *out, uint32_t code)
{
    char bytes[4];

    buffer_append(out, bytes, (size_t)utf8_encode(code, bytes));
}

/* ESC [ number ; modifiers final, leaving out what is not needed. */
static void append_function(struct buffer *out, struct function_key function, unsigned modifiers)
{
    buffer_append_string(out, "\033[");
    if (function.number != 1 || modifiers != 0)
        buffer_append_number(out, (unsigned)function.number);
    if (modifiers != 0) {
        buffer_append_char(out, ';');
        buffer_append_number(out, modifiers + 1);
    }
    buffer_append_char(out, function.final);
}

static void function_encode(struct key key, const struct input_modes *modes, struct buffer *out)
{
    bool is_editing = key.code < KEYCODE_F1;
    struct function_key function =
        is_editing ? editing_keys[key.code - KEYCODE_UP] : function_keys[key.code - KEYCODE_F1];
    bool kitty = kitty_active(modes);

    /* The protocol avoids CSI R, which also is a cursor position, and has numbers of its own from F13 on. */
    if (kitty && key.code == KEYCODE_F1 + 2)
        function = (struct function_key){13, '~'};
    else if (kitty && key.code >= KEYCODE_F1 + 12 && !is_editing)
        function = (struct function_key){(int)(KITTY_F13 + key.code - KEYCODE_F1 - 12), 'u'};
    if (function.final != '~' && key.modifiers == 0 && !kitty && (!is_editing || modes->application_cursor)) {
        buffer_append_string(out, "\033O");
        buffer_append_char(out, function.final);
        return;
    }
    append_function(out, function, key.modifiers);
}

/* The number that stands for a key in CSI u and CSI 27 sequences. */
static uint32_t key_number(uint32_t code)
{
    switch (code) {
    case KEYCODE_ENTER:
    case KEYCODE_KEYPAD_ENTER:
        return '\r';
    case KEYCODE_TAB:
        return '\t';
    case KEYCODE_BACKSPACE:
        return 0x7F;
    case KEYCODE_ESCAPE:
        return 0x1B;
    default:
        return code;
    }
}

/* The key without Shift, as the protocol wants it: 'A' is 'a' with Shift. */
static struct key unshifted(struct key key)
{
    struct key lower = key_normalize((struct key){key.code, KEY_CTRL});

    if (key.code < KEYCODE_ENTER && lower.code != key.code && lower.code != ' ') {
        key.code = lower.code;
        key.modifiers |= KEY_SHIFT;
    }
    return key;
}

static bool kitty_plain(struct key key, const struct input_modes *modes)
{
    if (modes->kitty_flags & KITTY_REPORT_ALL)
        return false;
    if (key.code < KEYCODE_ENTER)
        return (key.modifiers & ~(unsigned)KEY_SHIFT) == 0;
    return key.modifiers == 0 &&
           (key.code == KEYCODE_ENTER || key.code == KEYCODE_TAB || key.code == KEYCODE_BACKSPACE);
}

static void kitty_encode(struct key key, const struct input_modes *modes, struct buffer *out)
{
    struct key base = unshifted(key);
    bool text = modes->kitty_flags & KITTY_TEXT && modes->kitty_flags & KITTY_REPORT_ALL &&
                key.code < KEYCODE_ENTER && (key.modifiers & ~(unsigned)KEY_SHIFT) == 0;

    if (kitty_plain(key, modes)) {
        append_code(out, key_number(key.code));
        return;
    }
    buffer_append_string(out, "\033[");
    buffer_append_number(out, key.code == KEYCODE_KEYPAD_ENTER ? KITTY_KEYPAD_ENTER : key_number(base.code));
    if (modes->kitty_flags & KITTY_ALTERNATES && base.modifiers & KEY_SHIFT && key.code < KEYCODE_ENTER) {
        uint32_t shifted = key_normalize((struct key){base.code, KEY_SHIFT}).code;
        if (shifted != base.code) {
            buffer_append_char(out, ':');
            buffer_append_number(out, shifted);
        }
    }
    if (base.modifiers != 0 || text) {
        buffer_append_char(out, ';');
        buffer_append_number(out, base.modifiers + 1);
    }
    if (text) {
        buffer_append_char(out, ';');
        buffer_append_number(out, key.code);
    }
    buffer_append_char(out, 'u');
}

/* The byte that Ctrl makes of an ASCII key, as xterm has it; -1 for none. */
static int control_byte(uint32_t code)
{
    static const char keys[] = " @2[3\\4]5^6_7/?8";
    static const unsigned char bytes[] = {0,    0,    0,    0x1B, 0x1B, 0x1C, 0x1C, 0x1D,
                                          0x1D, 0x1E, 0x1E, 0x1F, 0x1F, 0x1F, 0x7F, 0x7F};

    if (code >= 'a' && code <= 'z')
        return (int)code - 'a' + 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        if ((uint32_t)keys[i] == code)
            return bytes[i];
    return code == '`' ? 0 : code == '~' ? 0x1E : -1;
}

/* Does modifyOtherKeys report this key as CSI 27 ; modifiers ; code ~? Level 1 leaves what has well-known bytes. */
static bool other_key_wanted(struct key key, unsigned level)
{
    unsigned modifiers = key.modifiers;

    if (level == 0 || modifiers == 0)
        return false;
    if (level == 1) {
        if (key.code == KEYCODE_TAB)
            return modifiers & KEY_CTRL;
        if (key.code == KEYCODE_ENTER || key.code == KEYCODE_KEYPAD_ENTER)
            return true;
        if (key.code >= KEYCODE_ENTER || !(modifiers & KEY_CTRL))
            return modifiers & KEY_SUPER;
        return modifiers & (KEY_SHIFT | KEY_SUPER) || control_byte(key.code) < 0;
    }
    return key.code >= KEYCODE_ENTER || modifiers != KEY_SHIFT || key.code == ' ';
}

static void other_key_encode(struct key key, struct buffer *out)
{
    uint32_t number = key_number(key.code);

    /* Unlike kitty, xterm sends the shifted character. */
    if (key.code < KEYCODE_ENTER && key.modifiers & KEY_SHIFT)
        number = key_normalize((struct key){key.code, KEY_SHIFT}).code;
    else
        key = (struct key){key.code, key.modifiers | (unshifted(key).modifiers & KEY_SHIFT)};
    buffer_append_string(out, "\033[27;");
    buffer_append_number(out, key.modifiers + 1);
    buffer_append_char(out, ';');
    buffer_append_number(out, number);
    buffer_append_char(out, '~');
}

static void legacy_text(struct key key, struct buffer *out)
{
    int byte = key.modifiers & KEY_CTRL ? control_byte(key.code) : -1;

    if (byte >= 0)
        buffer_append_char(out, (char)byte);
    else
        append_code(out, key_normalize((struct key){key.code, key.modifiers & KEY_SHIFT}).code);
}

static void legacy_encode(struct key key, const struct input_modes *modes, struct buffer *out)
{
    unsigned modifiers = key.modifiers;

    if (modifiers & KEY_SUPER)
        return;
    if (key.code == KEYCODE_KEYPAD_ENTER && modes->application_keypad && modifiers == 0) {
        buffer_append_string(out, "\033OM");
        return;
    }
    /* Shift+Enter as ESC CR is what programs read as a line break in a prompt. */
    if (modifiers & KEY_ALT ||
        (modifiers & KEY_SHIFT && (key.code == KEYCODE_ENTER || key.code == KEYCODE_KEYPAD_ENTER)))
        buffer_append_char(out, '\033');
    if (key.code < KEYCODE_ENTER)
        legacy_text(key, out);
    else if (key.code == KEYCODE_TAB && modifiers & KEY_SHIFT)
        buffer_append_string(out, "\033[Z");
    else if (key.code == KEYCODE_BACKSPACE && modifiers & KEY_CTRL)
        buffer_append_char(out, '\b');
    else
        buffer_append_char(out, (char)key_number(key.code));
}

void key_encode(struct key key, const struct input_modes *modes, struct buffer *out)
{
    if (!key_valid(key))
        return;
    key = key_normalize(key);
    if (key.code >= KEYCODE_UP && key.code <= KEYCODE_F20)
        function_encode(key, modes, out);
    else if (kitty_active(modes))
        kitty_encode(key, modes, out);
    else if (other_key_wanted(key, modes->modify_other_keys))
        other_key_encode(key, out);
    else
        legacy_encode(key, modes, out);
}
