#include "term/key_decode.h"

#include <string.h>

struct letter_key {
    char final;
    struct key key;
};

/* CSI and SS3. */
static const struct letter_key shared_letters[] = {
    {'A', {KEYCODE_UP, 0}},     {'B', {KEYCODE_DOWN, 0}},   {'C', {KEYCODE_RIGHT, 0}},
    {'D', {KEYCODE_LEFT, 0}},   {'F', {KEYCODE_END, 0}},    {'H', {KEYCODE_HOME, 0}},
    {'P', {KEYCODE_F1, 0}},     {'Q', {KEYCODE_F1 + 1, 0}}, {'R', {KEYCODE_F1 + 2, 0}},
    {'S', {KEYCODE_F1 + 3, 0}},
};

/* rxvt: Shift and a cursor key. */
static const struct letter_key csi_letters[] = {
    {'Z', {KEYCODE_TAB, KEY_SHIFT}},   {'a', {KEYCODE_UP, KEY_SHIFT}},   {'b', {KEYCODE_DOWN, KEY_SHIFT}},
    {'c', {KEYCODE_RIGHT, KEY_SHIFT}}, {'d', {KEYCODE_LEFT, KEY_SHIFT}},
};

/* The keypad in application mode, and rxvt: Ctrl and a cursor key. */
static const struct letter_key ss3_letters[] = {
    {'M', {KEYCODE_KEYPAD_ENTER, 0}},
    {'I', {KEYCODE_TAB, 0}},
    {'X', {'=', 0}},
    {'a', {KEYCODE_UP, KEY_CTRL}},
    {'b', {KEYCODE_DOWN, KEY_CTRL}},
    {'c', {KEYCODE_RIGHT, KEY_CTRL}},
    {'d', {KEYCODE_LEFT, KEY_CTRL}},
    {'j', {'*', 0}},
    {'k', {'+', 0}},
    {'l', {',', 0}},
    {'m', {'-', 0}},
    {'n', {'.', 0}},
    {'o', {'/', 0}},
    {'p', {'0', 0}},
    {'q', {'1', 0}},
    {'r', {'2', 0}},
    {'s', {'3', 0}},
    {'t', {'4', 0}},
    {'u', {'5', 0}},
    {'v', {'6', 0}},
    {'w', {'7', 0}},
    {'x', {'8', 0}},
    {'y', {'9', 0}},
};

/* CSI number ~; 0 where there is no key. */
static const uint32_t tilde_keys[] = {
    [1] = KEYCODE_HOME,     [2] = KEYCODE_INSERT,    [3] = KEYCODE_DELETE,   [4] = KEYCODE_END,
    [5] = KEYCODE_PAGE_UP,  [6] = KEYCODE_PAGE_DOWN, [7] = KEYCODE_HOME,     [8] = KEYCODE_END,
    [11] = KEYCODE_F1,      [12] = KEYCODE_F1 + 1,   [13] = KEYCODE_F1 + 2,  [14] = KEYCODE_F1 + 3,
    [15] = KEYCODE_F1 + 4,  [17] = KEYCODE_F1 + 5,   [18] = KEYCODE_F1 + 6,  [19] = KEYCODE_F1 + 7,
    [20] = KEYCODE_F1 + 8,  [21] = KEYCODE_F1 + 9,   [23] = KEYCODE_F1 + 10, [24] = KEYCODE_F1 + 11,
    [25] = KEYCODE_F1 + 12, [26] = KEYCODE_F1 + 13,  [28] = KEYCODE_F1 + 14, [29] = KEYCODE_F1 + 15,
    [31] = KEYCODE_F1 + 16, [32] = KEYCODE_F1 + 17,  [33] = KEYCODE_F1 + 18, [34] = KEYCODE_F20,
};

enum { TILDE_KEYS = sizeof tilde_keys / sizeof tilde_keys[0], TILDE_OTHER_KEY = 27, EVENT_RELEASE = 3 };

/* The numbers that the kitty protocol gives to keys without text, all in the private use area. */
enum {
    KITTY_FIRST = 57344,
    KITTY_LAST = 63743,
    KITTY_F13 = 57376,
    KITTY_F20 = KITTY_F13 + 7,
    KITTY_KEYPAD_0 = 57399,
    KITTY_KEYPAD_DELETE = 57426,
};

static const uint32_t kitty_keypad[KITTY_KEYPAD_DELETE - KITTY_KEYPAD_0 + 1] = {'0',
                                                                                '1',
                                                                                '2',
                                                                                '3',
                                                                                '4',
                                                                                '5',
                                                                                '6',
                                                                                '7',
                                                                                '8',
                                                                                '9',
                                                                                '.',
                                                                                '/',
                                                                                '*',
                                                                                '-',
                                                                                '+',
                                                                                KEYCODE_KEYPAD_ENTER,
                                                                                '=',
                                                                                ',',
                                                                                KEYCODE_LEFT,
                                                                                KEYCODE_RIGHT,
                                                                                KEYCODE_UP,
                                                                                KEYCODE_DOWN,
                                                                                KEYCODE_PAGE_UP,
                                                                                KEYCODE_PAGE_DOWN,
                                                                                KEYCODE_HOME,
                                                                                KEYCODE_END,
                                                                                KEYCODE_INSERT,
                                                                                KEYCODE_DELETE};

/* xterm and kitty agree on the first four bits; kitty adds hyper, meta and the locks. */
static unsigned modifiers_of(unsigned parameter)
{
    unsigned bits = parameter == 0 ? 0 : parameter - 1;

    return (bits & 15) | (bits & 16 ? KEY_SUPER : 0u) | (bits & 32 ? KEY_ALT : 0u);
}

static int finish(struct key key, struct key *result)
{
    key = key_normalize(key);
    if (!key_valid(key))
        return -1;
    *result = key;
    return 0;
}

struct key key_decode_byte(unsigned char byte)
{
    switch (byte) {
    case 0:
        return (struct key){' ', KEY_CTRL};
    case '\t':
        return (struct key){KEYCODE_TAB, 0};
    case '\r':
        return (struct key){KEYCODE_ENTER, 0};
    case 0x1B:
        return (struct key){KEYCODE_ESCAPE, 0};
    case 0x7F:
        return (struct key){KEYCODE_BACKSPACE, 0};
    default:
        if (byte < 0x20)
            return (struct key){byte + (byte <= 26 ? 0x60u : 0x40u), KEY_CTRL};
        return (struct key){byte, 0};
    }
}

/* The key of a code point in a sequence: controls are the keys that they stand for, what is no code point is no key. */
static struct key key_of_number(unsigned number)
{
    if (number > 0x10FFFF)
        return (struct key){0};
    if (number == '\b')
        return (struct key){KEYCODE_BACKSPACE, 0};
    if (number < 0x20 || number == 0x7F)
        return key_decode_byte((unsigned char)number);
    return (struct key){number, 0};
}

static uint32_t kitty_key(unsigned number)
{
    if (number >= KITTY_KEYPAD_0 && number <= KITTY_KEYPAD_DELETE)
        return kitty_keypad[number - KITTY_KEYPAD_0];
    if (number >= KITTY_F13 && number <= KITTY_F20)
        return KEYCODE_F1 + 12 + number - KITTY_F13;
    return 0;
}

/* CSI code:shifted:base ; modifiers:event ; text u */
static int decode_kitty(const struct sequence *sequence, struct key *result)
{
    unsigned number = sequence->numbers[0][0], shifted = sequence->numbers[0][1];
    unsigned text = sequence->numbers[2][0];
    unsigned modifiers = modifiers_of(sequence->numbers[1][0]);
    struct key key;

    if (sequence->count == 0)
        return -1;
    if (number >= KITTY_FIRST && number <= KITTY_LAST) {
        key = (struct key){kitty_key(number), modifiers};
        return key.code == 0 ? -1 : finish(key, result);
    }
    /* What was typed counts, whatever the layout has on the key. */
    if (text >= 0x20 && text != 0x7F && !(modifiers & (KEY_ALT | KEY_CTRL | KEY_SUPER)))
        return finish((struct key){key_of_number(text).code, text == ' ' ? modifiers : 0}, result);
    if (number == 0)
        return -1;
    key = key_of_number(number);
    key.modifiers |= modifiers;
    if (shifted != 0 && modifiers & KEY_SHIFT && key.code < KEYCODE_ENTER &&
        !key_equal((struct key){shifted, 0}, (struct key){key.code, KEY_SHIFT}))
        key = (struct key){key_of_number(shifted).code, modifiers & ~(unsigned)KEY_SHIFT};
    return finish(key, result);
}

/* CSI 27 ; modifiers ; code ~, where the code is the shifted character. */
static int decode_other_key(const struct sequence *sequence, struct key *result)
{
    struct key key, shifted;

    if (sequence->count != 3)
        return -1;
    key = key_of_number(sequence->numbers[2][0]);
    key.modifiers |= modifiers_of(sequence->numbers[1][0]);
    /* Shift is in the character already, but for letters, which are told apart by it. */
    shifted = key_normalize((struct key){key.code, KEY_SHIFT});
    if (key.code < KEYCODE_ENTER && key.code != ' ' && shifted.modifiers & KEY_SHIFT)
        key.modifiers &= ~(unsigned)KEY_SHIFT;
    return finish(key, result);
}

static int find_letter(const struct letter_key *letters, size_t count, char final, struct key *key)
{
    for (size_t i = 0; i < count; i++)
        if (letters[i].final == final) {
            *key = letters[i].key;
            return 0;
        }
    return -1;
}

#define FIND_LETTER(letters, final, key)                                                                     \
    find_letter(letters, sizeof(letters) / sizeof(letters)[0], final, key)

/* Modifiers are the second parameter, or the only one in old forms such as CSI 5 A. */
static unsigned letter_modifiers(const struct sequence *sequence)
{
    return modifiers_of(sequence->numbers[sequence->count > 1 ? 1 : 0][0]);
}

static int decode_tilde(const struct sequence *sequence, struct key *result)
{
    unsigned number = sequence->numbers[0][0];
    struct key key;

    if (number == TILDE_OTHER_KEY && sequence->final == '~')
        return decode_other_key(sequence, result);
    if (number >= TILDE_KEYS || tilde_keys[number] == 0)
        return -1;
    key = (struct key){tilde_keys[number], modifiers_of(sequence->numbers[1][0])};
    if (sequence->final == '$' || sequence->final == '@') /* rxvt */
        key.modifiers |= KEY_SHIFT;
    if (sequence->final == '^' || sequence->final == '@')
        key.modifiers |= KEY_CTRL;
    return finish(key, result);
}

int key_decode_csi(const struct sequence *sequence, struct key *result)
{
    struct key key;

    if (sequence->prefix != 0 || sequence->intermediate != 0 || sequence->numbers[1][1] == EVENT_RELEASE)
        return -1;
    if (sequence->final == 'u')
        return decode_kitty(sequence, result);
    if (strchr("~$^@", sequence->final) != NULL)
        return decode_tilde(sequence, result);
    if (FIND_LETTER(shared_letters, sequence->final, &key) != 0 &&
        FIND_LETTER(csi_letters, sequence->final, &key) != 0)
        return -1;
    key.modifiers |= letter_modifiers(sequence);
    return finish(key, result);
}

int key_decode_ss3(const struct sequence *sequence, struct key *result)
{
    struct key key;

    if (sequence->prefix != 0 || sequence->intermediate != 0)
        return -1;
    if (FIND_LETTER(shared_letters, sequence->final, &key) != 0 &&
        FIND_LETTER(ss3_letters, sequence->final, &key) != 0)
        return -1;
    key.modifiers |= letter_modifiers(sequence);
    return finish(key, result);
}
