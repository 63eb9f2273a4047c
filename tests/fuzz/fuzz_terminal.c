/*
 * Feeds the emulator hostile bytes and sizes. After every step the screen must be valid; a mirror kept from what is
 * reported as changed must equal it; a second terminal that gets the same bytes in other pieces, and a third that was
 * restored from a checkpoint, must stay the same as the first.
 *
 * fuzz_terminal SECONDS [SEED [FILE…]]: random input made from a grammar and from the files (tests/fuzz/corpus). Deterministic by seed.
 * Built with -DFUZZ_LIBFUZZER it is a libFuzzer target instead.
 */
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/path.h"
#include "tests/term/terminal_check.h"

struct subject {
    struct terminal *terminal;
    struct buffer replies;
};

static void on_reply(void *argument, const char *bytes, size_t length)
{
    struct subject *subject = argument;

    buffer_append(&subject->replies, bytes, length);
}

static const struct terminal_calls calls = {.reply = on_reply};

static struct terminal_options options_for(struct subject *subject, int cols, int rows)
{
    return (struct terminal_options){.cols = cols,
                                     .rows = rows,
                                     .scrollback_lines = 200,
                                     .clipboard = true,
                                     .calls = &calls,
                                     .argument = subject};
}

static void subject_init(struct subject *subject, int cols, int rows)
{
    struct terminal_options options = options_for(subject, cols, rows);

    *subject = (struct subject){0};
    subject->terminal = terminal_create(&options);
}

static void subject_finish(struct subject *subject)
{
    terminal_destroy(subject->terminal);
    buffer_finish(&subject->replies);
}

static void require(const char *wrong, const char *where)
{
    if (wrong == NULL)
        return;
    fprintf(stderr, "fuzz_terminal: %s: %s\n", where, wrong);
    abort();
}

/* Replaces the subject by what a checkpoint of it says. */
static void restore(struct subject *subject)
{
    struct buffer saved = {0};
    struct terminal_options options = options_for(subject, 1, 1);
    struct error error;
    struct terminal *loaded;

    terminal_save(subject->terminal, &saved);
    loaded = terminal_load(&options, saved.bytes, saved.length, &error);
    if (loaded == NULL)
        require(error.text, "load");
    require(check_terminal(loaded), "loaded");
    require(check_same(subject->terminal, loaded), "loaded");
    terminal_destroy(subject->terminal);
    subject->terminal = loaded;
    buffer_finish(&saved);
}

static uint64_t random_state;

static uint32_t random_number(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % below);
}

static void feed_in_pieces(struct terminal *terminal, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t piece = 1 + random_number(7);
        if (piece > length)
            piece = length;
        terminal_write(terminal, bytes, piece);
        bytes += piece;
        length -= piece;
    }
}

static void step(struct subject *whole, struct subject *pieces, struct mirror *mirror, const char *bytes,
                 size_t length)
{
    terminal_write(whole->terminal, bytes, length);
    feed_in_pieces(pieces->terminal, bytes, length);
    require(check_terminal(whole->terminal), "screen");
    require(mirror_update(mirror, whole->terminal), "damage");
    if (whole->replies.length != pieces->replies.length ||
        (whole->replies.length > 0 &&
         memcmp(whole->replies.bytes, pieces->replies.bytes, whole->replies.length) != 0))
        require("replies differ", "pieces");
    buffer_clear(&whole->replies);
    buffer_clear(&pieces->replies);
}

static void run_one(const char *bytes, size_t length)
{
    struct subject whole, pieces;
    struct mirror mirror = {0};
    int cols = 2 + (int)random_number(60), rows = 2 + (int)random_number(20);

    subject_init(&whole, cols, rows);
    subject_init(&pieces, cols, rows);
    for (size_t at = 0; at < length;) {
        size_t piece = 1 + random_number(300);
        if (piece > length - at)
            piece = length - at;
        step(&whole, &pieces, &mirror, bytes + at, piece);
        at += piece;
        if (random_number(6) == 0) {
            cols = 1 + (int)random_number(random_number(10) == 0 ? 1100 : 90);
            rows = 1 + (int)random_number(random_number(20) == 0 ? 600 : 30);
            terminal_resize(whole.terminal, cols, rows);
            terminal_resize(pieces.terminal, cols, rows);
            require(check_terminal(whole.terminal), "resized");
            require(mirror_update(&mirror, whole.terminal), "resized");
        }
        if (random_number(8) == 0 && terminal_at_ground(pieces.terminal))
            restore(&pieces);
        if (random_number(10) == 0)
            terminal_compact(whole.terminal);
    }
    require(check_same(whole.terminal, pieces.terminal), "pieces");
    mirror_finish(&mirror);
    subject_finish(&whole);
    subject_finish(&pieces);
}

#ifdef FUZZ_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    random_state = length * 977 + (length > 0 ? bytes[0] : 0);
    run_one((const char *)bytes, length);
    return 0;
}

#else

#define FILES_MAX 64

static struct {
    char *bytes;
    size_t length;
} files[FILES_MAX];
static uint32_t file_count;

static void load_files(char **paths, int count)
{
    struct error error;

    for (int i = 0; i < count && file_count < FILES_MAX; i++) {
        if (path_read_file(paths[i], 1 << 20, &files[file_count].bytes, &files[file_count].length, &error) <
            0) {
            fprintf(stderr, "fuzz_terminal: %s\n", error.text);
            exit(2);
        }
        if (files[file_count].length > 0)
            file_count++;
        else
            free(files[file_count].bytes);
    }
}

static void load_corpus(void)
{
    glob_t paths;

    if (glob("tests/fuzz/corpus/*", 0, NULL, &paths) == 0) {
        load_files(paths.gl_pathv, (int)paths.gl_pathc);
        globfree(&paths);
    }
}

static void add_csi(struct buffer *out)
{
    static const char leaders[] = "<>=?", finals[] = "@ABCDEFGHIJKLMPSTXZ`abcdefghjklmnpqrstuvWx^}~";
    static const int modes[] = {1,  3,    4,    5,    6,    7,    12,   20,   25,  47,
                                69, 1000, 1003, 1006, 1047, 1048, 1049, 2004, 2026};
    uint32_t params = random_number(random_number(10) == 0 ? 80 : 4);

    buffer_append_string(out, "\033[");
    if (random_number(3) == 0)
        buffer_append_char(out, leaders[random_number(sizeof leaders - 1)]);
    for (uint32_t i = 0; i < params; i++) {
        uint32_t kind = random_number(12);
        if (kind < 6)
            buffer_append_number(out, random_number(30));
        else if (kind < 8)
            buffer_append_number(out, (unsigned)modes[random_number(sizeof modes / sizeof *modes)]);
        else if (kind == 8)
            buffer_append_number(out, random_state >> random_number(60));
        else if (kind == 9)
            buffer_append_number(out, random_number(300));
        buffer_append_char(out, random_number(6) == 0 ? ':' : ';');
    }
    if (random_number(12) == 0)
        buffer_append_char(out, " !\"$'*#"[random_number(7)]);
    buffer_append_char(out, finals[random_number(sizeof finals - 1)]);
}

static void add_mode(struct buffer *out)
{
    static const char *const sequences[] = {"\033[?1049h", "\033[?1049l",
                                            "\033[?47h",   "\033[?47l",
                                            "\033[?6h",    "\033[?7l",
                                            "\033[?7h",    "\033[4h",
                                            "\033[4l",     "\033[3;6r",
                                            "\033[r",      "\033c",
                                            "\033[!p",     "\0337",
                                            "\0338",       "\033M",
                                            "\033D",       "\033E",
                                            "\033(0",      "\033(B",
                                            "\016",        "\017",
                                            "\033#8",      "\033H",
                                            "\t",          "\033[3J",
                                            "\033[2J",     "\033[20h",
                                            "\033[20l",    "\033[2S",
                                            "\033[2T",     "\033[L",
                                            "\033[M",      "\033[2;5r\033[?6h",
                                            "\033[?1047h", "\033[?1047l",
                                            "\033[>1u",    "\033[<u",
                                            "\033[?u",     "\033[6n",
                                            "\033[c",      "\033N",
                                            "\033[?5W"};

    buffer_append_string(out, sequences[random_number(sizeof sequences / sizeof *sequences)]);
}

static void add_text(struct buffer *out)
{
    static const char *const pieces[] = {"word",
                                         " ",
                                         "\r\n",
                                         "\n",
                                         "\r",
                                         "\b",
                                         "the quick brown fox jumps over the lazy dog ",
                                         "\xE4\xB8\xAD\xE6\x96\x87",
                                         "\xF0\x9F\x9A\x80",
                                         "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
                                         "e\xCC\x81",
                                         "\xE2\x9D\xA4\xEF\xB8\x8F",
                                         "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA",
                                         "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD",
                                         "\xCC\x81",
                                         "\xEF\xB8\x8F",
                                         "\xC3",
                                         "\xE2\x80\x8D",
                                         "\xF0\x9F",
                                         "\xC2\x85",
                                         "\xE3\x81\x8B\xE3\x82\x99",
                                         "\xED\xA0\x80",
                                         "\x7F",
                                         "\xFF",
                                         "\xE1\x84\x80\xE1\x85\xA1"};

    buffer_append_string(out, pieces[random_number(sizeof pieces / sizeof *pieces)]);
}

static void add_string(struct buffer *out)
{
    static const char *const starts[] = {"\033]0;",
                                         "\033]2;ti",
                                         "\033]8;;http://x/",
                                         "\033]8;;",
                                         "\033]9;4;1;",
                                         "\033]52;c;QUJD",
                                         "\033]7501;?",
                                         "\033]7501;state=idle",
                                         "\033]11;?",
                                         "\033]4;1;?;2;?",
                                         "\033P$qm",
                                         "\033P+q544e",
                                         "\033_Gx",
                                         "\033^",
                                         "\033X",
                                         "\033]777;notify;a;b",
                                         "\033]99;i=1:d=0;t",
                                         "\033]133;A"};
    static const char *const ends[] = {"\a", "\033\\", "\033\\", "\030", "", "\033"};

    buffer_append_string(out, starts[random_number(sizeof starts / sizeof *starts)]);
    for (uint32_t i = random_number(random_number(50) == 0 ? 5000 : 6); i > 0; i--)
        buffer_append_char(out, (char)(32 + random_number(95)));
    buffer_append_string(out, ends[random_number(sizeof ends / sizeof *ends)]);
}

static void add_file_piece(struct buffer *out)
{
    uint32_t i = random_number(file_count);
    size_t from = random_number((uint32_t)files[i].length), length = 1 + random_number(600);

    if (length > files[i].length - from)
        length = files[i].length - from;
    buffer_append(out, files[i].bytes + from, length);
}

static void make_input(struct buffer *out)
{
    uint32_t parts = 20 + random_number(300);

    buffer_clear(out);
    for (uint32_t i = 0; i < parts; i++) {
        uint32_t kind = random_number(20);
        if (kind < 7)
            add_text(out);
        else if (kind < 13)
            add_csi(out);
        else if (kind < 16)
            add_mode(out);
        else if (kind < 17)
            add_string(out);
        else if (kind < 18)
            buffer_append_char(out, (char)random_number(256));
        else if (file_count > 0)
            add_file_piece(out);
    }
    for (uint32_t i = random_number(8); i > 0 && random_number(3) == 0; i--)
        out->bytes[random_number((uint32_t)out->length)] ^= (char)(1 << random_number(8));
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, iterations = 0;
    int64_t end = clock_monotonic_ns() + (int64_t)(seconds * 1e9);
    struct buffer input = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: fuzz_terminal SECONDS [SEED [FILE...]]\n");
        return 2;
    }
    if (argc > 3)
        load_files(argv + 3, argc - 3);
    else
        load_corpus();
    do {
        random_state = (seed + iterations) * 0x9E3779B97F4A7C15u;
        if (getenv("FUZZ_TRACE") != NULL)
            fprintf(stderr, "seed %llu\n", (unsigned long long)(seed + iterations));
        make_input(&input);
        run_one(input.bytes, input.length);
        iterations++;
    } while (clock_monotonic_ns() < end);
    printf("%llu iterations, no fault\n", (unsigned long long)iterations);
    for (uint32_t i = 0; i < file_count; i++)
        free(files[i].bytes);
    buffer_finish(&input);
    return 0;
}

#endif
