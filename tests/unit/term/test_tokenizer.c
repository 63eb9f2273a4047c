#include "base/memory.h"
#include "input_text.h"
#include "test.h"

struct input_case {
    const char *bytes;
    const char *events;
};

static const struct input_case keys[] = {
    {"a", "a"},
    {"A1~ ", "A 1 ~ Space"},
    {"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x9f\xa2", "\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x9f\xa2"},
    {"\x01\x02\x08\t\n\r\x1a", "C-a C-b C-h Tab C-j Enter C-z"},
    {"\x1c\x1d\x1e\x1f\x7f", "C-\\ C-] C-^ C-_ BSpace"},
    {"\033", "Escape"},
    {"\033\033", "Escape Escape"},
    {"\033\033\033", "Escape Escape Escape"},
    {"\033a\033A\033 ", "M-a M-A M-Space"},
    {"\033\x01\033\r\033\t\033\x7f\033\x08", "C-M-a M-Enter M-Tab M-BSpace C-M-h"},
    {"\033\xc3\xa9", "M-\xc3\xa9"},
    {"\033[", "M-["},
    {"\033O", "M-O"},
    {"\033P", "M-P"},
    {"\033]", "M-]"},
    {"\033_", "M-_"},
    {"\033X\033^\033N", "M-X M-^ M-N"},
    {"\033]x\033Pq\033_a", "M-] x M-P q M-_ a"},
    {"\033\033[", "Escape M-["},
    {"\033\033]", "Escape M-]"},
    {"\033\033x", "Escape M-x"},
    {"\033[\r", "M-[ Enter"},
    {"\033O\033[A", "M-O Up"},
    /* xterm */
    {"\033[A\033[B\033[C\033[D\033[H\033[F", "Up Down Right Left Home End"},
    {"\033OA\033OB\033OC\033OD\033OH\033OF", "Up Down Right Left Home End"},
    {"\033OP\033OQ\033OR\033OS", "F1 F2 F3 F4"},
    {"\033[2~\033[3~\033[5~\033[6~", "IC DC PPage NPage"},
    {"\033[15~\033[17~\033[18~\033[19~\033[20~\033[21~\033[23~\033[24~", "F5 F6 F7 F8 F9 F10 F11 F12"},
    {"\033[25~\033[26~\033[28~\033[29~\033[31~\033[32~\033[33~\033[34~", "F13 F14 F15 F16 F17 F18 F19 F20"},
    {"\033[1;2A\033[1;3A\033[1;4A\033[1;5A\033[1;6A", "S-Up M-Up M-S-Up C-Up C-S-Up"},
    {"\033[1;7A\033[1;8A\033[1;9A", "C-M-Up C-M-S-Up s-Up"},
    {"\033[1;2P\033[1;5R\033[1;6S\033[15;5~\033[3;2~", "S-F1 C-F3 C-S-F4 C-F5 S-DC"},
    {"\033[Z\033[1;5Z", "BTab C-BTab"},
    {"\033O5A\033O2P\033[5A", "C-Up S-F1 C-Up"},
    /* VT220, rxvt, the Linux console */
    {"\033[1~\033[4~\033[7~\033[8~", "Home End Home End"},
    {"\033[11~\033[12~\033[13~\033[14~", "F1 F2 F3 F4"},
    {"\033[a\033[b\033[c\033[d\033Oa\033Od", "S-Up S-Down S-Right S-Left C-Up C-Left"},
    {"\033[3$\033[5^\033[6@\033[23$", "S-DC C-PPage C-S-NPage S-F11"},
    {"\033[[A\033[[E", "F1 F5"},
    {"\033\033[A\033\033OB\033\033[3~", "M-Up M-Down M-DC"},
    {"\033OM\033Op\033Oy\033Ok\033Oj\033OX", "KPEnter 0 9 + * ="},
    /* modifyOtherKeys */
    {"\033[27;2;13~\033[27;5;9~\033[27;6;9~\033[27;5;13~", "S-Enter C-Tab C-BTab C-Enter"},
    {"\033[27;5;97~\033[27;6;65~\033[27;3;97~\033[27;4;65~", "C-a C-S-a M-a M-A"},
    {"\033[27;5;46~\033[27;6;63~\033[27;2;32~\033[27;5;127~", "C-. C-? S-Space C-BSpace"},
    {"\033[27;5;27~\033[27;5;64~\033[27;3;233~", "C-Escape C-Space M-\xc3\xa9"},
    /* kitty */
    {"\033[27u\033[97;5u\033[97;6u\033[97;3u\033[97;4u", "Escape C-a C-S-a M-a M-A"},
    {"\033[13;2u\033[9;5u\033[9;2u\033[127;5u\033[32;5u", "S-Enter C-Tab BTab C-BSpace C-Space"},
    {"\033[97;2u\033[97u\033[97;9u\033[233;2u", "A a s-a \xc3\x89"},
    {"\033[97;69u\033[97;133u\033[97;65u", "C-a C-a a"},
    {"\033[97;5:1u\033[97;5:2u\033[97;5:3u\033[1;1:3A\033[3;1:3~", "C-a C-a"},
    {"\033[97:65;2u\033[47:63;6u\033[97:65:97;6u", "A C-? C-S-a"},
    {"\033[97;2;65u\033[0;;229u\033[55;2;47u\033[97;;97u", "A \xc3\xa5 / a"},
    {"\033[57414u\033[57399u\033[57417;5u\033[57376u\033[57383u", "KPEnter 0 C-Left F13 F20"},
    {"\033[57441;2u\033[57358u\033[57428u\033[57427~", ""},
    {"\033[1;5P\033[13;5~\033[P", "C-F1 C-F3 F1"},
};

static const struct input_case other_events[] = {
    {"\033[I\033[O", "FocusIn FocusOut"},
    {"\033[<0;1;1M\033[<0;1;1m", "Press1@0,0 Release1@0,0"},
    {"\033[<2;500;300M\033[<35;3;4M\033[<32;3;4M", "Press3@499,299 Move0@2,3 Drag1@2,3"},
    {"\033[<64;3;4M\033[<65;3;4M\033[<20;3;4M", "WheelUp0@2,3 WheelDown0@2,3 C-S-Press1@2,3"},
    {"\033[<66;3;4M\033[<128;3;4M\033[<0;0;4M\033[<0;3M\033[<0;3;4;5M\033[<0;3;4x", ""},
    {"\033[<0;99999999999;3M", ""},
    {"\033[M !!\033[M#!!\033[M@!!\033[M`\"#", "Press1@0,0 Release0@0,0 Drag1@0,0 WheelUp0@1,2"},
    {"\033[M \xc4\x80\xc6\x80z", "Press1@223,351 z"},
    {"\033[M \xff\xfe", "Press1@222,221"},
    {"\033[M !\xc3x", "Press1@0,162 x"},
    {"\033[M !\rx", "Enter x"},
    {"\033[32;3;4M\033[35;3;4M", "Press1@2,3 Release0@2,3"},
    {"\033\033[<0;1;1M\033\033[I", "Escape Press1@0,0 Escape FocusIn"},
    {"\033[200~hello\r\nx\033[201~y", "Paste(hello\\x0d\\x0ax) y"},
    {"\033[200~\033[201~", "Paste()"},
    {"\033[200~a\033[A\033[20\033[201\033\033[201~b", "Paste(a\\x1b[A\\x1b[20\\x1b[201\\x1b) b"},
    {"\033[200~\033[200~x\033[201~", "Paste(\\x1b[200~x)"},
    {"\033\033[200~x\033[201~", "Escape Paste(x)"},
    {"\033[201~a", "a"},
    {"\033[?62;22c\033[>1;10;0c", "Reply(\\x1b[?62;22c) Reply(\\x1b[>1;10;0c)"},
    {"\033[?1u\033[?2026;2$y\033[4;2$y", "Reply(\\x1b[?1u) Reply(\\x1b[?2026;2$y) Reply(\\x1b[4;2$y)"},
    {"\033[24;80R\033[1;80R\033[?1;2R", "Reply(\\x1b[24;80R) Reply(\\x1b[1;80R) Reply(\\x1b[?1;2R)"},
    {"\033[0n\033[8;24;80t\033[?997;1n", "Reply(\\x1b[0n) Reply(\\x1b[8;24;80t) Reply(\\x1b[?997;1n)"},
    {"\033]11;rgb:0000/0000/0000\033\\a", "Reply(\\x1b]11;rgb:0000/0000/0000\\x1b\\x5c) a"},
    {"\033]10;rgb:ffff/ffff/ffff\aa", "Reply(\\x1b]10;rgb:ffff/ffff/ffff\\x07) a"},
    {"\033]4;1;rgb:a/b/c\033\\\033]7501;?\033\\",
     "Reply(\\x1b]4;1;rgb:a/b/c\\x1b\\x5c) Reply(\\x1b]7501;?\\x1b\\x5c)"},
    {"\033P>|xterm(367)\033\\\033_Gi=1;OK\033\\",
     "Reply(\\x1bP>|xterm(367)\\x1b\\x5c) Reply(\\x1b_Gi=1;OK\\x1b\\x5c)"},
    {"\033\033]11;?\a", "Escape Reply(\\x1b]11;?\\x07)"},
    {"\033\033[?1u", "Escape Reply(\\x1b[?1u)"},
};

static const struct input_case garbage[] = {
    {"\xff\xfe"
     "a\xc3"
     "b\xc3\xa9\xe4\xb8"
     "c",
     "a b \xc3\xa9 c"},
    {"\x9b\x41\xc2\x9b\x42", "A B"},
    {"\xed\xa0\x80\xf4\x90\x80\x80z", "z"},
    {"\033\xff"
     "a\033\xc3"
     "b",
     "a b"},
    {"\033[1;2\033[A", "Up"},
    {"\033[1;2\x03", "C-c"},
    {"\033[1;2\xc3\xa9", "\xc3\xa9"},
    {"\033[99~\033[9999999999999999u\033[;;;;;;;;;;;A\033[1:2:3:4:5Aa", "a"},
    {"\033[5y\033[ q\033[!p\033[<u\033[1\"qz", "z"},
    {"\033Oz\033O5", "M-O z"},
    {"\033[[z", "z"},
    {"\033]11;rgb\x03\033]11;\033[A\033P1$r\rz", "C-c Up Enter z"},
    {"\033]11;rgb\033x", "M-x"},
    {"\033[1114112u\033[55296u\033[133u\033[27;5;1114113~\033[97:1114112;2ua", "a"},
};

static bool check_case(const struct input_case *input, size_t piece)
{
    size_t length = strlen(input->bytes);
    char *events = input_describe(input->bytes, length, piece);
    bool equal = strcmp(events, input->events) == 0;

    if (!equal) {
        struct buffer bytes = {0};
        input_append_bytes(&bytes, input->bytes, length);
        printf("# %s in pieces of %zu: \"%s\", expected \"%s\"\n", bytes.bytes, piece, events, input->events);
        buffer_finish(&bytes);
        test_failed = true;
    }
    free(events);
    return equal;
}

static void check_cases(const struct input_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t piece = 1; piece <= strlen(cases[i].bytes); piece++)
            if (!check_case(&cases[i], piece))
                break;
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof(cases)[0])

TEST(keys_in_every_form)
{
    CHECK_CASES(keys);
}

TEST(mouse_focus_paste_and_replies)
{
    CHECK_CASES(other_events);
}

TEST(garbage_is_dropped)
{
    CHECK_CASES(garbage);
}

TEST(nul_is_ctrl_space)
{
    char *events = input_describe("\0\033\0a", 4, 1);
    CHECK_STRING(events, "C-Space C-M-Space a");
    free(events);
}

/* All cases in a row, cut in two at every byte. */
TEST(two_feeds_equal_one)
{
    struct buffer all = {0};
    char *whole;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        buffer_append_string(&all, keys[i].bytes);
    for (size_t i = 0; i < sizeof other_events / sizeof other_events[0]; i++)
        buffer_append_string(&all, other_events[i].bytes);
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        buffer_append_string(&all, garbage[i].bytes);
    whole = input_describe(all.bytes, all.length, all.length);
    for (size_t cut = 0; cut <= all.length && !test_failed; cut++) {
        struct tokenizer *tokenizer = tokenizer_create();
        struct buffer out = {0};
        tokenizer_feed(tokenizer, all.bytes, cut);
        input_drain(tokenizer, &out);
        tokenizer_feed(tokenizer, all.bytes + cut, all.length - cut);
        input_drain(tokenizer, &out);
        tokenizer_flush(tokenizer);
        input_drain(tokenizer, &out);
        if (strcmp(out.bytes, whole) != 0) {
            printf("# cut at %zu differs\n", cut);
            test_failed = true;
        }
        buffer_finish(&out);
        tokenizer_destroy(tokenizer);
    }
    free(whole);
    buffer_finish(&all);
}

TEST(escape_waits_for_a_flush)
{
    struct tokenizer *tokenizer = tokenizer_create();

    tokenizer_feed(tokenizer, "\033", 1);
    CHECK_NUMBER(tokenizer_next(tokenizer).type, INPUT_NONE);
    CHECK(tokenizer_pending_escape(tokenizer));
    tokenizer_flush(tokenizer);
    CHECK(!tokenizer_pending_escape(tokenizer));
    tokenizer_feed(tokenizer, "[A", 2);
    CHECK_NUMBER(tokenizer_next(tokenizer).key.code, KEYCODE_ESCAPE);
    CHECK_NUMBER(tokenizer_next(tokenizer).key.code, '[');
    CHECK_NUMBER(tokenizer_next(tokenizer).key.code, 'A');
    tokenizer_flush(tokenizer);
    CHECK_NUMBER(tokenizer_next(tokenizer).type, INPUT_NONE);
    tokenizer_feed(tokenizer, "\033[1", 3);
    CHECK_NUMBER(tokenizer_next(tokenizer).type, INPUT_NONE);
    CHECK(!tokenizer_pending_escape(tokenizer));
    tokenizer_destroy(tokenizer);
}

TEST(escape_needs_no_flush_under_kitty)
{
    struct tokenizer *tokenizer = tokenizer_create();

    tokenizer_set_kitty(tokenizer, true);
    tokenizer_feed(tokenizer, "\033", 1);
    CHECK_NUMBER(tokenizer_next(tokenizer).type, INPUT_NONE);
    CHECK(!tokenizer_pending_escape(tokenizer));
    tokenizer_feed(tokenizer, "[27u", 4);
    CHECK_NUMBER(tokenizer_next(tokenizer).key.code, KEYCODE_ESCAPE);
    tokenizer_destroy(tokenizer);
    tokenizer_destroy(NULL);
}

/* Feeds `count` copies of `unit` in pieces between two ends; returns the next event. */
static struct input_event feed_much(struct tokenizer *tokenizer, const char *begin, char unit, size_t count,
                                    const char *end)
{
    char piece[4096];
    struct input_event event;

    memset(piece, unit, sizeof piece);
    tokenizer_feed(tokenizer, begin, strlen(begin));
    for (size_t at = 0; at < count; at += sizeof piece) {
        tokenizer_feed(tokenizer, piece, count - at < sizeof piece ? count - at : sizeof piece);
        event = tokenizer_next(tokenizer);
        if (event.type != INPUT_NONE)
            return event;
    }
    tokenizer_feed(tokenizer, end, strlen(end));
    return tokenizer_next(tokenizer);
}

TEST(a_large_paste_is_one_event)
{
    struct tokenizer *tokenizer = tokenizer_create();
    size_t size = 3 * 1024 * 1024 + 7;
    struct input_event event = feed_much(tokenizer, "\033[200~", 'p', size, "\033[201~z");

    CHECK_NUMBER(event.type, INPUT_PASTE);
    CHECK_NUMBER(event.length, size);
    CHECK_NUMBER(event.text[0], 'p');
    CHECK_NUMBER(event.text[size - 1], 'p');
    CHECK_NUMBER(event.text[size], '\0');
    CHECK_NUMBER(tokenizer_next(tokenizer).key.code, 'z');
    tokenizer_destroy(tokenizer);
}

TEST(a_paste_is_cut_at_4_mib)
{
    struct tokenizer *tokenizer = tokenizer_create();
    /* An odd byte first, so that a two-byte character falls on the bound. */
    struct buffer paste = {0};
    struct input_event event;

    buffer_append_string(&paste, "\033[200~-");
    for (int i = 0; i < 3 * 1024 * 1024; i++)
        buffer_append_string(&paste, "\xc3\xa9");
    buffer_append_string(&paste, "\033[201~z");
    tokenizer_feed(tokenizer, paste.bytes, paste.length);
    event = tokenizer_next(tokenizer);
    CHECK_NUMBER(event.type, INPUT_PASTE);
    CHECK_NUMBER(event.length, 4 * 1024 * 1024 - 1);
    CHECK_NUMBER(tokenizer_next(tokenizer).key.code, 'z');
    buffer_finish(&paste);
    tokenizer_destroy(tokenizer);
}

TEST(an_endless_string_is_swallowed)
{
    struct tokenizer *tokenizer = tokenizer_create();
    struct input_event event = feed_much(tokenizer, "\033]52;c;", 'A', 2 * 1024 * 1024, "\033\\z");

    CHECK_NUMBER(event.type, INPUT_KEY);
    CHECK_NUMBER(event.key.code, 'z');
    event = feed_much(tokenizer, "\033[", '1', 2 * 1024 * 1024, "Az");
    CHECK_NUMBER(event.key.code, 'z');
    /* A control typed by the person ends it. */
    event = feed_much(tokenizer, "\033]52;c;", 'A', 2 * 1024 * 1024, "\x03");
    CHECK_NUMBER(event.key.code, 'c');
    CHECK_NUMBER(event.key.modifiers, KEY_CTRL);
    tokenizer_destroy(tokenizer);
}

static unsigned random_next(unsigned *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Garbage rich in what begins and ends sequences gives the same events whole, by bytes and in odd pieces. */
TEST(random_garbage_in_any_pieces)
{
    static const char likely[] =
        "\033\033\033[[]OP_<?>;;:$~~MmuRcABZ012379\\\a\r \xc3\xa9\xe4\xb8\xad\x80\xff";
    unsigned state = 0x2545F491;

    for (int round = 0; round < 300 && !test_failed; round++) {
        char bytes[600];
        char *whole, *single, *odd;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = random_next(&state) % 8 == 0 ? (char)random_next(&state)
                                                    : likely[random_next(&state) % (sizeof likely - 1)];
        whole = input_describe(bytes, sizeof bytes, sizeof bytes);
        single = input_describe(bytes, sizeof bytes, 1);
        odd = input_describe(bytes, sizeof bytes, 1 + random_next(&state) % 50);
        if (strcmp(whole, single) != 0 || strcmp(whole, odd) != 0) {
            printf("# round %d differs\n", round);
            test_failed = true;
        }
        free(whole);
        free(single);
        free(odd);
    }
}

TEST_MAIN
