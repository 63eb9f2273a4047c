#include <locale.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "cli/search_literals.h"
#include "cli/search_pattern.h"
#include "test.h"

static char *literals_of(const char *expression, bool ignore_case)
{
    struct search_literals literals = {.count = 0};
    struct buffer out = {0};
    struct error error;

    buffer_append_string(&out, "");
    if (search_literals_find(&literals, expression, ignore_case, &error) < 0)
        buffer_append_string(&out, error.text);
    for (size_t i = 0; i < literals.count; i++)
        buffer_printf(&out, "%s%.*s", i > 0 ? "," : "", (int)literals.items[i].length,
                      literals.items[i].bytes);
    search_literals_finish(&literals);
    return buffer_steal(&out);
}

TEST(texts_that_must_be_there)
{
    static const struct {
        const char *expression, *literals;
    } cases[] = {
        {"error", "error"},
        {"err.*failed", "failed"},
        {"colou?r", "colo"},
        {"ab+c", "ab"},
        {"ab*cde", "cde"},
        {"ab{0}cde", "cde"},
        {"ab{,2}cde", "cde"},
        {"ab{2}c", "ab"},
        {"(error|warning): x", "error,warning"},
        {"(e|w) failure", " failure"},
        {"(error)?abc", "abc"},
        {"(error){0,1}a", "a"},
        {"a|b|", ""},
        {"foo|bar", "foo,bar"},
        {"foo|[b]ar", "foo,ar"},
        {"foo|[bar]", ""},
        {"[]a]bc[^]x]", "bc"},
        {"[[:alpha:]]]x", "]x"},
        {"\\.rs\\b", ".rs"},
        {"\\w+abc\\(", "abc("},
        {"a|*b", "a,b"},
        {"x{y", "x"},
        {"(((deep)))", "deep"},
        {"(a)\\1", "it refers back (\\1): this is not searched for"},
        {"((a{100}){100}){100}",
         "it repeats too much: its repetitions, multiplied, make more than 10000 characters"},
        {"(((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+",
         "it repeats too much: its repetitions, multiplied, make more than 10000 characters"},
        {"caf\xC3\xA9s", "caf\xC3\xA9s"},
        {"caf\xC3\xA9*s", "caf"},
        {"", ""},
        {")a", ")a"},
        {"(a", "a"},
        {"a\\", "a\\"},
        {"[", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *found = literals_of(cases[i].expression, false);
        CHECK_STRING(found, cases[i].literals);
        free(found);
    }
}

TEST(texts_without_regard_to_case)
{
    char *found = literals_of("ERR\xC3\x89or", true);

    CHECK_STRING(found, "err");
    free(found);
}

TEST(matching)
{
    static const struct {
        const char *pattern, *line;
        bool fixed, ignore_case, found;
    } cases[] = {
        {"a.c", "xabcx", false, false, true},
        {"a.c", "xabcx", true, false, false},
        {"a.c", "xa.cx", true, false, true},
        {"ERROR", "an error", false, false, false},
        {"ERROR", "an error", false, true, true},
        {"e[r]ror", "an ERROR", false, true, true},
        {"\xC3\x89t\xC3\xA9", "un \xC3\xA9t\xC3\xA9", true, true, true},
        {"foo|bar", "a barn", false, false, true},
        {"(foo|bar){2}", "foobar", false, false, true},
        {"^x+$", "xxx", false, false, true},
        {"a\\|b", "a|b", false, false, true},
        {"a|b(c)", "a|b(c)", true, false, true},
        {"longer than the line", "line", false, false, false},
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        struct search_pattern *pattern =
            search_pattern_create(cases[i].pattern, cases[i].fixed, cases[i].ignore_case, &error);
        CHECK(pattern != NULL);
        if (search_pattern_matches(pattern, cases[i].line, strlen(cases[i].line)) != cases[i].found)
            TEST_FAIL("%s in %s", cases[i].pattern, cases[i].line);
        search_pattern_destroy(pattern);
    }
}

TEST(places)
{
    struct error error;
    struct search_pattern *pattern = search_pattern_create("^o|o", false, false, &error);
    size_t start, end;

    CHECK(search_pattern_find(pattern, "oxo", 0, &start, &end));
    CHECK_NUMBER(start, 0);
    CHECK(search_pattern_find(pattern, "oxo", 1, &start, &end));
    CHECK_NUMBER(start, 2);
    CHECK_NUMBER(end, 3);
    CHECK(!search_pattern_find(pattern, "oxo", 3, &start, &end));
    search_pattern_destroy(pattern);
}

TEST(what_is_no_pattern)
{
    static const char *const cases[] = {"(", "[", "", "a\\",
                                        "((((((((((((((((((((((((((((((((((((((((((((((((((((x"};
    struct error error;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(search_pattern_create(cases[i], false, false, &error) == NULL);
        CHECK(error.text[0] != '\0');
    }
}

TEST_MAIN
