#include <stdlib.h>

#include "base/buffer.h"
#include "store/recording_text.h"
#include "test.h"

static int add(void *argument, const char *bytes, size_t length)
{
    buffer_append_char(argument, '<');
    buffer_append(argument, bytes, length);
    buffer_append_char(argument, '>');
    return bytes[length] == '\0' ? 0 : 1;
}

/* The lines of `bytes`, fed in pieces. */
static char *lines_of(const char *bytes, size_t length, size_t piece)
{
    struct recording_text text;
    struct buffer out = {0};

    recording_text_init(&text);
    buffer_append_string(&out, "");
    for (size_t at = 0; at < length; at += piece)
        (void)recording_text_feed(&text, bytes + at, length - at < piece ? length - at : piece, add, &out);
    (void)recording_text_end(&text, add, &out);
    recording_text_finish(&text);
    return buffer_steal(&out);
}

TEST(text_without_sequences)
{
    static const struct {
        const char *bytes, *lines;
    } cases[] = {
        {"one\r\ntwo\nthree", "<one><two><three>"},
        {"\n \n\r\n   \r\n", ""},
        {"\033[1;31mer\033[0mror\033[K\r\n", "<error>"},
        {"\033]0;a title\ax\033]8;;http://x\033\\link\033]8;;\033\\", "<xlink>"},
        {"\033Pq#0\033\\a\033_Gi\033\\b", "<ab>"},
        {"\033(Ba\033=b\033>c", "<abc>"},
        {"two\033[1Cwords\033[5Cmore", "<two words more>"},
        {"up\033[Adown\033[3Bhere", "<up><down><here>"},
        {"\033[2;3Hfoo\033[2;9Hbar\033[3;1Hbaz\033[3;1Hbah", "<foo bar><baz><bah>"},
        {"10%\r20%\r30%\n", "<10%><20%><30%>"},
        {"abc\b\bxy", "<axy>"},
        {"\xC3\xA9\xE4\xB8\xAD\bz", "<\xC3\xA9z>"},
        {"old\r\033[Knew\r\033[2Kmore", "<old><new><more>"},
        {"old\033[2Knew", "<old><new>"},
        {"a\033[?25lb\033[?1049hc\033[?2026hd", "<ab><cd>"},
        {"a\tb\t\tc", "<a b c>"},
        {"a\001\002\177b\033\030c", "<abc>"},
        {"\033]0;never ended", ""},
        {"a\033[31", "<a>"},
        {"\033[;5Hx\033[1;99999999999999999999Hy", "<x y>"},
        {"\033[38;2;1;2;3;4;5mx\033[48:2::1:2:3my", "<xy>"},
        {"one\033cnew\0338x\033Mz", "<one><new><x><z>"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 1; piece < 40; piece += 6) {
            char *found = lines_of(cases[i].bytes, strlen(cases[i].bytes), piece);
            CHECK_STRING(found, cases[i].lines);
            free(found);
        }
    }
}

static int count_longest(void *argument, const char *bytes, size_t length)
{
    size_t *longest = argument;

    if (length > *longest)
        *longest = length;
    return (unsigned char)bytes[0] == 0xC3 ? 0 : 1;
}

TEST(long_lines_are_given_in_parts)
{
    struct recording_text text;
    struct buffer bytes = {0};
    size_t longest = 0;

    recording_text_init(&text);
    for (int i = 0; i < 10000; i++)
        buffer_append_string(&bytes, "\xC3\xA9");
    CHECK_NUMBER(recording_text_feed(&text, bytes.bytes, bytes.length, count_longest, &longest), 0);
    CHECK_NUMBER(recording_text_end(&text, count_longest, &longest), 0);
    CHECK_NUMBER(longest, RECORDING_LINE_MAX);
    recording_text_finish(&text);
    buffer_finish(&bytes);
}

static int stop(void *argument, const char *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    return ++*(int *)argument == 2 ? 7 : 0;
}

TEST(a_line_can_end_the_feeding)
{
    struct recording_text text;
    int count = 0;

    recording_text_init(&text);
    CHECK_NUMBER(recording_text_feed(&text, "a\nb\nc\nd\n", 8, stop, &count), 7);
    CHECK_NUMBER(count, 2);
    recording_text_finish(&text);
}

TEST_MAIN
