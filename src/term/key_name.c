#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "term/key.h"

/* The first name of a key is the one that key_format writes. */
static const struct {
    const char *name;
    uint32_t code;
} names[] = {
    {"Enter", KEYCODE_ENTER},
    {"Return", KEYCODE_ENTER},
    {"Tab", KEYCODE_TAB},
    {"BSpace", KEYCODE_BACKSPACE},
    {"Backspace", KEYCODE_BACKSPACE},
    {"Escape", KEYCODE_ESCAPE},
    {"Esc", KEYCODE_ESCAPE},
    {"Space", ' '},
    {"Up", KEYCODE_UP},
    {"Down", KEYCODE_DOWN},
    {"Left", KEYCODE_LEFT},
    {"Right", KEYCODE_RIGHT},
    {"Home", KEYCODE_HOME},
    {"End", KEYCODE_END},
    {"IC", KEYCODE_INSERT},
    {"Insert", KEYCODE_INSERT},
    {"DC", KEYCODE_DELETE},
    {"Delete", KEYCODE_DELETE},
    {"PPage", KEYCODE_PAGE_UP},
    {"PageUp", KEYCODE_PAGE_UP},
    {"PgUp", KEYCODE_PAGE_UP},
    {"NPage", KEYCODE_PAGE_DOWN},
    {"PageDown", KEYCODE_PAGE_DOWN},
    {"PgDn", KEYCODE_PAGE_DOWN},
    {"KPEnter", KEYCODE_KEYPAD_ENTER},
};

enum { NAMES = sizeof names / sizeof names[0], FUNCTION_KEYS = KEYCODE_F20 - KEYCODE_F1 + 1 };

static const struct {
    char letter;
    unsigned modifier;
} modifiers[] = {{'C', KEY_CTRL},  {'M', KEY_ALT},  {'S', KEY_SHIFT},
                 {'s', KEY_SUPER}, {'c', KEY_CTRL}, {'m', KEY_ALT}};

enum { MODIFIERS_WRITTEN = 4, MODIFIERS_READ = sizeof modifiers / sizeof modifiers[0] };

static unsigned modifier_named(char letter)
{
    for (size_t i = 0; i < MODIFIERS_READ; i++)
        if (modifiers[i].letter == letter)
            return modifiers[i].modifier;
    return 0;
}

/* "F1" to "F20"; 0 for another name. */
static uint32_t function_key(const char *name)
{
    unsigned number = 0;

    if ((name[0] != 'F' && name[0] != 'f') || name[1] < '1' || name[1] > '9')
        return 0;
    for (name++; *name >= '0' && *name <= '9' && number < 100; name++)
        number = number * 10 + (unsigned)(*name - '0');
    return *name == '\0' && number <= FUNCTION_KEYS ? KEYCODE_F1 + number - 1 : 0;
}

static uint32_t code_named(const char *name)
{
    size_t length = strnlen(name, KEY_NAME_SIZE);
    uint32_t code;

    if (length > 0 && utf8_decode(name, length, &code) == (int)length)
        return code;
    for (size_t i = 0; i < NAMES; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return names[i].code;
    return function_key(name);
}

int key_parse(const char *name, struct key *key)
{
    struct key parsed = {0};
    unsigned modifier;

    while (name[0] != '\0' && name[1] == '-' && name[2] != '\0' &&
           (modifier = modifier_named(name[0])) != 0) {
        parsed.modifiers |= modifier;
        name += 2;
    }
    if (name[0] == '^' && name[1] != '\0') {
        parsed.modifiers |= KEY_CTRL;
        name++;
    }
    if (strcasecmp(name, "BTab") == 0) {
        parsed.modifiers |= KEY_SHIFT;
        name = "Tab";
    }
    parsed.code = code_named(name);
    if (!key_valid(parsed))
        return -1;
    *key = key_normalize(parsed);
    return 0;
}

static const char *name_of(uint32_t code)
{
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].code == code)
            return names[i].name;
    return NULL;
}

void key_format(struct key key, char name[KEY_NAME_SIZE])
{
    char *end = name;
    const char *known;

    if (!key_valid(key)) {
        (void)snprintf(name, KEY_NAME_SIZE, "Unknown");
        return;
    }
    key = key_normalize(key);
    known = name_of(key.code);
    if (key.code == KEYCODE_TAB && key.modifiers & KEY_SHIFT) {
        known = "BTab";
        key.modifiers &= ~(unsigned)KEY_SHIFT;
    }
    for (size_t i = 0; i < MODIFIERS_WRITTEN; i++)
        if (key.modifiers & modifiers[i].modifier) {
            *end++ = modifiers[i].letter;
            *end++ = '-';
        }
    if (known != NULL) {
        (void)snprintf(end, (size_t)(name + KEY_NAME_SIZE - end), "%s", known);
    } else if (key.code >= KEYCODE_F1 && key.code <= KEYCODE_F20) {
        (void)snprintf(end, (size_t)(name + KEY_NAME_SIZE - end), "F%u",
                       (unsigned)(key.code - KEYCODE_F1 + 1));
    } else {
        end += utf8_encode(key.code, end);
        *end = '\0';
    }
}
