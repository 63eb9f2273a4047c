#include "term/key.h"

static bool is_between(uint32_t code, uint32_t first, uint32_t last)
{
    return code >= first && code <= last;
}

/* Simple case mapping of the alphabets that keyboards have a Shift for: Latin-1, Greek, Cyrillic. */
static uint32_t to_upper(uint32_t code)
{
    if (is_between(code, 'a', 'z') || (is_between(code, 0xE0, 0xFE) && code != 0xF7))
        return code - 0x20;
    if ((is_between(code, 0x3B1, 0x3C9) && code != 0x3C2) || is_between(code, 0x430, 0x44F))
        return code - 0x20;
    return is_between(code, 0x450, 0x45F) ? code - 0x50 : code;
}

static uint32_t to_lower(uint32_t code)
{
    if (is_between(code, 'A', 'Z') || (is_between(code, 0xC0, 0xDE) && code != 0xD7))
        return code + 0x20;
    if ((is_between(code, 0x391, 0x3A9) && code != 0x3A2) || is_between(code, 0x410, 0x42F))
        return code + 0x20;
    return is_between(code, 0x400, 0x40F) ? code + 0x50 : code;
}

bool key_valid(struct key key)
{
    if (key.code >= KEYCODE_ENTER)
        return key.code < KEYCODE_LAST;
    return key.code >= 0x20 && !is_between(key.code, 0x7F, 0x9F) && !is_between(key.code, 0xD800, 0xDFFF);
}

struct key key_normalize(struct key key)
{
    key.modifiers &= KEY_SHIFT | KEY_ALT | KEY_CTRL | KEY_SUPER;
    if (key.code >= KEYCODE_ENTER)
        return key;
    if (key.modifiers & (KEY_CTRL | KEY_SUPER)) {
        key.code = to_lower(key.code);
    } else if (key.modifiers & KEY_SHIFT) {
        key.code = to_upper(key.code);
        if (to_lower(key.code) != key.code)
            key.modifiers &= ~(unsigned)KEY_SHIFT;
    }
    if (key.code == '@' && key.modifiers & KEY_CTRL)
        key.code = ' ';
    return key;
}

bool key_equal(struct key a, struct key b)
{
    a = key_normalize(a);
    b = key_normalize(b);
    return a.code == b.code && a.modifiers == b.modifiers;
}
