#include <stdlib.h>

#include "base/buffer.h"
#include "test.h"

TEST(what_is_appended_is_there_and_ends_with_nul)
{
    struct buffer buffer;

    buffer_init(&buffer);
    CHECK_NUMBER(buffer.length, 0);
    buffer_append(&buffer, "ab\0c", 4);
    buffer_append_string(&buffer, "def");
    buffer_append_char(&buffer, 'g');
    buffer_append(&buffer, NULL, 0);
    CHECK_NUMBER(buffer.length, 8);
    CHECK(memcmp(buffer.bytes, "ab\0cdefg", 9) == 0);
    buffer_finish(&buffer);
    CHECK(buffer.bytes == NULL);
}

TEST(clearing_and_consuming_leave_a_string)
{
    struct buffer buffer = {0};

    buffer_clear(&buffer);
    buffer_append_string(&buffer, "abcdef");
    buffer_consume(&buffer, 0);
    CHECK_STRING(buffer.bytes, "abcdef");
    buffer_consume(&buffer, 2);
    CHECK_STRING(buffer.bytes, "cdef");
    CHECK_NUMBER(buffer.length, 4);
    buffer_consume(&buffer, 4);
    CHECK_STRING(buffer.bytes, "");
    buffer_append_string(&buffer, "xyz");
    buffer_clear(&buffer);
    CHECK_STRING(buffer.bytes, "");
    CHECK_NUMBER(buffer.length, 0);
    buffer_finish(&buffer);
}

TEST(printf_of_any_length)
{
    struct buffer buffer = {0};
    char text[1000];

    for (size_t length = 0; length < sizeof text; length += 7) {
        memset(text, 'x', length);
        text[length] = '\0';
        buffer_clear(&buffer);
        buffer_append_char(&buffer, '<');
        buffer_printf(&buffer, "%s|%d", text, -5);
        CHECK_NUMBER(buffer.length, length + 4);
        CHECK_STRING(buffer.bytes + 1 + length, "|-5");
        buffer_finish(&buffer);
    }
}

TEST(numbers)
{
    struct buffer buffer = {0};

    buffer_append_number(&buffer, 0);
    buffer_append_char(&buffer, ' ');
    buffer_append_number(&buffer, 18446744073709551615u);
    CHECK_STRING(buffer.bytes, "0 18446744073709551615");
    buffer_finish(&buffer);
}

TEST(stealing)
{
    struct buffer buffer = {0};
    char *bytes = buffer_steal(&buffer);

    CHECK_STRING(bytes, "");
    free(bytes);
    buffer_append_string(&buffer, "kept");
    bytes = buffer_steal(&buffer);
    CHECK_STRING(bytes, "kept");
    CHECK(buffer.bytes == NULL && buffer.length == 0 && buffer.capacity == 0);
    free(bytes);
}

TEST(reserved_room_can_be_written)
{
    struct buffer buffer = {0};

    buffer_append_string(&buffer, "head");
    memset(buffer_reserve(&buffer, 100000), 'y', 100000);
    buffer.length += 100000;
    buffer_append_char(&buffer, '!');
    CHECK_NUMBER(buffer.length, 100005);
    CHECK(memcmp(buffer.bytes, "heady", 5) == 0 && buffer.bytes[100004] == '!');
    buffer_finish(&buffer);
}

TEST_MAIN
