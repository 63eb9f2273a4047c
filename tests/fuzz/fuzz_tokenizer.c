/*
 * Feeds the tokenizer hostile bytes. The events must be the same however the bytes are cut into reads, each key must
 * be a key in normal form whose name reads back, texts must keep their bounds, and whatever was read must survive
 * being encoded for a program in any mode and read again.
 *
 * fuzz_tokenizer SECONDS [SEED]: random input made of pieces of sequences. Deterministic by seed.
 * Built with -DFUZZ_LIBFUZZER it is a libFuzzer target instead.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/term/input_text.h"

enum { INPUT_MAX = 2048, PASTE_MAX = 4 * 1024 * 1024, REPLY_MAX = 64 * 1024 };

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % limit;
}

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fault: %s\n", what);
        abort();
    }
}

static struct input_modes random_modes(void)
{
    return (struct input_modes){.application_cursor = random_below(2),
                                .application_keypad = random_below(2),
                                .bracketed_paste = random_below(2),
                                .modify_other_keys = random_below(3),
                                .kitty_flags = random_below(32),
                                .mouse_mode = (enum mouse_mode)random_below(4),
                                .mouse_encoding = (enum mouse_encoding)random_below(3)};
}

/* At most one key or mouse event, or two Escapes, comes of what was encoded; nothing else is left over. */
static void check_encoded(const struct buffer *encoded, enum input_type type)
{
    struct tokenizer *tokenizer = tokenizer_create();
    struct input_event event;
    int count = 0;

    tokenizer_feed(tokenizer, encoded->bytes, encoded->length);
    for (int turn = 0; turn < 2; turn++) {
        while ((event = tokenizer_next(tokenizer)).type != INPUT_NONE) {
            require(event.type == type, "an encoding reads back as something else");
            count++;
        }
        tokenizer_flush(tokenizer);
    }
    require(count <= 2, "an encoding reads back as many events");
    tokenizer_destroy(tokenizer);
}

static void check_key(struct key key)
{
    struct key parsed, normal = key_normalize(key);
    struct input_modes modes = random_modes();
    struct buffer out = {0};
    char name[KEY_NAME_SIZE];

    require(key_valid(key), "a key that is none");
    require(key.code == normal.code && key.modifiers == normal.modifiers, "a key not in normal form");
    key_format(key, name);
    require(key_parse(name, &parsed) == 0 && key_equal(key, parsed), "a key whose name does not read back");
    key_encode(key, &modes, &out);
    check_encoded(&out, INPUT_KEY);
    buffer_finish(&out);
}

static void check_mouse(const struct mouse *mouse)
{
    struct input_modes modes = random_modes();
    struct buffer out = {0};

    require(mouse->x >= 0 && mouse->y >= 0 && mouse->button >= 0 && mouse->button <= 3,
            "a mouse out of range");
    modes.mouse_encoding = MOUSE_ENCODING_SGR;
    mouse_encode(mouse, &modes, &out);
    check_encoded(&out, INPUT_MOUSE);
    buffer_finish(&out);
}

/* Any bytes, pasted into a program that brackets them, are one paste and nothing behind it. */
static void check_paste(const char *text, size_t length)
{
    struct input_modes modes = {.bracketed_paste = true};
    struct tokenizer *tokenizer = tokenizer_create();
    struct buffer out = {0};

    paste_encode(text, length, &modes, &out);
    tokenizer_feed(tokenizer, out.bytes, out.length);
    require(tokenizer_next(tokenizer).type == INPUT_PASTE, "a paste that reads back as something else");
    require(tokenizer_next(tokenizer).type == INPUT_NONE, "a paste that ends early");
    tokenizer_destroy(tokenizer);
    buffer_finish(&out);
}

static void check_event(const struct input_event *event)
{
    if (event->type == INPUT_KEY)
        check_key(event->key);
    else if (event->type == INPUT_MOUSE)
        check_mouse(&event->mouse);
    else if (event->type == INPUT_PASTE)
        require(event->length <= PASTE_MAX && event->text[event->length] == '\0', "a paste out of bounds");
    else if (event->type == INPUT_REPLY)
        require(event->length >= 3 && event->length <= REPLY_MAX && event->text[0] == 0x1B,
                "a reply out of bounds");
}

static void check_events(const char *bytes, size_t length)
{
    struct tokenizer *tokenizer = tokenizer_create();
    struct input_event event;
    size_t events = 0;

    tokenizer_feed(tokenizer, bytes, length);
    while ((event = tokenizer_next(tokenizer)).type != INPUT_NONE) {
        check_event(&event);
        events++;
    }
    require(events <= length, "more events than bytes");
    tokenizer_destroy(tokenizer);
}

static void check_cuts(const char *bytes, size_t length)
{
    size_t piece = 2 + random_below(40);
    char *whole = input_describe(bytes, length, length + 1);
    char *single = input_describe(bytes, length, 1);
    char *pieces = input_describe(bytes, length, piece);

    require(strcmp(whole, single) == 0, "single bytes give other events");
    require(strcmp(whole, pieces) == 0, "pieces give other events");
    free(whole);
    free(single);
    free(pieces);
}

static void run_one(const char *bytes, size_t length)
{
    check_events(bytes, length);
    check_cuts(bytes, length);
    check_paste(bytes, length);
}

#ifdef FUZZ_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    random_state = length * 977 + 1 + (length > 0 ? bytes[0] : 0);
    run_one((const char *)bytes, length);
    return 0;
}

#else

/* Whole sequences, their beginnings and their ends, so that random rows of them nest, break off and overlap. */
static const char *const fragments[] = {
    "\033",
    "\033\033",
    "\033[",
    "\033O",
    "\033]",
    "\033P",
    "\033_G",
    "\033\\",
    "\a",
    "\033[200~",
    "\033[201~",
    "\033[20",
    "201~",
    "\033[M",
    "\033[<",
    "0;5;7M",
    "0;5;7m",
    "64;1;1M",
    "\033[I",
    "\033[O",
    "\033[A",
    "1;5A",
    "\033[1;",
    "27;6;65~",
    "\033[27;",
    "u",
    "97:65;6",
    "57414u",
    ";;229u",
    ":3u",
    "\033[?",
    "62;22c",
    "\033[>",
    "$y",
    "$",
    "^",
    "@",
    "\033[[A",
    "\033[[",
    "4;1;rgb:1/2/3",
    "11;?",
    ">|term",
    "1$r",
    ";",
    ":",
    "0",
    "99999999",
    "\xc3\xa9",
    "\xc3",
    "\xa9",
    "\xe4\xb8\xad",
    "\xe4\xb8",
    "\xf0\x9f\x9f",
    "\xa2",
    "\xc2\x9b",
    "\x9b",
    "\xff",
    "\x7f",
    "\r",
    "\n",
    "\x03",
    "a",
    "A",
    "!!!",
};

static void make_input(struct buffer *input)
{
    uint32_t count = 1 + random_below(120);

    buffer_clear(input);
    for (uint32_t i = 0; i < count && input->length < INPUT_MAX; i++) {
        const char *fragment = fragments[random_below(sizeof fragments / sizeof fragments[0])];
        uint32_t choice = random_below(20);
        if (choice == 0)
            buffer_append_char(input, (char)random_below(256));
        else if (choice == 1)
            for (uint32_t run = random_below(700); run > 0; run--)
                buffer_append_char(input, '0' + (char)(run % 12));
        else
            buffer_append_string(input, fragment);
    }
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, iterations = 0;
    int64_t end = clock_monotonic_ns() + (int64_t)(seconds * 1e9);
    struct buffer input = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: fuzz_tokenizer SECONDS [SEED]\n");
        return 2;
    }
    do {
        random_state = (seed + iterations) * 0x9E3779B97F4A7C15u + 1;
        if (getenv("FUZZ_TRACE") != NULL)
            fprintf(stderr, "seed %llu\n", (unsigned long long)(seed + iterations));
        make_input(&input);
        run_one(input.bytes, input.length);
        iterations++;
    } while (clock_monotonic_ns() < end);
    printf("%llu iterations, no fault\n", (unsigned long long)iterations);
    buffer_finish(&input);
    return 0;
}

#endif
