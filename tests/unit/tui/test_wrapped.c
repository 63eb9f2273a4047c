#include "tui/wrapped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* The lines, joined with "|". */
static const char *wrap(const char *text, int cols)
{
    static char out[4096];
    struct wrapped wrapped = {0};
    size_t used = 0;

    wrapped_set(&wrapped, text, cols);
    out[0] = '\0';
    for (size_t i = 0; i < wrapped.count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%.*s", i == 0 ? "" : "|",
                                 (int)wrapped.lines[i].length, wrapped.text + wrapped.lines[i].start);
    wrapped_finish(&wrapped);
    return out;
}

TEST(lines_are_kept)
{
    CHECK_STRING(wrap("", 10), "");
    CHECK_STRING(wrap("one", 10), "one");
    CHECK_STRING(wrap("one\n\n  two\n", 10), "one||  two");
}

TEST(long_lines_break_after_a_blank_or_anywhere)
{
    CHECK_STRING(wrap("rm -rf build dist", 10), "rm -rf |build dist");
    CHECK_STRING(wrap("0123456789abcdef", 10), "0123456789|abcdef");
    CHECK_STRING(wrap("a 0123456789abcdef", 10), "a 01234567|89abcdef");
    CHECK_STRING(wrap("0123456789", 10), "0123456789");
}

TEST(wide_characters_are_not_cut)
{
    CHECK_STRING(wrap("漢字漢字漢", 5), "漢字|漢字|漢");
    CHECK_STRING(wrap("漢字", 1), "漢|字");
}

TEST(nothing_is_hidden)
{
    CHECK_STRING(wrap("a\tb", 10), "a    b");
    CHECK_STRING(wrap("rm\x1b[2Kls\r", 20), "rm\uFFFD[2Kls\uFFFD");
    CHECK_STRING(wrap("a\u202Eb\u2066c", 10), "a\uFFFDb\uFFFDc");
    CHECK_STRING(wrap("a\xff\xe6\xbc", 10), "a\uFFFD\uFFFD");
}

TEST(the_same_again_costs_nothing)
{
    struct wrapped wrapped = {0};
    const char *text;

    wrapped_set(&wrapped, "some words", 20);
    text = wrapped.text;
    wrapped_set(&wrapped, "some words", 20);
    CHECK(wrapped.text == text);
    wrapped_set(&wrapped, "some words", 6);
    CHECK_NUMBER(wrapped.count, 2);
    wrapped_set(&wrapped, "", 6);
    CHECK_NUMBER(wrapped.count, 0);
    wrapped_finish(&wrapped);
}

TEST_MAIN
