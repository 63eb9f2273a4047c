/*
 * Input events as text, for tables of tests: keys by name, "Press1@2,3", "Paste(text)", "FocusIn", "Reply(bytes)", with
 * a space between. Bytes outside printable ASCII are written \xNN.
 */
#ifndef TESTS_UNIT_TERM_INPUT_TEXT_H
#define TESTS_UNIT_TERM_INPUT_TEXT_H

#include <ctype.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "term/key.h"

static inline void input_append_bytes(struct buffer *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '\\')
            buffer_append_char(out, bytes[i]);
        else
            buffer_printf(out, "\\x%02x", byte);
    }
}

static inline void input_append_mouse(struct buffer *out, const struct mouse *mouse)
{
    static const char *const actions[] = {"Press", "Release", "Move", "Drag", "WheelUp", "WheelDown"};

    if (mouse->modifiers & KEY_CTRL)
        buffer_append_string(out, "C-");
    if (mouse->modifiers & KEY_ALT)
        buffer_append_string(out, "M-");
    if (mouse->modifiers & KEY_SHIFT)
        buffer_append_string(out, "S-");
    buffer_printf(out, "%s%d@%d,%d", actions[mouse->action], mouse->button, mouse->x, mouse->y);
}

static inline void input_append_event(struct buffer *out, const struct input_event *event)
{
    char name[KEY_NAME_SIZE];

    if (out->length > 0)
        buffer_append_char(out, ' ');
    switch (event->type) {
    case INPUT_NONE:
        break;
    case INPUT_KEY:
        key_format(event->key, name);
        buffer_append_string(out, name);
        break;
    case INPUT_MOUSE:
        input_append_mouse(out, &event->mouse);
        break;
    case INPUT_PASTE:
    case INPUT_REPLY:
        buffer_append_string(out, event->type == INPUT_PASTE ? "Paste(" : "Reply(");
        input_append_bytes(out, event->text, event->length);
        buffer_append_char(out, ')');
        break;
    case INPUT_FOCUS_IN:
    case INPUT_FOCUS_OUT:
        buffer_append_string(out, event->type == INPUT_FOCUS_IN ? "FocusIn" : "FocusOut");
        break;
    }
}

static inline void input_drain(struct tokenizer *tokenizer, struct buffer *out)
{
    struct input_event event;

    while ((event = tokenizer_next(tokenizer)).type != INPUT_NONE)
        input_append_event(out, &event);
}

/* Feeds the bytes in pieces of at most `piece`, draining after each, and flushes at the end. The caller frees. */
static inline char *input_describe(const char *bytes, size_t length, size_t piece)
{
    struct tokenizer *tokenizer = tokenizer_create();
    struct buffer out = {0};

    buffer_append_string(&out, "");
    for (size_t at = 0; at < length; at += piece) {
        tokenizer_feed(tokenizer, bytes + at, length - at < piece ? length - at : piece);
        input_drain(tokenizer, &out);
    }
    if (tokenizer_pending_escape(tokenizer))
        tokenizer_flush(tokenizer);
    input_drain(tokenizer, &out);
    tokenizer_destroy(tokenizer);
    return buffer_steal(&out);
}

#endif
