#include <jansson.h>
#include <stdlib.h>

#include "base/json_text.h"
#include "base/memory.h"
#include "test.h"

static bool mends_to(const char *bytes, size_t length, const char *expected)
{
    char *text = xmalloc(length + 1);
    bool same;

    memcpy(text, bytes, length);
    text[length] = '\0';
    json_text_mend(text, length);
    same = memcmp(text, expected, length) == 0 && strlen(expected) == length;
    free(text);
    return same;
}

#define MENDS(bytes, expected) mends_to(bytes, sizeof(bytes) - 1, expected)

TEST(bytes_that_are_no_utf8_are_replaced)
{
    CHECK(MENDS("", ""));
    CHECK(MENDS("{\"a\":\"\xC3\xA9\"}", "{\"a\":\"\xC3\xA9\"}"));
    CHECK(MENDS("a\xFF\xFE\"", "a??\""));
    CHECK(MENDS("\xE2\x82\"", "??\""));
    CHECK(MENDS("x\xE2\x82", "x??"));
    CHECK(MENDS("\xED\xA0\x80", "???"));
    CHECK(MENDS("\\\xFF", "\\?"));
}

TEST(halves_of_surrogate_pairs_are_replaced)
{
    CHECK(MENDS("\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""));
    CHECK(MENDS("\"\\ud83d\"", "\"\\ufffd\""));
    CHECK(MENDS("\"\\uD83D\\n\"", "\"\\ufffd\\n\""));
    CHECK(MENDS("\"\\ude00\\ud83d\"", "\"\\ufffd\\ufffd\""));
    CHECK(MENDS("\"\\ud83d\\u0041\"", "\"\\ufffd\\u0041\""));
    CHECK(MENDS("\\\\ud83d", "\\\\ud83d"));
    CHECK(MENDS("\\ud8", "\\ud8"));
    CHECK(MENDS("\\u", "\\u"));
    CHECK(MENDS("\\", "\\"));
}

/* In pieces of `piece` bytes. */
static char *trimmed(const char *text, size_t limit, size_t string_max, size_t depth_max, size_t piece)
{
    struct json_trim trim;
    size_t length = strlen(text);
    char *copy;

    json_trim_init(&trim, limit, string_max, depth_max);
    for (size_t at = 0; at < length; at += piece)
        json_trim_add(&trim, text + at, length - at < piece ? length - at : piece);
    copy = trim.overflowed ? xstrdup("overflowed") : xstrndup(trim.out.bytes, trim.out.length);
    json_trim_finish(&trim);
    return copy;
}

static bool trims_to(const char *text, size_t limit, size_t string_max, size_t depth_max,
                     const char *expected)
{
    for (size_t piece = 1; piece < 8; piece++) {
        char *found = trimmed(text, limit, string_max, depth_max, piece);
        bool same = strcmp(found, expected) == 0;
        free(found);
        if (!same)
            return false;
    }
    return true;
}

TEST(long_strings_are_cut_between_characters)
{
    CHECK(trims_to("{\"a\":\"1234567\"}", 100, 7, 9, "{\"a\":\"1234567\"}"));
    CHECK(trims_to("{\"a\":\"12345678\",\"b\":1}", 100, 7, 9, "{\"a\":\"1234567\",\"b\":1}"));
    CHECK(trims_to("[\"ab\\\"cd\"]", 100, 3, 9, "[\"ab\\\"\"]"));
    CHECK(trims_to("[\"abc\\\"d\"]", 100, 4, 9, "[\"abc\\\"\"]"));
    CHECK(trims_to("[\"ab\\u00e9cd\"]", 100, 3, 9, "[\"ab\\u00e9\"]"));
    CHECK(trims_to("[\"a\xE2\x82\xACz\"]", 100, 2, 9, "[\"a\xE2\x82\xAC\"]"));
    CHECK(trims_to("[\"abcd\\\\\",\"\\\\\"]", 100, 1, 9, "[\"a\",\"\\\\\"]"));
}

TEST(what_is_nested_becomes_null)
{
    CHECK(
        trims_to("{\"a\":{\"b\":[1,\"}\"]},\"c\":[],\"d\":2}", 100, 9, 1, "{\"a\":null,\"c\":null,\"d\":2}"));
    CHECK(trims_to("{\"a\":{\"b\":[1]}}", 100, 9, 2, "{\"a\":{\"b\":null}}"));
}

TEST(line_breaks_become_spaces_and_the_limit_holds)
{
    CHECK(trims_to("{\n \"a\": 1\r\n}", 100, 9, 9, "{  \"a\": 1  }"));
    CHECK(trims_to("[1,2,3]", 6, 9, 9, "overflowed"));
    CHECK(trims_to("]]]}}", 100, 9, 9, "]]]}}"));
}

TEST(any_bytes_are_survived_and_json_stays_json)
{
    static const char parts[] = "{}[]\",:\\u12dD8a \xC3\xA9\xFF\n";
    unsigned seed = 1;

    for (int i = 0; i < 3000; i++) {
        char text[64];
        json_t *before;
        size_t length = (seed = seed * 1103515245 + 12345) >> 16 & 63;
        for (size_t k = 0; k < length; k++)
            text[k] = parts[((seed = seed * 1103515245 + 12345) >> 16) % (sizeof parts - 1)];
        json_text_mend(text, length);
        before = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
        struct json_trim trim;
        json_trim_init(&trim, 1000, 3, 2);
        json_trim_add(&trim, text, length);
        if (before != NULL) {
            json_t *after =
                json_loadb(trim.out.bytes, trim.out.length, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
            CHECK(after != NULL);
            json_decref(after);
        }
        json_decref(before);
        json_trim_finish(&trim);
    }
}

TEST_MAIN
