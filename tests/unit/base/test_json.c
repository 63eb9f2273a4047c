#include <stdlib.h>

#include "base/json.h"
#include "test.h"

static bool quotes_to(const char *bytes, size_t length, const char *expected)
{
    struct buffer out = {0};
    bool same;

    json_append_quoted(&out, bytes, length);
    same = strcmp(out.bytes, expected) == 0 && out.length == strlen(expected);
    buffer_finish(&out);
    return same;
}

TEST(quoting)
{
    CHECK(quotes_to("", 0, "\"\""));
    CHECK(quotes_to("a\"\\/", 4, "\"a\\\"\\\\/\""));
    CHECK(quotes_to("\n\r\t\b\0\x1B\x7F", 7, "\"\\n\\r\\t\\u0008\\u0000\\u001b\\u007f\""));
    CHECK(quotes_to("\xC3\xA9\xE2\x82\xAC", 5, "\"\xC3\xA9\xE2\x82\xAC\""));
    CHECK(quotes_to("\xFF\xE2\x82x\xC3", 5, "\"\xEF\xBF\xBD\xEF\xBF\xBDx\xEF\xBF\xBD\""));
}

TEST(every_byte_can_be_read_back)
{
    for (unsigned first = 0; first < 256; first++) {
        char bytes[3] = {'x', (char)first, 'y'};
        struct buffer out = {0};
        json_t *value;
        json_append_quoted(&out, bytes, sizeof bytes);
        value = json_loadb(out.bytes, out.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        CHECK(value != NULL);
        CHECK_NUMBER(json_string_length(value), first < 0x80 ? 3 : 5);
        json_decref(value);
        buffer_finish(&out);
    }
}

TEST(members_of_other_types_give_the_fallback)
{
    json_t *object = json_loads("{\"s\":\"x\",\"i\":7,\"r\":1.5,\"b\":true,\"n\":null}", 0, NULL);

    CHECK_STRING(json_member_string(object, "s", "f"), "x");
    CHECK_STRING(json_member_string(object, "i", "f"), "f");
    CHECK_STRING(json_member_string(object, "none", "f"), "f");
    CHECK_STRING(json_member_string(NULL, "s", "f"), "f");
    CHECK_NUMBER(json_member_integer(object, "i", 1), 7);
    CHECK_NUMBER(json_member_integer(object, "r", 1), 1);
    CHECK_NUMBER(json_member_number(object, "r", 0) * 2, 3);
    CHECK_NUMBER(json_member_number(object, "i", 0), 7);
    CHECK_NUMBER(json_member_bool(object, "b", 0), 1);
    CHECK_NUMBER(json_member_bool(object, "n", 0), 0);
    json_decref(object);
}

TEST(strings_and_times_or_null)
{
    json_t *array = json_array();
    struct buffer out = {0};

    json_array_append_new(array, json_string_or_null(NULL));
    json_array_append_new(array, json_string_or_null("a\xFF"));
    json_array_append_new(array, json_time_or_null(0));
    json_array_append_new(array, json_time_or_null(1));
    json_append_value(&out, array);
    CHECK_STRING(out.bytes, "[null,\"a\xEF\xBF\xBD\",null,\"1970-01-01T00:00:00.001Z\"]");
    buffer_finish(&out);
    json_decref(array);
}

TEST(base64_of_the_rfc)
{
    static const struct {
        const char *plain, *coded;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out = {0};
        char back[16];
        base64_append(&out, cases[i].plain, strlen(cases[i].plain));
        CHECK_STRING(out.bytes, cases[i].coded);
        CHECK_NUMBER(base64_decode(out.bytes, out.length, back), strlen(cases[i].plain));
        CHECK(memcmp(back, cases[i].plain, strlen(cases[i].plain)) == 0);
        buffer_finish(&out);
    }
}

TEST(base64_of_all_bytes_and_of_garbage)
{
    static const char *const bad[] = {
        "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zg=a", "Z*9v", "Zm9v\n", "=m9v", "Zm\0v"};
    unsigned char bytes[256];
    char back[400];
    struct buffer out = {0};

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    base64_append(&out, bytes, sizeof bytes);
    CHECK_NUMBER(base64_decode(out.bytes, out.length, back), sizeof bytes);
    CHECK(memcmp(back, bytes, sizeof bytes) == 0);
    buffer_finish(&out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_NUMBER(base64_decode(bad[i], i == 9 ? 4 : strlen(bad[i]), back), -1);
}

TEST_MAIN
