#include "host/typed.h"

#include "test.h"

static struct typed_keys scan(struct typed *typed, const char *text)
{
    return typed_scan(typed, text, strlen(text));
}

TEST(text_is_unsent_until_enter)
{
    struct typed typed = {0};

    CHECK(scan(&typed, "ab").text);
    CHECK(typed.unsent);
    CHECK(scan(&typed, "\r").enter);
    CHECK(!typed.unsent);
    scan(&typed, "ab\x15");
    CHECK(!typed.unsent);
    CHECK(scan(&typed, "a\x03").interrupt);
    CHECK(!typed.unsent);
}

TEST(reports_and_cursor_keys_are_no_text)
{
    static const char *const sequences[] = {"\x1b[A", "\x1bOB",          "\x1b[I",
                                            "\x1b[O", "\x1b[<35;10;20M", "\x1b[1;5D"};

    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        struct typed typed = {0};
        struct typed_keys keys = scan(&typed, sequences[i]);
        CHECK(!typed.unsent && !keys.text && !keys.escape && !keys.enter);
    }
}

TEST(escape_is_a_key_when_nothing_follows)
{
    struct typed typed = {0};

    CHECK(scan(&typed, "\x1b").escape);
    CHECK(!scan(&typed, "\x1b[A").escape);
    CHECK(scan(&typed, "x").text);
}

TEST(pasted_text_is_unsent)
{
    struct typed typed = {0};

    scan(&typed, "\x1b[200~pasted\x1b[201~");
    CHECK(typed.unsent);
}

TEST(escaped_return_is_a_line_break)
{
    struct typed typed = {0};

    CHECK(!scan(&typed, "\x1b\r").enter);
    CHECK(typed.unsent);
}

TEST(sequences_may_come_in_pieces)
{
    struct typed typed = {0};

    scan(&typed, "\x1b[");
    scan(&typed, "1;2");
    scan(&typed, "A");
    CHECK(!typed.unsent);
}

TEST_MAIN
