#include "config/key_path.h"
#include "config/nearest.h"
#include "test.h"

static const char text[] =
    "\n{ \"a\" :\n  {\"x}\\\"\": [1,\n 2, {\"deep\":\n true}],\n  \"\\u0062\": null},\n"
    " \"list\": [\n  \"one\",\n  []\n ]\n}\n";

TEST(line_of_a_key)
{
    struct key_path path = {.depth = 0};

    CHECK_NUMBER(key_path_line(&path, text), 2);
    key_path_push_key(&path, "a");
    CHECK_NUMBER(key_path_line(&path, text), 2);
    key_path_push_key(&path, "x}\"");
    CHECK_NUMBER(key_path_line(&path, text), 3);
    key_path_push_index(&path, 1);
    CHECK_NUMBER(key_path_line(&path, text), 4);
    key_path_pop(&path);
    key_path_push_index(&path, 2);
    key_path_push_key(&path, "deep");
    CHECK_NUMBER(key_path_line(&path, text), 4);
    key_path_pop(&path);
    key_path_pop(&path);
    key_path_pop(&path);
    key_path_push_key(&path, "b");
    CHECK_NUMBER(key_path_line(&path, text), 6);
    key_path_pop(&path);
    key_path_pop(&path);
    key_path_push_key(&path, "list");
    key_path_push_index(&path, 1);
    CHECK_NUMBER(key_path_line(&path, text), 9);
    key_path_push_key(&path, "none");
    CHECK_NUMBER(key_path_line(&path, text), 9);
}

TEST(printing)
{
    struct key_path path = {.depth = 0};
    struct buffer out = {0};

    key_path_push_key(&path, "a-b");
    key_path_push_key(&path, "c d\n");
    key_path_push_index(&path, 3);
    key_path_push_key(&path, "e");
    key_path_print(&path, &out);
    CHECK_STRING(out.bytes, "a-b[\"c d\\n\"][3].e");
    buffer_finish(&out);
}

TEST(a_path_that_is_too_deep_is_kept_in_part)
{
    struct key_path path = {.depth = 0};
    struct buffer out = {0};

    for (int i = 0; i < KEY_PATH_MAX + 5; i++)
        key_path_push_index(&path, 0);
    key_path_print(&path, &out);
    CHECK_NUMBER(out.length, 3 * KEY_PATH_MAX);
    for (int i = 0; i < KEY_PATH_MAX + 5; i++)
        key_path_pop(&path);
    CHECK_NUMBER(path.depth, 0);
    buffer_finish(&out);
}

TEST(nearest_word)
{
    static const struct {
        const char *word, *expected;
    } cases[] = {
        {"timeuots", "timeouts"},
        {"timeout", "timeouts"},
        {"theem", "theme"},
        {"x", NULL},
        {"", NULL},
        {"themes", "theme"},
        {"key", "keys"},
        {"completely different thing", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nearest nearest = {.word = cases[i].word};
        nearest_offer(&nearest, "timeouts");
        nearest_offer(&nearest, "theme");
        nearest_offer(&nearest, "keys");
        if (cases[i].expected == NULL)
            CHECK(nearest.best == NULL);
        else
            CHECK_STRING(nearest.best, cases[i].expected);
    }
}

TEST_MAIN
