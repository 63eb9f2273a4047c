#include "host/typed.h"

#include <string.h>

enum { GROUND, ESCAPE, CONTROL_SEQUENCE, SINGLE_SHIFT, STRING, STRING_ESCAPE };

static void ground(struct typed *typed, unsigned char byte, struct typed_keys *keys)
{
    if (byte == 0x1B) {
        typed->state = ESCAPE;
    } else if (byte == '\r' || byte == '\n') {
        keys->enter = true;
        keys->sent = typed->unsent && !typed->command;
        typed->unsent = false;
    } else if (byte == 0x03 || byte == 0x15) {
        keys->interrupt = keys->interrupt || byte == 0x03;
        typed->unsent = false;
    } else if (byte >= 0x20 && byte != 0x7F) {
        typed->command = typed->unsent ? typed->command : byte == '/';
        keys->text = true;
        typed->unsent = true;
    }
}

/* DCS, OSC, SOS, PM and APC end with ST or BEL: answers to queries. */
static void within_string(struct typed *typed, unsigned char byte)
{
    if (byte == 0x07 || (typed->state == STRING_ESCAPE && byte == '\\'))
        typed->state = GROUND;
    else
        typed->state = byte == 0x1B ? STRING_ESCAPE : STRING;
}

static void within(struct typed *typed, unsigned char byte, struct typed_keys *keys)
{
    if (typed->state == STRING || typed->state == STRING_ESCAPE) {
        within_string(typed, byte);
    } else if (typed->state == ESCAPE) {
        typed->state = byte == '[' ? CONTROL_SEQUENCE : byte == 'O' ? SINGLE_SHIFT : GROUND;
        if (byte != '\0' && strchr("P]X^_", byte) != NULL)
            typed->state = STRING;
        if (byte == 0x1B)
            typed->state = ESCAPE;
        /* ESC CR is a line break within the text. */
        else if (byte == '\r')
            typed->unsent = keys->text = true;
    } else if (typed->state == SINGLE_SHIFT || byte >= 0x40) {
        typed->state = GROUND;
    }
}

struct typed_keys typed_scan(struct typed *typed, const char *bytes, size_t length)
{
    struct typed_keys keys = {0};

    for (size_t i = 0; i < length; i++) {
        if (typed->state == GROUND)
            ground(typed, (unsigned char)bytes[i], &keys);
        else
            within(typed, (unsigned char)bytes[i], &keys);
    }
    if (typed->state == ESCAPE) {
        keys.escape = true;
        typed->state = GROUND;
    }
    return keys;
}
