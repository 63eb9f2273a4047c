#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"

static void append_escape(struct buffer *out, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    const char *short_form = NULL;

    switch (byte) {
    case '"':
        short_form = "\\\"";
        break;
    case '\\':
        short_form = "\\\\";
        break;
    case '\n':
        short_form = "\\n";
        break;
    case '\r':
        short_form = "\\r";
        break;
    case '\t':
        short_form = "\\t";
        break;
    default: {
        char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
        buffer_append(out, escape, sizeof escape);
        return;
    }
    }
    buffer_append(out, short_form, 2);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

void json_append_quoted(struct buffer *out, const char *bytes, size_t length)
{
    size_t at = 0;

    (void)buffer_reserve(out, length + 2);
    buffer_append_char(out, '"');
    while (at < length) {
        size_t start = at;
        while (at < length && is_plain((unsigned char)bytes[at]))
            at++;
        if (at > start) {
            buffer_append(out, bytes + start, at - start);
        } else if ((unsigned char)bytes[at] < 0x80) {
            append_escape(out, (unsigned char)bytes[at++]);
        } else {
            uint32_t code;
            int used = utf8_decode(bytes + at, length - at, &code);
            if (used > 0)
                buffer_append(out, bytes + at, (size_t)used);
            else
                buffer_append(out, "\xEF\xBF\xBD", 3);
            at += used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length - at;
        }
    }
    buffer_append_char(out, '"');
}

static int append_chunk(const char *bytes, size_t length, void *out)
{
    buffer_append(out, bytes, length);
    return 0;
}

void json_append_value(struct buffer *out, const json_t *value)
{
    (void)json_dump_callback(value, append_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY);
}

const char *json_member_string(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : fallback;
}

int64_t json_member_integer(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double json_member_number(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : fallback;
}

int json_member_bool(const json_t *object, const char *key, int fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *json_string_or_null(const char *text)
{
    struct buffer clean;
    json_t *value;

    if (text == NULL)
        return json_null();
    value = json_string(text);
    if (value != NULL)
        return value;
    buffer_init(&clean);
    json_append_quoted(&clean, text, strlen(text));
    value = json_loads(clean.bytes, JSON_DECODE_ANY, NULL);
    buffer_finish(&clean);
    return value;
}

json_t *json_time_or_null(int64_t realtime_ms)
{
    char text[CLOCK_RFC3339_SIZE];

    if (realtime_ms == 0)
        return json_null();
    clock_format_rfc3339(realtime_ms, text);
    return json_string(text);
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct buffer *out, const void *input, size_t length)
{
    const unsigned char *bytes = input;
    char *to = buffer_reserve(out, (length + 2) / 3 * 4);

    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned long group = (unsigned long)bytes[i] << 16;
        if (left > 1)
            group |= (unsigned long)bytes[i + 1] << 8;
        if (left > 2)
            group |= bytes[i + 2];
        *to++ = base64_digits[group >> 18];
        *to++ = base64_digits[group >> 12 & 63];
        *to++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *to++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *to = '\0';
    out->length += (length + 2) / 3 * 4;
}

static int base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

long base64_decode(const char *text, size_t length, char *out)
{
    size_t padding = 0;
    long written = 0;

    if (length % 4 != 0)
        return -1;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < length; i += 4) {
        unsigned long group = 0;
        size_t real = i + 4 == length ? 4 - padding : 4;
        for (size_t k = 0; k < 4; k++) {
            int value = k < real ? base64_value(text[i + k]) : 0;
            if (value < 0)
                return -1;
            group = group << 6 | (unsigned long)value;
        }
        for (size_t k = 0; k + 1 < real; k++)
            out[written++] = (char)(group >> (16 - 8 * k) & 0xFF);
    }
    return written;
}
