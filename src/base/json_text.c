#include "base/json_text.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* ---- mending ---- */

/* The value of four hexadecimal digits, or -1. */
static long hex4(const char *digits)
{
    long value = 0;

    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        if (c >= '0' && c <= '9')
            value = value * 16 + c - '0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value * 16 + (c | 32) - 'a' + 10;
        else
            return -1;
    }
    return value;
}

static long escaped(const char *text, size_t length)
{
    return length >= 6 && text[0] == '\\' && text[1] == 'u' ? hex4(text + 2) : -1;
}

/* At a backslash: returns the bytes of its escape, with lone halves replaced. */
static size_t mend_escape(char *text, size_t length)
{
    long first = escaped(text, length), second;

    if (first < 0)
        return length >= 2 ? 2 : 1;
    if (first < 0xD800 || first > 0xDFFF)
        return 6;
    second = escaped(text + 6, length - 6);
    if (first <= 0xDBFF && second >= 0xDC00 && second <= 0xDFFF)
        return 12;
    memcpy(text + 2, "fffd", 4);
    return 6;
}

void json_text_mend(char *text, size_t length)
{
    uint32_t code;
    size_t at = 0;

    while (at < length) {
        size_t left = length - at;
        int used;
        if (text[at] == '\\') {
            size_t skipped = mend_escape(text + at, left);
            /* The letter after a backslash may be the start of a longer character. */
            at += skipped == 2 && (unsigned char)text[at + 1] >= 0x80 ? 1 : skipped;
            continue;
        }
        used = (unsigned char)text[at] < 0x80 ? 1 : utf8_decode(text + at, left, &code);
        if (used <= 0) {
            size_t bad = used == 0 ? left : (size_t)-used;
            memset(text + at, '?', bad);
            at += bad;
        } else {
            at += (size_t)used;
        }
    }
}

/* ---- trimming ---- */

void json_trim_init(struct json_trim *trim, size_t limit, size_t string_max, size_t depth_max)
{
    *trim = (struct json_trim){.limit = limit, .string_max = string_max, .depth_max = depth_max};
    buffer_init(&trim->out);
}

void json_trim_finish(struct json_trim *trim)
{
    buffer_finish(&trim->out);
}

static void keep(struct json_trim *trim, char byte)
{
    if (trim->depth > trim->depth_max)
        return;
    if (trim->out.length < trim->limit)
        buffer_append_char(&trim->out, byte);
    else
        trim->overflowed = true;
}

/* A string is cut between characters: not within an escape sequence, nor within UTF-8. */
static void add_in_string(struct json_trim *trim, char byte)
{
    bool starts = trim->escape == 0 && ((unsigned char)byte & 0xC0) != 0x80;

    if (starts && byte == '"') {
        trim->in_string = trim->dropping = false;
        keep(trim, byte);
        return;
    }
    if (starts && trim->string_length >= trim->string_max)
        trim->dropping = trim->trimmed = true;
    if (trim->escape == -1)
        trim->escape = byte == 'u' ? 4 : 0;
    else if (trim->escape > 0)
        trim->escape--;
    else if (byte == '\\')
        trim->escape = -1;
    if (!trim->dropping) {
        keep(trim, byte);
        trim->string_length++;
    }
}

static void open_level(struct json_trim *trim, char byte)
{
    if (trim->depth == trim->depth_max) {
        for (const char *c = "null"; *c != '\0'; c++)
            keep(trim, *c);
        trim->trimmed = true;
    }
    trim->depth++;
    keep(trim, byte);
}

void json_trim_add(struct json_trim *trim, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char byte = bytes[i];
        if (trim->in_string) {
            add_in_string(trim, byte);
        } else if (byte == '{' || byte == '[') {
            open_level(trim, byte);
        } else if (byte == '}' || byte == ']') {
            keep(trim, byte);
            trim->depth -= trim->depth > 0;
        } else if (byte == '"') {
            keep(trim, byte);
            trim->in_string = true;
            trim->string_length = 0;
        } else {
            keep(trim, byte == '\n' || byte == '\r' ? ' ' : byte);
        }
    }
}
