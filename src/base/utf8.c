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

/*
 * Whether text is valid is a machine of nine states with a row for each byte (Unicode 15.0, table 3-7). A state is a shift: that many
 * bits up in the byte's row stands the next one, so that a step is one shift and no branch.
 */
enum state {
    DONE = 0, /* between code points */
    WRONG = 6,
    ONE = 12, /* so many continuation bytes are missing */
    TWO = 18,
    THREE = 24,
    AFTER_E0 = 30, /* the second byte is limited */
    AFTER_ED = 36,
    AFTER_F0 = 42,
    AFTER_F4 = 48,
};

static uint64_t rows[256];

static enum state first_byte(unsigned byte)
{
    if (byte < 0x80)
        return DONE;
    if (byte < 0xC2 || byte > 0xF4)
        return WRONG;
    if (byte < 0xE0)
        return ONE;
    if (byte < 0xF0)
        return byte == 0xE0 ? AFTER_E0 : byte == 0xED ? AFTER_ED : TWO;
    return byte == 0xF0 ? AFTER_F0 : byte == 0xF4 ? AFTER_F4 : THREE;
}

static uint64_t limited(enum state state, unsigned byte, unsigned least, unsigned most, enum state next)
{
    return (uint64_t)(byte >= least && byte <= most ? next : WRONG) << state;
}

__attribute__((constructor)) static void make_rows(void)
{
    for (unsigned byte = 0; byte < 256; byte++)
        rows[byte] = (uint64_t)first_byte(byte) << DONE | (uint64_t)WRONG << WRONG |
                     limited(ONE, byte, 0x80, 0xBF, DONE) | limited(TWO, byte, 0x80, 0xBF, ONE) |
                     limited(THREE, byte, 0x80, 0xBF, TWO) | limited(AFTER_E0, byte, 0xA0, 0xBF, ONE) |
                     limited(AFTER_ED, byte, 0x80, 0x9F, ONE) | limited(AFTER_F0, byte, 0x90, 0xBF, TWO) |
                     limited(AFTER_F4, byte, 0x80, 0x8F, TWO);
}

bool utf8_valid(const char *bytes, size_t length)
{
    uint64_t state = DONE;

    for (size_t i = 0; i < length; i++)
        state = rows[(unsigned char)bytes[i]] >> (state & 63);
    return (state & 63) == DONE;
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
