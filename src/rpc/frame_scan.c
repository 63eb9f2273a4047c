#include "rpc/frame_scan.h"

#include <string.h>

#include "base/utf8.h"

bool scan_bool(struct scan *scan, bool *value)
{
    *value = SCAN(scan, "true") || scan_byte(scan, '1');
    return *value || SCAN(scan, "false") || scan_byte(scan, '0');
}

static bool hex_digits(const char *at, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        char digit = at[i];
        if (digit >= '0' && digit <= '9')
            *value = *value << 4 | (uint32_t)(digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            *value = *value << 4 | (uint32_t)((digit | 0x20) - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* The escape at `at` (a backslash): its bytes, or 0 when it is not one of a printable character. */
static size_t read_escape(const char *at, const char *end, uint32_t *code)
{
    uint32_t low;

    if (end - at < 2)
        return 0;
    if (at[1] == '"' || at[1] == '\\' || at[1] == '/') {
        *code = (unsigned char)at[1];
        return 2;
    }
    if (at[1] != 'u' || end - at < 6 || !hex_digits(at + 2, code))
        return 0;
    if (*code < 0xD800 || *code > 0xDFFF)
        return 6;
    if (*code > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u' || !hex_digits(at + 8, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return 0;
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return 12;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static bool check_string(struct scan *scan, size_t *points)
{
    char *at = scan->at;
    size_t count = 0;

    for (; at < scan->end && *at != '"'; count++) {
        unsigned char byte = (unsigned char)*at;
        uint32_t code = byte;
        int used = 1;

        if (byte >= 0x80)
            used = utf8_decode(at, (size_t)(scan->end - at), &code);
        else if (byte == '\\')
            used = (int)read_escape(at, scan->end, &code);
        if (used <= 0 || is_control(code))
            return false;
        at += used;
    }
    *points = count;
    scan->at = at;
    return scan_byte(scan, '"');
}

/* The string was checked: there is a closing quote, and each escape is whole. */
static void decode_string(struct scan *scan, size_t *length)
{
    char *start = scan->at, *from = start, *to;

    while (*from != '"' && *from != '\\')
        from++;
    to = from;
    while (*from != '"') {
        if (*from == '\\') {
            uint32_t code = 0;
            from += read_escape(from, scan->end, &code);
            to += utf8_encode(code, to);
        } else {
            *to++ = *from++;
        }
    }
    *length = (size_t)(to - start);
    *to = '\0';
    scan->at = from + 1;
}

bool scan_string(struct scan *scan, char **text, size_t *length, size_t *points)
{
    if (!scan_byte(scan, '"'))
        return false;
    *text = scan->at;
    *points = 0;
    if (!scan->changing) {
        *length = 0;
        return check_string(scan, points);
    }
    decode_string(scan, length);
    return true;
}
