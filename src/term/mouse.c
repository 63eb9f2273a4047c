#include "term/mouse.h"

#include "base/utf8.h"

enum {
    BUTTON_NONE = 3,
    BIT_SHIFT = 4,
    BIT_ALT = 8,
    BIT_CTRL = 16,
    BIT_MOTION = 32,
    BIT_WHEEL = 64,
    BIT_EXTRA = 128,
    OFFSET = 32, /* of each value in the encodings with one character a value */
    PLACE_MAX = 65535,
    X10_MAX = 255 - OFFSET,
    UTF8_MAX = 2047 - OFFSET,
};

static unsigned modifiers_of(unsigned value)
{
    return (value & BIT_SHIFT ? KEY_SHIFT : 0u) | (value & BIT_ALT ? KEY_ALT : 0u) |
           (value & BIT_CTRL ? KEY_CTRL : 0u);
}

int mouse_decode(unsigned value, unsigned column, unsigned row, bool released, struct mouse *mouse)
{
    unsigned button = value & 3;

    if (column < 1 || row < 1 || column > PLACE_MAX || row > PLACE_MAX || value >= BIT_EXTRA)
        return -1;
    *mouse = (struct mouse){.modifiers = modifiers_of(value), .x = (int)column - 1, .y = (int)row - 1};
    if (value & BIT_WHEEL) {
        if (released || button > 1 || value & BIT_MOTION)
            return -1;
        mouse->action = button == 0 ? MOUSE_WHEEL_UP : MOUSE_WHEEL_DOWN;
        return 0;
    }
    mouse->button = button == BUTTON_NONE ? 0 : (int)button + 1;
    if (value & BIT_MOTION)
        mouse->action = mouse->button == 0 ? MOUSE_MOVE : MOUSE_DRAG;
    else
        mouse->action = released || mouse->button == 0 ? MOUSE_RELEASE : MOUSE_PRESS;
    return 0;
}

static bool action_wanted(enum mouse_action action, enum mouse_mode mode)
{
    switch (action) {
    case MOUSE_DRAG:
        return mode == MOUSE_BUTTON || mode == MOUSE_ANY;
    case MOUSE_MOVE:
        return mode == MOUSE_ANY;
    default:
        return mode != MOUSE_OFF;
    }
}

/* The value without modifiers, or -1 when there is none. */
static int button_value(const struct mouse *mouse, bool sgr)
{
    int button = mouse->button - 1;

    switch (mouse->action) {
    case MOUSE_WHEEL_UP:
        return BIT_WHEEL;
    case MOUSE_WHEEL_DOWN:
        return BIT_WHEEL + 1;
    case MOUSE_MOVE:
        return BIT_MOTION + BUTTON_NONE;
    case MOUSE_RELEASE:
        /* The older encodings do not say which; a release that came in one of them is taken for the left button. */
        return sgr ? (button < 0 ? 0 : button) : BUTTON_NONE;
    case MOUSE_DRAG:
        return button < 0 ? -1 : BIT_MOTION + button;
    case MOUSE_PRESS:
        return button;
    }
    return -1;
}

static void append_sgr(const struct mouse *mouse, unsigned value, struct buffer *out)
{
    buffer_append_string(out, "\033[<");
    buffer_append_number(out, value);
    buffer_append_char(out, ';');
    buffer_append_number(out, (unsigned)mouse->x + 1);
    buffer_append_char(out, ';');
    buffer_append_number(out, (unsigned)mouse->y + 1);
    buffer_append_char(out, mouse->action == MOUSE_RELEASE ? 'm' : 'M');
}

static void append_value(unsigned value, bool utf8, struct buffer *out)
{
    char bytes[4];

    if (utf8)
        buffer_append(out, bytes, (size_t)utf8_encode(value + OFFSET, bytes));
    else
        buffer_append_char(out, (char)(value + OFFSET));
}

void mouse_encode(const struct mouse *mouse, const struct input_modes *modes, struct buffer *out)
{
    bool sgr = modes->mouse_encoding == MOUSE_ENCODING_SGR;
    bool utf8 = modes->mouse_encoding == MOUSE_ENCODING_UTF8;
    int limit = sgr ? PLACE_MAX : utf8 ? UTF8_MAX : X10_MAX;
    int button = button_value(mouse, sgr);
    unsigned value;

    if (!action_wanted(mouse->action, modes->mouse_mode) || button < 0 || mouse->button > 3)
        return;
    if (mouse->x < 0 || mouse->y < 0 || mouse->x >= limit || mouse->y >= limit)
        return;
    value = (unsigned)button | (mouse->modifiers & KEY_SHIFT ? BIT_SHIFT : 0u) |
            (mouse->modifiers & KEY_ALT ? BIT_ALT : 0u) | (mouse->modifiers & KEY_CTRL ? BIT_CTRL : 0u);
    if (sgr) {
        append_sgr(mouse, value, out);
        return;
    }
    buffer_append_string(out, "\033[M");
    append_value(value, utf8, out);
    append_value((unsigned)mouse->x + 1, utf8, out);
    append_value((unsigned)mouse->y + 1, utf8, out);
}
