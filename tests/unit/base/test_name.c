#include <stdlib.h>

#include "base/name.h"
#include "test.h"

#define UUID "01234567-89ab-4cde-8f01-23456789abcd"

TEST(names)
{
    static const char *const good[] = {"a",
                                       "7",
                                       "api-fix",
                                       "A.b_c-9",
                                       "x..",
                                       UUID "x",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    static const char *const bad[] = {"",
                                      ".",
                                      "-a",
                                      "_a",
                                      "a b",
                                      "a/b",
                                      "a\n",
                                      "\xC3\xA9",
                                      "a\xC3\xA9",
                                      UUID,
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!name_valid(good[i]))
            TEST_FAIL("refused: %s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (name_valid(bad[i]))
            TEST_FAIL("accepted: %s", bad[i]);
    }
}

TEST(uuids)
{
    char first[UUID_SIZE], second[UUID_SIZE];

    CHECK(uuid_valid(UUID));
    CHECK(uuid_valid("01234567-89AB-4CDE-8F01-23456789ABCD"));
    CHECK(!uuid_valid(""));
    CHECK(!uuid_valid("01234567-89ab-4cde-8f01-23456789abc"));
    CHECK(!uuid_valid("01234567-89ab-4cde-8f01-23456789abcde"));
    CHECK(!uuid_valid("01234567089ab-4cde-8f01-23456789abcd"));
    CHECK(!uuid_valid("g1234567-89ab-4cde-8f01-23456789abcd"));
    for (int i = 0; i < 100; i++) {
        uuid_generate(first);
        uuid_generate(second);
        CHECK(uuid_valid(first));
        CHECK_NUMBER(first[14], '4');
        CHECK(strchr("89ab", first[19]) != NULL);
        CHECK(strcmp(first, second) != 0);
        CHECK(!name_valid(first));
    }
}

TEST(a_hint_names_the_session)
{
    char *text = name_in_hint("it stays: `ganger snapshot`; `ganger retry` or `ganger ls`", "api");

    CHECK_STRING(text, "it stays: `ganger snapshot api`; `ganger retry api` or `ganger ls`");
    free(text);
    text = name_in_hint("", "api");
    CHECK_STRING(text, "");
    free(text);
    CHECK(name_in_hint(NULL, "api") == NULL);
}

TEST_MAIN
