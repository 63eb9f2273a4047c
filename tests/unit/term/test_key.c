#include "input_text.h"
#include "test.h"

static const struct {
    const char *name;
    struct key key;
    const char *written; /* what key_format gives; NULL: the same name */
} names[] = {
    {"a", {'a', 0}, NULL},
    {"A", {'A', 0}, NULL},
    {"-", {'-', 0}, NULL},
    {"^", {'^', 0}, NULL},
    {"\xc3\xa9", {0xE9, 0}, NULL},
    {"\xf0\x9f\x9f\xa2", {0x1F7E2, 0}, NULL},
    {"C-a", {'a', KEY_CTRL}, NULL},
    {"C-A", {'a', KEY_CTRL}, "C-a"},
    {"c-a", {'a', KEY_CTRL}, "C-a"},
    {"^a", {'a', KEY_CTRL}, "C-a"},
    {"M-^A", {'a', KEY_CTRL | KEY_ALT}, "C-M-a"},
    {"C-^", {'^', KEY_CTRL}, NULL},
    {"C--", {'-', KEY_CTRL}, NULL},
    {"C-S-a", {'a', KEY_CTRL | KEY_SHIFT}, NULL},
    {"S-C-A", {'a', KEY_CTRL | KEY_SHIFT}, "C-S-a"},
    {"S-a", {'A', 0}, "A"},
    {"S-\xc3\xa9", {0xC9, 0}, "\xc3\x89"},
    {"M-S-a", {'A', KEY_ALT}, "M-A"},
    {"s-a", {'a', KEY_SUPER}, NULL},
    {"s-A", {'a', KEY_SUPER}, "s-a"},
    {"C-@", {' ', KEY_CTRL}, "C-Space"},
    {"C-Space", {' ', KEY_CTRL}, NULL},
    {"Space", {' ', 0}, NULL},
    {" ", {' ', 0}, "Space"},
    {"M-Up", {KEYCODE_UP, KEY_ALT}, NULL},
    {"C-M-Left", {KEYCODE_LEFT, KEY_ALT | KEY_CTRL}, NULL},
    {"C-M-S-s-F20", {KEYCODE_F20, 15}, NULL},
    {"Enter", {KEYCODE_ENTER, 0}, NULL},
    {"enter", {KEYCODE_ENTER, 0}, "Enter"},
    {"S-Enter", {KEYCODE_ENTER, KEY_SHIFT}, NULL},
    {"Esc", {KEYCODE_ESCAPE, 0}, "Escape"},
    {"BSpace", {KEYCODE_BACKSPACE, 0}, NULL},
    {"Tab", {KEYCODE_TAB, 0}, NULL},
    {"BTab", {KEYCODE_TAB, KEY_SHIFT}, NULL},
    {"S-Tab", {KEYCODE_TAB, KEY_SHIFT}, "BTab"},
    {"C-BTab", {KEYCODE_TAB, KEY_SHIFT | KEY_CTRL}, NULL},
    {"DC", {KEYCODE_DELETE, 0}, NULL},
    {"Delete", {KEYCODE_DELETE, 0}, "DC"},
    {"IC", {KEYCODE_INSERT, 0}, NULL},
    {"PgUp", {KEYCODE_PAGE_UP, 0}, "PPage"},
    {"pagedown", {KEYCODE_PAGE_DOWN, 0}, "NPage"},
    {"F1", {KEYCODE_F1, 0}, NULL},
    {"f12", {KEYCODE_F1 + 11, 0}, "F12"},
    {"F", {'F', 0}, NULL},
    {"KPEnter", {KEYCODE_KEYPAD_ENTER, 0}, NULL},
};

TEST(names_are_read_and_written)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct key key = {0};
        char written[KEY_NAME_SIZE];
        const char *expected = names[i].written == NULL ? names[i].name : names[i].written;
        if (key_parse(names[i].name, &key) != 0 || key.code != names[i].key.code ||
            key.modifiers != names[i].key.modifiers)
            TEST_FAIL("%s is key %x with %u", names[i].name, key.code, key.modifiers);
        key_format(key, written);
        CHECK_STRING(written, expected);
    }
}

TEST(other_names_are_refused)
{
    static const char *const wrong[] = {"",
                                        "C-",
                                        "M-C-",
                                        "ab",
                                        "F0",
                                        "F21",
                                        "F1x",
                                        "F01",
                                        "Ente",
                                        "Up ",
                                        "\x01",
                                        "\x7f",
                                        "\xc3",
                                        "\xff",
                                        "\xc2\x85",
                                        "C-Entert",
                                        "X-a",
                                        "--",
                                        "F99999999999999999999",
                                        "a-very-long-name-that-is-longer-than-any-key"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct key key = {'q', 0};
        if (key_parse(wrong[i], &key) != -1 || key.code != 'q')
            TEST_FAIL("\"%s\" was taken", wrong[i]);
    }
}

/* Calls `visit` with every key that a keyboard can send, in normal form, with every set of modifiers. */
static void each_key(void (*visit)(struct key, void *), void *context)
{
    static const uint32_t others[] = {0xE9, 0xDF, 0x3B1, 0x416, 0x451, 0x4E2D, 0x1F7E2, 0xFFFD};

    for (unsigned modifiers = 0; modifiers < 16; modifiers++) {
        for (uint32_t code = 0x20; code < 0x7F; code++)
            visit((struct key){code, modifiers}, context);
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
            visit((struct key){others[i], modifiers}, context);
        for (uint32_t code = KEYCODE_ENTER; code < KEYCODE_LAST; code++)
            visit((struct key){code, modifiers}, context);
    }
}

static void check_round_trip(struct key key, void *context)
{
    char name[KEY_NAME_SIZE];
    struct key parsed = {0};

    (void)context;
    key_format(key, name);
    if (key_parse(name, &parsed) != 0 || !key_equal(key, parsed))
        TEST_FAIL("%s came back as %x with %u", name, parsed.code, parsed.modifiers);
}

TEST(every_name_reads_back)
{
    each_key(check_round_trip, NULL);
}

TEST(what_is_no_key_is_named_unknown)
{
    static const uint32_t codes[] = {0, 0x1B, 0x7F, 0x9B, 0xD800, KEYCODE_LAST, 0xFFFFFFFF};
    char name[KEY_NAME_SIZE];

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct buffer out = {0};
        key_format((struct key){codes[i], 15}, name);
        CHECK_STRING(name, "Unknown");
        key_encode((struct key){codes[i], 0}, &(struct input_modes){0}, &out);
        CHECK_NUMBER(out.length, 0);
    }
}

TEST(keys_are_equal_in_any_form)
{
    CHECK(key_equal((struct key){'a', KEY_SHIFT}, (struct key){'A', 0}));
    CHECK(key_equal((struct key){'A', KEY_CTRL}, (struct key){'a', KEY_CTRL}));
    CHECK(key_equal((struct key){'@', KEY_CTRL}, (struct key){' ', KEY_CTRL}));
    CHECK(!key_equal((struct key){'a', KEY_CTRL}, (struct key){'a', KEY_CTRL | KEY_SHIFT}));
    CHECK(!key_equal((struct key){'i', KEY_CTRL}, (struct key){KEYCODE_TAB, 0}));
}

struct encoding {
    const char *key;
    const char *bytes; /* escaped as input_append_bytes does */
};

static const struct encoding legacy[] = {
    {"a", "a"},
    {"A", "A"},
    {"\xc3\xa9", "\\xc3\\xa9"},
    {"C-a", "\\x01"},
    {"C-S-a", "\\x01"},
    {"C-z", "\\x1a"},
    {"C-j", "\\x0a"},
    {"C-Space", "\\x00"},
    {"C-@", "\\x00"},
    {"C-2", "\\x00"},
    {"C-`", "\\x00"},
    {"C-3", "\\x1b"},
    {"C-[", "\\x1b"},
    {"C-4", "\\x1c"},
    {"C-\\", "\\x1c"},
    {"C-]", "\\x1d"},
    {"C-6", "\\x1e"},
    {"C-^", "\\x1e"},
    {"C-/", "\\x1f"},
    {"C-7", "\\x1f"},
    {"C-_", "\\x1f"},
    {"C-8", "\\x7f"},
    {"C-?", "\\x7f"},
    {"C-1", "1"},
    {"C-;", ";"},
    {"C-\xc3\xa9", "\\xc3\\xa9"},
    {"M-a", "\\x1ba"},
    {"M-A", "\\x1bA"},
    {"M-\xc3\xa9", "\\x1b\\xc3\\xa9"},
    {"C-M-a", "\\x1b\\x01"},
    {"M-Space", "\\x1b "},
    {"C-M-Space", "\\x1b\\x00"},
    {"S-Space", " "},
    {"s-a", ""},
    {"s-Enter", ""},
    {"Enter", "\\x0d"},
    {"S-Enter", "\\x1b\\x0d"},
    {"M-Enter", "\\x1b\\x0d"},
    {"C-Enter", "\\x0d"},
    {"KPEnter", "\\x0d"},
    {"Tab", "\\x09"},
    {"BTab", "\\x1b[Z"},
    {"M-BTab", "\\x1b\\x1b[Z"},
    {"C-Tab", "\\x09"},
    {"M-Tab", "\\x1b\\x09"},
    {"BSpace", "\\x7f"},
    {"C-BSpace", "\\x08"},
    {"M-BSpace", "\\x1b\\x7f"},
    {"C-M-BSpace", "\\x1b\\x08"},
    {"Escape", "\\x1b"},
    {"M-Escape", "\\x1b\\x1b"},
    {"Up", "\\x1b[A"},
    {"S-Up", "\\x1b[1;2A"},
    {"C-Right", "\\x1b[1;5C"},
    {"C-M-S-Left", "\\x1b[1;8D"},
    {"s-Down", "\\x1b[1;9B"},
    {"Home", "\\x1b[H"},
    {"End", "\\x1b[F"},
    {"C-Home", "\\x1b[1;5H"},
    {"IC", "\\x1b[2~"},
    {"S-DC", "\\x1b[3;2~"},
    {"PPage", "\\x1b[5~"},
    {"C-NPage", "\\x1b[6;5~"},
    {"F1", "\\x1bOP"},
    {"S-F1", "\\x1b[1;2P"},
    {"C-F3", "\\x1b[1;5R"},
    {"F4", "\\x1bOS"},
    {"F5", "\\x1b[15~"},
    {"M-F5", "\\x1b[15;3~"},
    {"F12", "\\x1b[24~"},
    {"F13", "\\x1b[25~"},
    {"F20", "\\x1b[34~"},
};

static const struct encoding application[] = {
    {"Up", "\\x1bOA"}, {"End", "\\x1bOF"},     {"C-Up", "\\x1b[1;5A"},      {"PPage", "\\x1b[5~"},
    {"F1", "\\x1bOP"}, {"KPEnter", "\\x1bOM"}, {"S-KPEnter", "\\x1b\\x0d"}, {"Enter", "\\x0d"},
};

static const struct encoding other_keys_1[] = {
    {"a", "a"},
    {"C-a", "\\x01"},
    {"C-Space", "\\x00"},
    {"M-a", "\\x1ba"},
    {"C-M-a", "\\x1b\\x01"},
    {"C-S-a", "\\x1b[27;6;65~"},
    {"C-1", "\\x1b[27;5;49~"},
    {"C-.", "\\x1b[27;5;46~"},
    {"C-3", "\\x1b"},
    {"Enter", "\\x0d"},
    {"S-Enter", "\\x1b[27;2;13~"},
    {"C-Enter", "\\x1b[27;5;13~"},
    {"M-Enter", "\\x1b[27;3;13~"},
    {"C-Tab", "\\x1b[27;5;9~"},
    {"BTab", "\\x1b[Z"},
    {"C-BSpace", "\\x08"},
    {"Escape", "\\x1b"},
    {"C-Up", "\\x1b[1;5A"},
    {"s-a", "\\x1b[27;9;97~"},
};

static const struct encoding other_keys_2[] = {
    {"a", "a"},
    {"A", "A"},
    {"!", "!"},
    {"Space", " "},
    {"S-Space", "\\x1b[27;2;32~"},
    {"C-a", "\\x1b[27;5;97~"},
    {"C-S-a", "\\x1b[27;6;65~"},
    {"M-a", "\\x1b[27;3;97~"},
    {"M-A", "\\x1b[27;4;65~"},
    {"M-\xc3\xa9", "\\x1b[27;3;233~"},
    {"C-Space", "\\x1b[27;5;32~"},
    {"S-Enter", "\\x1b[27;2;13~"},
    {"Enter", "\\x0d"},
    {"BTab", "\\x1b[27;2;9~"},
    {"C-BSpace", "\\x1b[27;5;127~"},
    {"M-Escape", "\\x1b[27;3;27~"},
    {"Up", "\\x1b[A"},
    {"S-F1", "\\x1b[1;2P"},
};

static const struct encoding kitty_1[] = {
    {"a", "a"},
    {"A", "A"},
    {"\xc3\xa9", "\\xc3\\xa9"},
    {"Space", " "},
    {"Escape", "\\x1b[27u"},
    {"C-Escape", "\\x1b[27;5u"},
    {"Enter", "\\x0d"},
    {"Tab", "\\x09"},
    {"BSpace", "\\x7f"},
    {"S-Enter", "\\x1b[13;2u"},
    {"M-Enter", "\\x1b[13;3u"},
    {"BTab", "\\x1b[9;2u"},
    {"C-BSpace", "\\x1b[127;5u"},
    {"C-a", "\\x1b[97;5u"},
    {"C-S-a", "\\x1b[97;6u"},
    {"M-A", "\\x1b[97;4u"},
    {"M-\xc3\xa9", "\\x1b[233;3u"},
    {"C-Space", "\\x1b[32;5u"},
    {"s-a", "\\x1b[97;9u"},
    {"Up", "\\x1b[A"},
    {"C-Up", "\\x1b[1;5A"},
    {"F1", "\\x1b[P"},
    {"F3", "\\x1b[13~"},
    {"S-F3", "\\x1b[13;2~"},
    {"F12", "\\x1b[24~"},
    {"F13", "\\x1b[57376u"},
    {"C-F20", "\\x1b[57383;5u"},
    {"DC", "\\x1b[3~"},
    {"KPEnter", "\\x1b[57414u"},
};

static const struct encoding kitty_8[] = {
    {"a", "\\x1b[97u"},       {"A", "\\x1b[97;2u"},    {"Enter", "\\x1b[13u"}, {"Tab", "\\x1b[9u"},
    {"BSpace", "\\x1b[127u"}, {"Escape", "\\x1b[27u"}, {"C-a", "\\x1b[97;5u"}, {"Up", "\\x1b[A"},
};

static const struct encoding kitty_31[] = {
    {"a", "\\x1b[97;1;97u"},
    {"A", "\\x1b[97:65;2;65u"},
    {"C-S-a", "\\x1b[97:65;6u"},
    {"Enter", "\\x1b[13u"},
};

static char *encode(struct key key, const struct input_modes *modes)
{
    struct buffer out = {0}, text = {0};

    buffer_append_string(&text, "");
    key_encode(key, modes, &out);
    input_append_bytes(&text, out.bytes, out.length);
    buffer_finish(&out);
    return buffer_steal(&text);
}

static void check_encodings(const struct encoding *cases, size_t count, const struct input_modes *modes)
{
    for (size_t i = 0; i < count; i++) {
        struct key key;
        char *bytes;
        CHECK_NUMBER(key_parse(cases[i].key, &key), 0);
        bytes = encode(key, modes);
        if (strcmp(bytes, cases[i].bytes) != 0) {
            printf("# %s is %s, expected %s\n", cases[i].key, bytes, cases[i].bytes);
            test_failed = true;
        }
        free(bytes);
    }
}

#define CHECK_ENCODINGS(cases, ...)                                                                          \
    check_encodings(cases, sizeof(cases) / sizeof(cases)[0], &(struct input_modes){__VA_ARGS__})

TEST(legacy_encodings)
{
    CHECK_ENCODINGS(legacy, 0);
    /* These flags alone change nothing. */
    CHECK_ENCODINGS(legacy, .kitty_flags = 2 | 4 | 16);
    CHECK_ENCODINGS(application, .application_cursor = true, .application_keypad = true);
}

TEST(modify_other_keys_encodings)
{
    CHECK_ENCODINGS(other_keys_1, .modify_other_keys = 1);
    CHECK_ENCODINGS(other_keys_2, .modify_other_keys = 2);
}

TEST(kitty_encodings)
{
    CHECK_ENCODINGS(kitty_1, .kitty_flags = 1);
    /* The protocol counts before the older modes. */
    CHECK_ENCODINGS(kitty_1, .kitty_flags = 3, .modify_other_keys = 2, .application_cursor = true,
                    .application_keypad = true);
    CHECK_ENCODINGS(kitty_8, .kitty_flags = 9);
    CHECK_ENCODINGS(kitty_31, .kitty_flags = 31);
}

/* The key that the legacy bytes of a key mean; false when there are none. */
static bool legacy_meaning(struct key *key, bool keypad)
{
    static const char *const groups[] = {" @2`", "[3", "\\4", "]5", "^6~", "_7/", "?8"};
    static const uint32_t meanings[] = {' ', KEYCODE_ESCAPE, '\\', ']', '^', '_', KEYCODE_BACKSPACE};
    unsigned ctrl = key->modifiers & KEY_CTRL, shift = key->modifiers & KEY_SHIFT,
             alt = key->modifiers & KEY_ALT;

    if (key->code >= KEYCODE_UP && key->code <= KEYCODE_F20)
        return true;
    if (key->modifiers & KEY_SUPER)
        return false;
    if (key->code == KEYCODE_KEYPAD_ENTER && !(keypad && key->modifiers == 0))
        key->code = KEYCODE_ENTER;
    if (key->code == KEYCODE_TAB)
        key->modifiers = alt | shift;
    else if (key->code == KEYCODE_ENTER)
        key->modifiers = alt | (shift ? KEY_ALT : 0u);
    else if (key->code == KEYCODE_BACKSPACE && ctrl)
        *key = (struct key){'h', alt | KEY_CTRL};
    else if (key->code >= KEYCODE_ENTER)
        key->modifiers = alt;
    else if (!ctrl)
        key->modifiers = alt | (key->code == ' ' ? 0u : shift);
    else if (key->code >= 'a' && key->code <= 'z')
        *key = key->code == 'i'   ? (struct key){KEYCODE_TAB, alt}
               : key->code == 'm' ? (struct key){KEYCODE_ENTER, alt}
                                  : (struct key){key->code, alt | KEY_CTRL};
    else {
        key->modifiers = alt | shift;
        for (size_t i = 0; i < 7; i++)
            if (key->code < 0x7F && strchr(groups[i], (int)key->code) != NULL)
                *key = (struct key){meanings[i], alt | (meanings[i] < KEYCODE_ENTER ? KEY_CTRL : 0u)};
    }
    return true;
}

/* Shift on a character without case says nothing outside the kitty protocol. */
static struct key without_idle_shift(struct key key)
{
    struct key letter;

    key = key_normalize(key);
    letter = key_normalize((struct key){key.code, KEY_SHIFT});
    if (key.code < KEYCODE_ENTER && key.code != ' ' && letter.modifiers & KEY_SHIFT)
        key.modifiers &= ~(unsigned)KEY_SHIFT;
    return key_normalize(key);
}

static bool reads_as(const char *events, struct key key)
{
    char name[KEY_NAME_SIZE];

    key_format(key, name);
    return strcmp(events, name) == 0;
}

static bool legacy_reads_back(const char *events, struct key key, const struct input_modes *modes)
{
    struct key meaning = without_idle_shift(key);

    if (!legacy_meaning(&meaning, modes->application_keypad))
        return events[0] == '\0';
    if (meaning.code == KEYCODE_ESCAPE && meaning.modifiers & KEY_ALT)
        return strcmp(events, "Escape Escape") == 0;
    return reads_as(events, meaning);
}

static bool other_key_reads_back(const char *events, struct key key, const struct input_modes *modes)
{
    struct key exact = without_idle_shift(key);

    if (exact.code == KEYCODE_KEYPAD_ENTER)
        exact.code = KEYCODE_ENTER;
    if (reads_as(events, exact))
        return true;
    /* Level 1 leaves some keys as they were. */
    return (modes->modify_other_keys == 1 || key.modifiers == 0) && legacy_reads_back(events, key, modes);
}

/* Plain text where text is not reported as keys, and with the text reported too, has lost an idle Shift. */
static bool kitty_reads_back(const char *events, struct key key)
{
    return reads_as(events, key) || (key.modifiers == KEY_SHIFT && key.code < KEYCODE_ENTER &&
                                     reads_as(events, (struct key){key.code, 0}));
}

static void check_meaning(struct key key, void *context)
{
    const struct input_modes *modes = context;
    struct buffer out = {0};
    char *events;
    bool good;

    key_encode(key, modes, &out);
    events = input_describe(out.bytes, out.length, 1);
    if (modes->kitty_flags & 9)
        good = kitty_reads_back(events, key);
    else if (modes->modify_other_keys > 0)
        good = other_key_reads_back(events, key, modes);
    else
        good = legacy_reads_back(events, key, modes);
    if (!good) {
        char name[KEY_NAME_SIZE];
        key_format(key, name);
        printf("# %s (other keys %u, kitty %u) reads back as \"%s\"\n", name, modes->modify_other_keys,
               modes->kitty_flags, events);
        test_failed = true;
    }
    free(events);
    buffer_finish(&out);
}

TEST(every_encoding_reads_back)
{
    static const unsigned flags[] = {0, 2, 1, 5, 8, 9, 15, 31};

    for (unsigned other_keys = 0; other_keys <= 2; other_keys++)
        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
            for (unsigned set = 0; set < 4; set++) {
                struct input_modes modes = {.application_cursor = set & 1,
                                            .application_keypad = set & 2,
                                            .modify_other_keys = other_keys,
                                            .kitty_flags = flags[i]};
                each_key(check_meaning, &modes);
            }
}

static const struct {
    const char *text, *plain, *bracketed;
} pastes[] = {
    {"", "", ""},
    {"one", "one", "one"},
    {"a\nb\r\nc\rd\n", "a\\x0db\\x0dc\\x0dd\\x0d", "a\\x0db\\x0dc\\x0dd\\x0d"},
    {"x\033[201~y", "x\\x1b[201~y", "xy"},
    {"\033[201~", "\\x1b[201~", ""},
    {"\033[20\033[201~1~z", "\\x1b[20\\x1b[201~1~z", "z"},
    {"\xc2\x9b"
     "201~z",
     "\\xc2\\x9b201~z", "z"},
    {"\033[200~z\033[A", "\\x1b[200~z\\x1b[A", "\\x1b[200~z\\x1b[A"},
    {"\xc3\xa9\xff", "\\xc3\\xa9\\xff", "\\xc3\\xa9\\xff"},
};

TEST(pastes)
{
    for (size_t i = 0; i < sizeof pastes / sizeof pastes[0]; i++)
        for (int bracketed = 0; bracketed < 2; bracketed++) {
            struct buffer out = {0}, text = {0}, expected = {0};
            buffer_printf(&expected, bracketed ? "\\x1b[200~%s\\x1b[201~" : "%s",
                          bracketed ? pastes[i].bracketed : pastes[i].plain);
            buffer_append_string(&text, "");
            paste_encode(pastes[i].text, strlen(pastes[i].text),
                         &(struct input_modes){.bracketed_paste = bracketed}, &out);
            input_append_bytes(&text, out.bytes, out.length);
            CHECK_STRING(text.bytes, expected.bytes);
            buffer_finish(&out);
            buffer_finish(&text);
            buffer_finish(&expected);
        }
}

TEST_MAIN
