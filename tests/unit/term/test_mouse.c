#include "input_text.h"
#include "test.h"

static const struct {
    struct mouse mouse;
    const char *x10, *utf8, *sgr; /* what MOUSE_ANY gives, escaped; "" for nothing */
} reports[] = {
    {{MOUSE_PRESS, 1, 0, 0, 0}, "\\x1b[M !!", "\\x1b[M !!", "\\x1b[<0;1;1M"},
    {{MOUSE_PRESS, 2, 0, 9, 4}, "\\x1b[M!*%", "\\x1b[M!*%", "\\x1b[<1;10;5M"},
    {{MOUSE_PRESS, 3, KEY_CTRL, 1, 2}, "\\x1b[M2\"#", "\\x1b[M2\"#", "\\x1b[<18;2;3M"},
    {{MOUSE_RELEASE, 1, 0, 0, 0}, "\\x1b[M#!!", "\\x1b[M#!!", "\\x1b[<0;1;1m"},
    {{MOUSE_RELEASE, 3, KEY_SHIFT, 0, 0}, "\\x1b[M'!!", "\\x1b[M'!!", "\\x1b[<6;1;1m"},
    {{MOUSE_RELEASE, 0, 0, 0, 0}, "\\x1b[M#!!", "\\x1b[M#!!", "\\x1b[<0;1;1m"},
    {{MOUSE_DRAG, 1, 0, 0, 0}, "\\x1b[M@!!", "\\x1b[M@!!", "\\x1b[<32;1;1M"},
    {{MOUSE_MOVE, 0, 0, 0, 0}, "\\x1b[MC!!", "\\x1b[MC!!", "\\x1b[<35;1;1M"},
    {{MOUSE_WHEEL_UP, 0, 0, 0, 0}, "\\x1b[M`!!", "\\x1b[M`!!", "\\x1b[<64;1;1M"},
    {{MOUSE_WHEEL_DOWN, 0, KEY_SHIFT | KEY_ALT | KEY_CTRL, 0, 0},
     "\\x1b[M}!!",
     "\\x1b[M}!!",
     "\\x1b[<93;1;1M"},
    {{MOUSE_PRESS, 1, 0, 94, 222}, "\\x1b[M \\x7f\\xff", "\\x1b[M \\x7f\\xc3\\xbf", "\\x1b[<0;95;223M"},
    {{MOUSE_PRESS, 1, 0, 95, 223}, "", "\\x1b[M \\xc2\\x80\\xc4\\x80", "\\x1b[<0;96;224M"},
    {{MOUSE_PRESS, 1, 0, 2014, 0}, "", "\\x1b[M \\xdf\\xbf!", "\\x1b[<0;2015;1M"},
    {{MOUSE_PRESS, 1, 0, 2015, 0}, "", "", "\\x1b[<0;2016;1M"},
    {{MOUSE_PRESS, 1, 0, -1, 0}, "", "", ""},
    {{MOUSE_PRESS, 1, 0, 0, -5}, "", "", ""},
    {{MOUSE_PRESS, 1, 0, 70000, 0}, "", "", ""},
    {{MOUSE_PRESS, 0, 0, 0, 0}, "", "", ""},
    {{MOUSE_PRESS, 4, 0, 0, 0}, "", "", ""},
    {{MOUSE_DRAG, 0, 0, 0, 0}, "", "", ""},
};

static const enum mouse_encoding encodings[] = {MOUSE_ENCODING_X10, MOUSE_ENCODING_UTF8, MOUSE_ENCODING_SGR};

static void encode(const struct mouse *mouse, enum mouse_mode mode, enum mouse_encoding encoding,
                   struct buffer *out)
{
    struct input_modes modes = {.mouse_mode = mode, .mouse_encoding = encoding};

    buffer_clear(out);
    buffer_append_string(out, "");
    mouse_encode(mouse, &modes, out);
}

TEST(reports_of_every_encoding)
{
    struct buffer out = {0}, text = {0};

    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
        for (size_t e = 0; e < 3; e++) {
            const char *expected = e == 0 ? reports[i].x10 : e == 1 ? reports[i].utf8 : reports[i].sgr;
            encode(&reports[i].mouse, MOUSE_ANY, encodings[e], &out);
            buffer_clear(&text);
            buffer_append_string(&text, "");
            input_append_bytes(&text, out.bytes, out.length);
            if (strcmp(text.bytes, expected) != 0)
                TEST_FAIL("report %zu, encoding %zu: %s, expected %s", i, e, text.bytes, expected);
        }
    buffer_finish(&out);
    buffer_finish(&text);
}

TEST(modes_choose_the_actions)
{
    static const bool wanted[][4] = {
        [MOUSE_PRESS] = {false, true, true, true},    [MOUSE_RELEASE] = {false, true, true, true},
        [MOUSE_MOVE] = {false, false, false, true},   [MOUSE_DRAG] = {false, false, true, true},
        [MOUSE_WHEEL_UP] = {false, true, true, true}, [MOUSE_WHEEL_DOWN] = {false, true, true, true},
    };
    struct buffer out = {0};

    for (enum mouse_action action = MOUSE_PRESS; action <= MOUSE_WHEEL_DOWN; action++)
        for (enum mouse_mode mode = MOUSE_OFF; mode <= MOUSE_ANY; mode++)
            for (size_t e = 0; e < 3; e++) {
                struct mouse mouse = {.action = action, .button = 1};
                encode(&mouse, mode, encodings[e], &out);
                if ((out.length > 0) != wanted[action][mode])
                    TEST_FAIL("action %d in mode %d", (int)action, (int)mode);
            }
    buffer_finish(&out);
}

/* What was encoded reads back, but for the button of a release in the older encodings. */
static bool same(const struct mouse *a, const struct mouse *b, enum mouse_encoding encoding)
{
    bool wheel = a->action == MOUSE_WHEEL_UP || a->action == MOUSE_WHEEL_DOWN || a->action == MOUSE_MOVE;
    int button = wheel || (a->action == MOUSE_RELEASE && encoding != MOUSE_ENCODING_SGR) ? 0 : a->button;

    return a->action == b->action && button == b->button && a->modifiers == b->modifiers && a->x == b->x &&
           a->y == b->y;
}

static bool reads_back(const struct mouse *mouse, enum mouse_encoding encoding)
{
    struct tokenizer *tokenizer = tokenizer_create();
    struct buffer out = {0};
    struct input_event event;
    bool good;

    encode(mouse, MOUSE_ANY, encoding, &out);
    tokenizer_feed(tokenizer, out.bytes, out.length);
    /* The byte that shows that a large last value of X10 is not UTF-8. */
    tokenizer_feed(tokenizer, "z", 1);
    event = tokenizer_next(tokenizer);
    good = event.type == INPUT_MOUSE && same(mouse, &event.mouse, encoding) &&
           tokenizer_next(tokenizer).key.code == 'z';
    buffer_finish(&out);
    tokenizer_destroy(tokenizer);
    return good;
}

TEST(every_report_reads_back)
{
    static const int places[] = {0, 1, 94, 95, 150, 222};

    for (enum mouse_action action = MOUSE_PRESS; action <= MOUSE_WHEEL_DOWN; action++)
        for (int button = 1; button <= 3; button++)
            for (unsigned modifiers = 0; modifiers < 8; modifiers++)
                for (size_t place = 0; place < 36; place++)
                    for (size_t e = 0; e < 3; e++) {
                        struct mouse mouse = {action, button, modifiers, places[place / 6],
                                              places[place % 6]};
                        /* In X10 such a pair of bytes is also one UTF-8 character. */
                        bool ambiguous = encodings[e] == MOUSE_ENCODING_X10 && mouse.x >= 161 &&
                                         mouse.x <= 190 && mouse.y >= 95 && mouse.y <= 158;
                        if (!ambiguous && !reads_back(&mouse, encodings[e]))
                            TEST_FAIL("action %d button %d at %d,%d", (int)action, button, mouse.x, mouse.y);
                    }
}

TEST_MAIN
