#include "base/utf8.h"
#include "test.h"

/* By definition: the encodings of all scalar values, made by arithmetic. Returns the length, 0 for what has none. */
static int encoding_of(uint32_t code, unsigned char out[4])
{
    int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};

    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    for (int i = length - 1; i > 0; i--, code /= 64)
        out[i] = (unsigned char)(0x80 + code % 64);
    out[0] = (unsigned char)(lead[length] + code);
    return length;
}

/* known[n][…]: which n-byte strings begin the encoding of some scalar value, as a bit per string, for n up to 3. */
static unsigned char begins[3][1 << 21];

static uint32_t number_of(const unsigned char *bytes, int length)
{
    uint32_t number = 0;

    for (int i = 0; i < length; i++)
        number = number << 8 | bytes[i];
    return number;
}

static bool begins_something(const unsigned char *bytes, int length)
{
    uint32_t number = number_of(bytes, length);

    return (begins[length - 1][number / 8] >> number % 8 & 1) != 0;
}

static void learn(void)
{
    unsigned char bytes[4];

    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        int length = encoding_of(code, bytes);
        for (int i = 1; i <= length && i <= 3; i++) {
            uint32_t number = number_of(bytes, i);
            begins[i - 1][number / 8] |= (unsigned char)(1u << number % 8);
        }
    }
}

/* How many bytes the decoder must take, by what was learned: as utf8_decode's result. */
static int expected(const unsigned char *bytes, int length)
{
    int need = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;

    for (int i = 1; i <= length && i <= need; i++) {
        bool fits = i <= 3 ? begins_something(bytes, i) : (bytes[3] & 0xC0) == 0x80;
        if (!fits)
            return i == 1 ? -1 : -(i - 1);
        if (i == need)
            return need;
    }
    return 0;
}

TEST(every_scalar_value_goes_both_ways)
{
    unsigned char bytes[4];
    char encoded[4];
    uint32_t code, decoded;

    for (code = 0; code <= 0x10FFFF; code++) {
        int length = encoding_of(code, bytes);
        if (length == 0)
            continue;
        CHECK_NUMBER(utf8_encode(code, encoded), length);
        CHECK(memcmp(bytes, encoded, (size_t)length) == 0);
        CHECK_NUMBER(utf8_decode(encoded, (size_t)length, &decoded), length);
        CHECK_NUMBER(decoded, code);
    }
}

TEST(every_string_of_three_bytes_is_judged_right)
{
    unsigned char bytes[4] = {0};
    uint32_t code;

    learn();
    for (unsigned number = 0; number < 1u << 24; number += number < 0xC00000 ? 61 : 1) {
        bytes[0] = (unsigned char)(number >> 16);
        bytes[1] = (unsigned char)(number >> 8);
        bytes[2] = (unsigned char)number;
        for (int length = 1; length <= 3; length++) {
            int result = utf8_decode((const char *)bytes, (size_t)length, &code);
            if (result != expected(bytes, length))
                TEST_FAIL("%02x %02x %02x, %d bytes: %d", bytes[0], bytes[1], bytes[2], length, result);
        }
    }
}

TEST(fourth_bytes)
{
    unsigned char bytes[4] = {0xF0, 0x9F, 0x99, 0};
    uint32_t code;

    for (unsigned last = 0; last < 256; last++) {
        bytes[3] = (unsigned char)last;
        CHECK_NUMBER(utf8_decode((const char *)bytes, 4, &code), (last & 0xC0) == 0x80 ? 4 : -3);
    }
}

TEST(unfinished_tails)
{
    static const struct {
        const char *text;
        size_t tail;
    } cases[] = {
        {"", 0},
        {"a", 0},
        {"\xC3", 1},
        {"x\xE2\x82", 2},
        {"\xF0\x9F\x99", 3},
        {"\xC3\xA9", 0},
        {"\xC0", 0},
        {"\xE0\x80", 0},
        {"\xED\xA0", 0},
        {"\x82\x82", 0},
        {"\xF4\x90", 0},
        {"\xF4\x8F\xBF", 3},
        {"\xE2\x82\xAC", 0},
        {"\xC3\xA9\xA9", 0},
        {"\xFF", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (utf8_incomplete_tail(cases[i].text, strlen(cases[i].text)) != cases[i].tail)
            TEST_FAIL("case %zu", i);
    }
}

TEST(validity)
{
    CHECK(utf8_valid("", 0));
    CHECK(utf8_valid("a\0\xC3\xA9\xF0\x9F\x99\x82", 8));
    CHECK(!utf8_valid("a\xC3", 2));
    CHECK(!utf8_valid("\xED\xA0\x80", 3));
    CHECK(!utf8_valid("\xC0\x80", 2));
}

static bool valid_by_decoding(const char *bytes, size_t length)
{
    uint32_t code;

    for (size_t at = 0; at < length;) {
        int used = utf8_decode(bytes + at, length - at, &code);
        if (used <= 0)
            return false;
        at += (size_t)used;
    }
    return true;
}

TEST(what_is_valid_can_be_decoded)
{
    static const unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                          0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                          0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    const size_t count = sizeof edges;
    unsigned wrong = 0;

    for (size_t n = 0; n < count * count * count * count; n++) {
        const char bytes[] = {(char)edges[n % count], (char)edges[n / count % count],
                              (char)edges[n / count / count % count], (char)edges[n / count / count / count]};
        for (size_t length = 1; length <= sizeof bytes; length++)
            wrong += utf8_valid(bytes, length) != valid_by_decoding(bytes, length);
    }
    CHECK_NUMBER(wrong, 0);
}

TEST_MAIN
