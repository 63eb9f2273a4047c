/*
 * One state machine over single bytes, so that it cannot matter where reads are split. A step puts zero or more events
 * into a short queue and tokenizer_next stops as soon as there is one, so at most one event refers to `text`.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "term/key.h"
#include "term/key_decode.h"
#include "term/mouse.h"

enum {
    ESC = 0x1B,
    DEL = 0x7F,
    QUEUE_SIZE = 8,
    SEQUENCE_MAX = 512,          /* bytes of a CSI or SS3; a longer one is swallowed */
    STRING_MAX = 64 * 1024,      /* the same for OSC, DCS, APC */
    PASTE_MAX = 4 * 1024 * 1024, /* bytes; more are dropped */
    KEEP_MAX = 64 * 1024,        /* memory kept between events */
    PASTE_START = 200,
    OLD_MOUSE_OFFSET = 32,
};

#define PASTE_END "\033[201~"

enum state {
    GROUND,
    UTF8,
    ESCAPE,
    ESCAPE_ESCAPE,
    CSI,
    LINUX_KEY, /* CSI [ and a letter */
    SS3,
    STRING_START, /* OSC, DCS or APC, or Alt and that key: the next byte decides */
    STRING,
    STRING_ESCAPE,
    OLD_MOUSE, /* CSI M and three values */
    PASTE,
};

struct tokenizer {
    struct buffer input;
    size_t position; /* of the first byte of input not looked at */
    struct buffer text;
    enum state state;
    bool kitty;
    bool after_escape; /* another ESC came before the one that began this sequence */
    bool alt;          /* ESC came before this UTF-8 character */
    bool overflow;     /* the sequence, string or paste is longer than its bound */
    size_t matched;    /* bytes of PASTE_END seen */
    char utf8[4];
    size_t utf8_length;
    unsigned mouse[3];
    size_t mouse_count;
    unsigned mouse_lead; /* a byte that begins a two-byte value, if a continuation follows; or 0 */
    struct input_event queue[QUEUE_SIZE];
    size_t queue_start, queue_count;
};

static void step(struct tokenizer *tokenizer, unsigned char byte);

struct tokenizer *tokenizer_create(void)
{
    return xcalloc(1, sizeof(struct tokenizer));
}

void tokenizer_destroy(struct tokenizer *tokenizer)
{
    if (tokenizer == NULL)
        return;
    buffer_finish(&tokenizer->input);
    buffer_finish(&tokenizer->text);
    free(tokenizer);
}

void tokenizer_set_kitty(struct tokenizer *tokenizer, bool enabled)
{
    tokenizer->kitty = enabled;
}

void tokenizer_feed(struct tokenizer *tokenizer, const char *bytes, size_t length)
{
    if (tokenizer->position > tokenizer->input.length / 2) {
        buffer_consume(&tokenizer->input, tokenizer->position);
        tokenizer->position = 0;
    }
    if (length > 0)
        buffer_append(&tokenizer->input, bytes, length);
}

static void emit(struct tokenizer *tokenizer, struct input_event event)
{
    size_t at = (tokenizer->queue_start + tokenizer->queue_count) % QUEUE_SIZE;

    assert(tokenizer->queue_count < QUEUE_SIZE);
    tokenizer->queue[at] = event;
    tokenizer->queue_count++;
}

static void emit_key(struct tokenizer *tokenizer, struct key key)
{
    emit(tokenizer, (struct input_event){.type = INPUT_KEY, .key = key_normalize(key)});
}

static void emit_byte(struct tokenizer *tokenizer, unsigned char byte, unsigned modifiers)
{
    struct key key = key_decode_byte(byte);

    key.modifiers |= modifiers;
    emit_key(tokenizer, key);
}

/* The ESC before the one that began a sequence was the Escape key, unless the sequence is a key: then it was Alt. */
static void emit_escape_before(struct tokenizer *tokenizer)
{
    if (tokenizer->after_escape)
        emit_key(tokenizer, (struct key){KEYCODE_ESCAPE, 0});
    tokenizer->after_escape = false;
}

static void emit_sequence_key(struct tokenizer *tokenizer, struct key key)
{
    if (tokenizer->after_escape)
        key.modifiers |= KEY_ALT;
    tokenizer->after_escape = false;
    emit_key(tokenizer, key);
}

static void emit_mouse(struct tokenizer *tokenizer, unsigned value, unsigned column, unsigned row,
                       bool released)
{
    struct input_event event = {.type = INPUT_MOUSE};

    emit_escape_before(tokenizer);
    if (mouse_decode(value, column, row, released, &event.mouse) == 0)
        emit(tokenizer, event);
}

static void emit_text(struct tokenizer *tokenizer, enum input_type type)
{
    struct buffer *text = &tokenizer->text;

    buffer_append(text, "", 0); /* ends with a NUL even when empty */
    emit_escape_before(tokenizer);
    emit(tokenizer, (struct input_event){.type = type, .text = text->bytes, .length = text->length});
}

static void append(struct tokenizer *tokenizer, const char *bytes, size_t length, size_t max)
{
    size_t room = max - tokenizer->text.length;

    if (length > room) {
        length = room;
        tokenizer->overflow = true;
    }
    buffer_append(&tokenizer->text, bytes, length);
}

static void append_byte(struct tokenizer *tokenizer, unsigned char byte, size_t max)
{
    append(tokenizer, (const char *)&byte, 1, max);
}

static void begin(struct tokenizer *tokenizer, enum state state, unsigned char introducer)
{
    const char bytes[2] = {ESC, (char)introducer};

    buffer_clear(&tokenizer->text);
    tokenizer->overflow = false;
    tokenizer->state = state;
    buffer_append(&tokenizer->text, bytes, sizeof bytes);
}

/* The sequence ended before its end; the byte that showed it counts by itself. */
static void give_up(struct tokenizer *tokenizer, unsigned char byte)
{
    emit_escape_before(tokenizer);
    tokenizer->state = GROUND;
    step(tokenizer, byte);
}

/* What looked like the beginning of a sequence was Alt and a key. */
static void emit_introducer(struct tokenizer *tokenizer)
{
    emit_escape_before(tokenizer);
    emit_byte(tokenizer, (unsigned char)tokenizer->text.bytes[1], KEY_ALT);
    tokenizer->state = GROUND;
}

static void step_ground(struct tokenizer *tokenizer, unsigned char byte)
{
    tokenizer->after_escape = false;
    if (byte == ESC) {
        tokenizer->state = ESCAPE;
    } else if (byte < 0x80) {
        emit_byte(tokenizer, byte, 0);
    } else {
        tokenizer->state = UTF8;
        tokenizer->alt = false;
        tokenizer->utf8_length = 0;
        step(tokenizer, byte);
    }
}

/* Invalid UTF-8 and C1 controls are no keys and are dropped. */
static void step_utf8(struct tokenizer *tokenizer, unsigned char byte)
{
    uint32_t code;
    int used;

    tokenizer->utf8[tokenizer->utf8_length++] = (char)byte;
    used = utf8_decode(tokenizer->utf8, tokenizer->utf8_length, &code);
    if (used == 0)
        return;
    tokenizer->state = GROUND;
    if (used > 0) {
        struct key key = {code, tokenizer->alt ? KEY_ALT : 0};
        if (key_valid(key))
            emit_key(tokenizer, key);
    } else if (tokenizer->utf8_length > 1) {
        step(tokenizer, byte);
    }
}

static void step_escape(struct tokenizer *tokenizer, unsigned char byte)
{
    switch (byte) {
    case ESC:
        tokenizer->state = ESCAPE_ESCAPE;
        return;
    case '[':
        begin(tokenizer, CSI, byte);
        return;
    case 'O':
        begin(tokenizer, SS3, byte);
        return;
    case 'P':
    case ']':
    case '_':
        begin(tokenizer, STRING_START, byte);
        return;
    default:
        break;
    }
    tokenizer->state = GROUND;
    if (byte < 0x80) {
        emit_byte(tokenizer, byte, KEY_ALT);
        return;
    }
    tokenizer->state = UTF8;
    tokenizer->alt = true;
    tokenizer->utf8_length = 0;
    step(tokenizer, byte);
}

static void step_escape_escape(struct tokenizer *tokenizer, unsigned char byte)
{
    if (byte == '[' || byte == 'O') {
        tokenizer->after_escape = true;
    } else {
        emit_key(tokenizer, (struct key){KEYCODE_ESCAPE, 0});
    }
    tokenizer->state = ESCAPE;
    step(tokenizer, byte);
}

static void finish_plain_csi(struct tokenizer *tokenizer, const struct sequence *sequence)
{
    unsigned first = sequence->numbers[0][0];
    struct key key;

    if (sequence->prefix != 0 || sequence->intermediate != 0) {
        emit_escape_before(tokenizer);
    } else if (sequence->count == 0 && (sequence->final == 'I' || sequence->final == 'O')) {
        emit_escape_before(tokenizer);
        emit(tokenizer,
             (struct input_event){.type = sequence->final == 'I' ? INPUT_FOCUS_IN : INPUT_FOCUS_OUT});
    } else if (sequence->final == 'M' && sequence->count == 3 && first >= OLD_MOUSE_OFFSET) {
        emit_mouse(tokenizer, first - OLD_MOUSE_OFFSET, sequence->numbers[1][0], sequence->numbers[2][0],
                   false);
    } else if (sequence->final == '~' && first == PASTE_START) {
        buffer_clear(&tokenizer->text);
        tokenizer->matched = 0;
        tokenizer->state = PASTE;
    } else if (key_decode_csi(sequence, &key) == 0) {
        emit_sequence_key(tokenizer, key);
    } else {
        emit_escape_before(tokenizer);
    }
}

static void finish_csi(struct tokenizer *tokenizer)
{
    struct sequence sequence;

    tokenizer->state = GROUND;
    if (tokenizer->overflow ||
        sequence_parse(tokenizer->text.bytes + 2, tokenizer->text.length - 2, &sequence) != 0) {
        emit_escape_before(tokenizer);
    } else if (sequence_is_reply(&sequence)) {
        emit_text(tokenizer, INPUT_REPLY);
    } else if (sequence.prefix == '<' && sequence.count == 3 && strchr("Mm", sequence.final) != NULL) {
        emit_mouse(tokenizer, sequence.numbers[0][0], sequence.numbers[1][0], sequence.numbers[2][0],
                   sequence.final == 'm');
    } else {
        finish_plain_csi(tokenizer, &sequence);
    }
}

/* rxvt ends Shift and an editing key with "$", which elsewhere is followed by a final byte. */
static bool is_rxvt_shift(const struct tokenizer *tokenizer, unsigned char byte)
{
    size_t digits = tokenizer->text.length - 2;

    if (byte != '$' || digits < 1 || digits > 2)
        return false;
    for (size_t i = 0; i < digits; i++)
        if (tokenizer->text.bytes[2 + i] < '0' || tokenizer->text.bytes[2 + i] > '9')
            return false;
    return true;
}

static void step_csi(struct tokenizer *tokenizer, unsigned char byte)
{
    bool first = tokenizer->text.length == 2;
    bool final;

    if (byte < 0x20 || byte >= DEL) {
        if (first)
            emit_introducer(tokenizer);
        give_up(tokenizer, byte);
        return;
    }
    final = byte >= 0x40 || is_rxvt_shift(tokenizer, byte);
    append_byte(tokenizer, byte, SEQUENCE_MAX);
    if (first && byte == '[') {
        tokenizer->state = LINUX_KEY;
    } else if (first && byte == 'M') {
        tokenizer->state = OLD_MOUSE;
        tokenizer->mouse_count = 0;
        tokenizer->mouse_lead = 0;
    } else if (final) {
        finish_csi(tokenizer);
    }
}

static void step_linux_key(struct tokenizer *tokenizer, unsigned char byte)
{
    if (byte < 'A' || byte > 'E') {
        give_up(tokenizer, byte);
        return;
    }
    tokenizer->state = GROUND;
    emit_sequence_key(tokenizer, (struct key){KEYCODE_F1 + byte - 'A', 0});
}

static void step_ss3(struct tokenizer *tokenizer, unsigned char byte)
{
    bool first = tokenizer->text.length == 2;
    struct sequence sequence;
    struct key key;

    if (byte == ';' || (byte >= '0' && byte <= '9')) {
        append_byte(tokenizer, byte, SEQUENCE_MAX);
        return;
    }
    append_byte(tokenizer, byte, SEQUENCE_MAX);
    if (byte > 0x20 && byte < DEL && !tokenizer->overflow &&
        sequence_parse(tokenizer->text.bytes + 2, tokenizer->text.length - 2, &sequence) == 0 &&
        key_decode_ss3(&sequence, &key) == 0) {
        tokenizer->state = GROUND;
        emit_sequence_key(tokenizer, key);
        return;
    }
    if (first)
        emit_introducer(tokenizer);
    give_up(tokenizer, byte);
}

/* Can this byte follow the introducer in what terminals answer? */
static bool string_begins(unsigned char introducer, unsigned char byte)
{
    switch (introducer) {
    case ']':
        return (byte >= '0' && byte <= '9') || byte == 'l' || byte == 'L';
    case 'P':
        return (byte >= '0' && byte <= '9') || (byte != 0 && strchr(">!?=$+;|", byte) != NULL);
    default:
        return byte == 'G';
    }
}

static void step_string_start(struct tokenizer *tokenizer, unsigned char byte)
{
    if (string_begins((unsigned char)tokenizer->text.bytes[1], byte)) {
        tokenizer->state = STRING;
    } else {
        emit_introducer(tokenizer);
    }
    step(tokenizer, byte);
}

static void finish_string(struct tokenizer *tokenizer)
{
    tokenizer->state = GROUND;
    if (!tokenizer->overflow)
        emit_text(tokenizer, INPUT_REPLY);
}

/* Answers hold no controls, so a control is a key typed into a string that never ended. */
static void step_string(struct tokenizer *tokenizer, unsigned char byte)
{
    if (byte == ESC) {
        tokenizer->state = STRING_ESCAPE;
    } else if (byte == '\a') {
        append_byte(tokenizer, byte, STRING_MAX);
        finish_string(tokenizer);
    } else if (byte < 0x20 || byte == DEL) {
        give_up(tokenizer, byte);
    } else {
        append_byte(tokenizer, byte, STRING_MAX);
    }
}

static void step_string_escape(struct tokenizer *tokenizer, unsigned char byte)
{
    if (byte == '\\') {
        append(tokenizer, "\033\\", 2, STRING_MAX);
        finish_string(tokenizer);
        return;
    }
    tokenizer->state = ESCAPE;
    step(tokenizer, byte);
}

static void add_mouse_value(struct tokenizer *tokenizer, unsigned value)
{
    unsigned *values = tokenizer->mouse;

    values[tokenizer->mouse_count++] = value;
    if (tokenizer->mouse_count < 3)
        return;
    tokenizer->state = GROUND;
    if (values[0] < OLD_MOUSE_OFFSET || values[1] <= OLD_MOUSE_OFFSET || values[2] <= OLD_MOUSE_OFFSET)
        emit_escape_before(tokenizer);
    else
        emit_mouse(tokenizer, values[0] - OLD_MOUSE_OFFSET, values[1] - OLD_MOUSE_OFFSET,
                   values[2] - OLD_MOUSE_OFFSET, false);
}

/* Values above 127 are one byte, or two in UTF-8: a first byte with a continuation behind it is taken for UTF-8. */
static void step_old_mouse(struct tokenizer *tokenizer, unsigned char byte)
{
    unsigned lead = tokenizer->mouse_lead;

    tokenizer->mouse_lead = 0;
    if (lead != 0 && byte >= 0x80 && byte <= 0xBF) {
        add_mouse_value(tokenizer, (lead & 0x1Fu) << 6 | (byte & 0x3Fu));
        return;
    }
    if (lead != 0)
        add_mouse_value(tokenizer, lead);
    if (tokenizer->state != OLD_MOUSE) {
        step(tokenizer, byte);
    } else if (byte < OLD_MOUSE_OFFSET) {
        give_up(tokenizer, byte);
    } else if (byte >= 0xC2 && byte <= 0xDF) {
        tokenizer->mouse_lead = byte;
    } else {
        add_mouse_value(tokenizer, byte);
    }
}

static void step(struct tokenizer *tokenizer, unsigned char byte)
{
    static void (*const steps[])(struct tokenizer *, unsigned char) = {
        [GROUND] = step_ground,
        [UTF8] = step_utf8,
        [ESCAPE] = step_escape,
        [ESCAPE_ESCAPE] = step_escape_escape,
        [CSI] = step_csi,
        [LINUX_KEY] = step_linux_key,
        [SS3] = step_ss3,
        [STRING_START] = step_string_start,
        [STRING] = step_string,
        [STRING_ESCAPE] = step_string_escape,
        [OLD_MOUSE] = step_old_mouse,
    };

    steps[tokenizer->state](tokenizer, byte);
}

static void finish_paste(struct tokenizer *tokenizer)
{
    tokenizer->state = GROUND;
    if (tokenizer->overflow)
        tokenizer->text.length -= utf8_incomplete_tail(tokenizer->text.bytes, tokenizer->text.length);
    emit_text(tokenizer, INPUT_PASTE);
}

/* Takes a run of pasted bytes, or one byte that may belong to the end marker. */
static void take_paste(struct tokenizer *tokenizer)
{
    const char *bytes = tokenizer->input.bytes + tokenizer->position;
    size_t length = tokenizer->input.length - tokenizer->position;

    if (tokenizer->matched == 0) {
        const char *escape = memchr(bytes, ESC, length);
        size_t run = escape == NULL ? length : (size_t)(escape - bytes);
        append(tokenizer, bytes, run, PASTE_MAX);
        tokenizer->matched = escape != NULL;
        tokenizer->position += run + (escape != NULL);
    } else if (bytes[0] == PASTE_END[tokenizer->matched]) {
        tokenizer->position++;
        if (++tokenizer->matched == strlen(PASTE_END))
            finish_paste(tokenizer);
    } else {
        append(tokenizer, PASTE_END, tokenizer->matched, PASTE_MAX);
        tokenizer->matched = 0;
    }
}

/* Gives back what a large paste or a burst of input needed. */
static void release(struct buffer *buffer)
{
    if (buffer->capacity > KEEP_MAX)
        buffer_finish(buffer);
    else
        buffer_clear(buffer);
}

static void advance(struct tokenizer *tokenizer)
{
    if (tokenizer->state == GROUND)
        release(&tokenizer->text);
    while (tokenizer->queue_count == 0 && tokenizer->position < tokenizer->input.length) {
        if (tokenizer->state == PASTE)
            take_paste(tokenizer);
        else
            step(tokenizer, (unsigned char)tokenizer->input.bytes[tokenizer->position++]);
    }
    if (tokenizer->position == tokenizer->input.length) {
        release(&tokenizer->input);
        tokenizer->position = 0;
    }
}

struct input_event tokenizer_next(struct tokenizer *tokenizer)
{
    struct input_event event = {.type = INPUT_NONE};

    if (tokenizer->queue_count == 0)
        advance(tokenizer);
    if (tokenizer->queue_count > 0) {
        event = tokenizer->queue[tokenizer->queue_start];
        tokenizer->queue_start = (tokenizer->queue_start + 1) % QUEUE_SIZE;
        tokenizer->queue_count--;
    }
    return event;
}

static bool escape_waits(const struct tokenizer *tokenizer)
{
    if (tokenizer->position < tokenizer->input.length)
        return false;
    switch (tokenizer->state) {
    case ESCAPE:
    case ESCAPE_ESCAPE:
    case STRING_START:
        return true;
    case CSI:
    case SS3:
        return tokenizer->text.length == 2;
    default:
        return false;
    }
}

bool tokenizer_pending_escape(const struct tokenizer *tokenizer)
{
    return !tokenizer->kitty && escape_waits(tokenizer);
}

void tokenizer_flush(struct tokenizer *tokenizer)
{
    if (!escape_waits(tokenizer))
        return;
    if (tokenizer->state == ESCAPE || tokenizer->state == ESCAPE_ESCAPE) {
        if (tokenizer->state == ESCAPE_ESCAPE)
            emit_key(tokenizer, (struct key){KEYCODE_ESCAPE, 0});
        emit_key(tokenizer, (struct key){KEYCODE_ESCAPE, 0});
        tokenizer->state = GROUND;
    } else {
        emit_introducer(tokenizer);
    }
}
