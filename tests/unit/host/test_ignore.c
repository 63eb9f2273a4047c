#include "host/ignore.h"

#include <stdlib.h>

#include "test.h"

/* Patterns, a path (of a folder when it ends with a slash), and what they say: + included, - ignored, else undecided.
 * git check-ignore --no-index agrees with each whose folders are not ignored themselves. */
static const struct {
    const char *text, *path;
    char verdict;
} cases[] = {
    /* names match at any depth, with / at the front or within only from here */
    {"foo", "foo", '-'},
    {"foo", "a/b/foo", '-'},
    {"foo", "foo/", '-'},
    {"foo", "food", 0},
    {"foo", "a/foo/b", 0},
    {"/foo", "foo", '-'},
    {"/foo", "a/foo", 0},
    {"a/foo", "a/foo", '-'},
    {"a/foo", "b/a/foo", 0},
    {"/a/foo", "a/foo", '-'},
    /* folders only */
    {"foo/", "foo", 0},
    {"foo/", "foo/", '-'},
    {"foo/", "a/foo/", '-'},
    {"a/foo/", "a/foo/", '-'},
    {"a/foo/", "b/a/foo/", 0},
    {"/foo/", "a/foo/", 0},
    /* stars and question marks stay within a component */
    {"*.o", "x.o", '-'},
    {"*.o", "a/b/x.o", '-'},
    {"*.o", ".o", '-'},
    {"*.o", "x.on", 0},
    {"a/*.o", "a/x.o", '-'},
    {"a/*.o", "a/b/x.o", 0},
    {"/*", "x", '-'},
    {"/*", "a/x", 0},
    {"*", "a/b/c", '-'},
    {"a?c", "abc", '-'},
    {"a?c", "ac", 0},
    {"a/?", "a/b", '-'},
    {"a?b", "a/b", 0},
    {"a*b*c", "aXbYbZc", '-'},
    {"a*b*c", "aXbYbZ", 0},
    {"*a", "aaaaaaaaaaaaaaaaaaaaaaaab", 0},
    {"*a*a*a*a*a*a*a*a*a*a*a*a*c", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 0},
    {"a*", "a", '-'},
    {"a**", "abc", '-'},
    {"a**c", "abbc", '-'},
    {"a**/c", "ab/c", '-'},
    /* ** */
    {"**/foo", "foo", '-'},
    {"**/foo", "a/b/foo", '-'},
    {"**/foo", "a/b/foot", 0},
    {"**/foo/bar", "foo/bar", '-'},
    {"**/foo/bar", "a/foo/bar", '-'},
    {"**/foo/bar", "foo/a/bar", 0},
    {"foo/**", "foo/a/b", '-'},
    {"foo/**", "foo/", 0},
    {"foo/**", "foo", 0},
    {"foo/**", "a/foo/b", 0},
    {"foo/**/", "foo/a/", '-'},
    {"foo/**/", "foo/a", 0},
    {"a/**/b", "a/b", '-'},
    {"a/**/b", "a/x/b", '-'},
    {"a/**/b", "a/x/y/b", '-'},
    {"a/**/b", "a/x/y/c", 0},
    {"a/**/b", "ab", 0},
    {"a/**/b/**", "a/b", 0},
    {"a/**/b/**", "a/x/b/y", '-'},
    {"a/**/b/*/c", "a/b/b/x/c", '-'},
    {"a/**/**/b", "a/b", '-'},
    {"**", "a/b", '-'},
    {"/**", "a/b", '-'},
    {"**/", "a/b/", '-'},
    {"**/", "a/b", 0},
    {"**/*.c/**", "a/x.c/b", '-'},
    {"a/***/b", "a/x/y/b", '-'},
    /* sets */
    {"[abc]", "b", '-'},
    {"[abc]", "d", 0},
    {"[a-c]x", "bx", '-'},
    {"[!a-c]x", "bx", 0},
    {"[!a-c]x", "dx", '-'},
    {"[^a-c]x", "dx", '-'},
    {"[]x]", "]", '-'},
    {"[!]x]", "]", 0},
    {"[a-]", "-", '-'},
    {"[\\]]", "]", '-'},
    {"[\\a-c]", "b", '-'},
    {"[[:digit:]]x", "7x", '-'},
    {"[[:digit:]]x", "ax", 0},
    {"[[:digit:][:upper:]_]x", "_x", '-'},
    {"[![:digit:]]x", "7x", 0},
    {"[[:nope:]]x", "7x", 0},
    {"[[:digit]x", "gx", '-'},
    {"x[ab", "x[ab", 0},
    {"a[/]b", "a/b", 0},
    {"x[ab]/y", "xa/y", '-'},
    {"*[0-9]", "a5b6", '-'},
    {"*[0-9]z", "a5b6", 0},
    /* backslashes */
    {"\\#x", "#x", '-'},
    {"\\!x", "!x", '-'},
    {"a\\*b", "a*b", '-'},
    {"a\\*b", "axb", 0},
    {"a\\\\b", "a\\b", '-'},
    {"a\\", "a", 0},
    {"a\\", "a\\", 0},
    {"a\\bc", "abc", '-'},
    /* comments, blanks, line ends */
    {"#x", "#x", 0},
    {"\n\n   \nx", "x", '-'},
    {"x   ", "x", '-'},
    {"x\\ ", "x ", '-'},
    {"x\\  ", "x ", '-'},
    {"x\\ ", "x", 0},
    {" x", " x", '-'},
    {" x", "x", 0},
    {"x y", "x y", '-'},
    {"x\t", "x", 0},
    {"x\r\ny\r\n", "x", '-'},
    {"x\r\ny\r\n", "y", '-'},
    {"\xEF\xBB\xBFx", "x", '-'},
    /* the last one that matches decides */
    {"*.c\n!keep.c", "x.c", '-'},
    {"*.c\n!keep.c", "keep.c", '+'},
    {"*.c\n!keep.c", "a/keep.c", '+'},
    {"!keep.c\n*.c", "keep.c", '-'},
    {"/*\n!/a", "a", '+'},
    {"/*\n!/a", "b", '-'},
    {"*\n!*/\n!*.c", "a/", '+'},
    {"*\n!*/\n!*.c", "a/b.c", '+'},
    {"*\n!*/\n!*.c", "a/b.o", '-'},
    {"!/a/b", "a/b", '+'},
    /* nothing but punctuation */
    {"/", "a", 0},
    {"!", "a", 0},
    {"", "a", 0},
    {"!!a", "!a", '+'},
    /* bytes are bytes */
    {"\xC3\xBC*", "\xC3\xBCx", '-'},
    {"?x", "\xC3\xBCx", 0},
    {"??x", "\xC3\xBCx", '-'},
};

static enum ignore_verdict verdict_of(const char *text, size_t length, const char *path)
{
    struct ignore *ignore = ignore_parse(text, length);
    char bare[256];
    size_t size = strlen(path);
    enum ignore_verdict verdict;
    bool folder = size > 0 && path[size - 1] == '/';

    (void)snprintf(bare, sizeof bare, "%.*s", (int)(size - folder), path);
    verdict = ignore_match(ignore, bare, folder);
    ignore_destroy(ignore);
    return verdict;
}

TEST(patterns_say_what_git_says)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum ignore_verdict verdict = verdict_of(cases[i].text, strlen(cases[i].text), cases[i].path);
        enum ignore_verdict expected = cases[i].verdict == '+'   ? IGNORE_INCLUDED
                                       : cases[i].verdict == '-' ? IGNORE_IGNORED
                                                                 : IGNORE_UNDECIDED;
        if (verdict != expected)
            TEST_FAIL("case %zu: \"%s\" says %d of %s, not %d", i, cases[i].text, verdict, cases[i].path,
                      expected);
    }
}

TEST(hostile_files_are_bounded)
{
    size_t length = 300000;
    char *text = malloc(length);

    memset(text, '*', length);
    CHECK_NUMBER(verdict_of(text, length, "a"), IGNORE_UNDECIDED);
    for (size_t i = 0; i < length; i++)
        text[i] = "a\n"[i % 2];
    CHECK_NUMBER(verdict_of(text, length, "a"), IGNORE_IGNORED);
    for (size_t i = 0; i < length; i++)
        text[i] = "**/"[i % 3];
    CHECK_NUMBER(verdict_of(text, 1022, "a/a/a/a/a/a/a/a/a/a/a/a/a"), IGNORE_IGNORED);
    memset(text, '[', length);
    CHECK_NUMBER(verdict_of(text, 1000, "["), IGNORE_UNDECIDED);
    memset(text, '\0', length);
    CHECK_NUMBER(verdict_of(text, length, "a"), IGNORE_UNDECIDED);
    free(text);
}

TEST(no_file_decides_nothing)
{
    CHECK(ignore_parse("", 0) == NULL);
    CHECK(ignore_parse("# only a comment\n", 17) == NULL);
    CHECK_NUMBER(ignore_match(NULL, "a", false), IGNORE_UNDECIDED);
    ignore_destroy(NULL);
}

TEST_MAIN
