#include "base/utf8.h"

int utf8_decode(const char *text, size_t length, uint32_t *code)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char first = bytes[0], low = 0x80, high = 0xBF;
    size_t need;
    uint32_t value;

    if (first < 0x80) {
        *code = first;
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        need = 2;
        value = first & 0x1Fu;
    } else if (first >= 0xE0 && first <= 0xEF) {
        need = 3;
        value = first & 0x0Fu;
        if (first == 0xE0)
            low = 0xA0;
        else if (first == 0xED)
            high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        need = 4;
        value = first & 0x07u;
        if (first == 0xF0)
            low = 0x90;
        else if (first == 0xF4)
            high = 0x8F;
    } else {
        return -1;
    }
    for (size_t i = 1; i < need; i++) {
        if (i >= length)
            return 0;
        if (bytes[i] < low || bytes[i] > high)
            return -(int)i;
        value = value << 6 | (bytes[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *code = value;
    return (int)need;
}

int utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

bool utf8_valid(const char *bytes, size_t length)
{
    uint32_t code;

    while (length > 0) {
        int used = utf8_decode(bytes, length, &code);
        if (used <= 0)
            return false;
        bytes += used;
        length -= (size_t)used;
    }
    return true;
}

size_t utf8_incomplete_tail(const char *bytes, size_t length)
{
    uint32_t code;

    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char byte = (unsigned char)bytes[length - back];
        if (byte < 0x80)
            return 0;
        if (byte >= 0xC0)
            return utf8_decode(bytes + length - back, back, &code) == 0 ? back : 0;
    }
    return 0;
}
