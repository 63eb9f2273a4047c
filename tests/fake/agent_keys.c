#include "tests/fake/agent_keys.h"

#include <string.h>

#define ESC '\033'

static void finish(struct key_reader *reader)
{
    const char *body = reader->sequence + 1;
    size_t length = reader->length - 1;

    if (length == 5 && memcmp(body, "[200~", 5) == 0)
        reader->pasting = true;
    else if (length == 5 && memcmp(body, "[201~", 5) == 0)
        reader->pasting = false;
    else if (length >= 7 && memcmp(body, "]7501;?", 7) == 0)
        reader->key(KEY_STATUS_ANSWERED, NULL, 0);
    reader->length = 0;
    reader->in_string = false;
}

/* One more byte of an escape sequence. */
static void sequence_byte(struct key_reader *reader, char byte)
{
    if (reader->length < sizeof reader->sequence)
        reader->sequence[reader->length++] = byte;
    if (reader->in_string) {
        if (byte == '\a' || (byte == '\\' && reader->sequence[reader->length - 2] == ESC))
            finish(reader);
    } else if (reader->length == 2) {
        reader->in_string = byte == ']' || byte == 'P' || byte == '_';
        if (!reader->in_string && byte != '[' && byte != 'O')
            finish(reader);
    } else if (byte >= 0x40 && byte <= 0x7e) {
        finish(reader);
    }
}

static void control(struct key_reader *reader, char byte)
{
    static const struct {
        char byte;
        enum key key;
    } keys[] = {{'\r', KEY_ENTER},     {'\n', KEY_NEWLINE}, {'\b', KEY_BACKSPACE},
                {0x7f, KEY_BACKSPACE}, {3, KEY_INTERRUPT},  {4, KEY_EOF}};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].byte == byte)
            reader->key(reader->pasting && byte == '\r' ? KEY_NEWLINE : keys[i].key, NULL, 0);
    }
}

void key_reader_feed(struct key_reader *reader, const char *bytes, size_t length)
{
    size_t text = 0;

    for (size_t i = 0; i < length; i++) {
        bool plain = reader->length == 0 && (unsigned char)bytes[i] >= 0x20 && bytes[i] != 0x7f;
        if (plain) {
            text++;
            continue;
        }
        if (text > 0)
            reader->key(KEY_TEXT, bytes + i - text, text);
        text = 0;
        if (reader->length > 0)
            sequence_byte(reader, bytes[i]);
        else if (bytes[i] == ESC)
            reader->sequence[reader->length++] = ESC;
        else
            control(reader, bytes[i]);
    }
    if (text > 0)
        reader->key(KEY_TEXT, bytes + length - text, text);
}

bool key_reader_waits(const struct key_reader *reader)
{
    return reader->length > 0 && !reader->pasting;
}

void key_reader_idle(struct key_reader *reader)
{
    if (reader->length == 1)
        reader->key(KEY_ESCAPE, NULL, 0);
    reader->length = 0;
    reader->in_string = false;
}
