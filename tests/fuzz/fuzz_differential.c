/*
 * The emulator beside libvterm's own screen: text, cursor, erasing, editing and scrolling must give the same rows and
 * cursor. Left out is what is meant to differ: a wrap that waits is undone by line feeds, tabs and editing here (as in
 * xterm), so these come after a cursor movement; up and down stop at the margins here, so they come without any.
 *
 * fuzz_differential SECONDS [SEED]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <vterm.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "term/terminal.h"

static uint64_t random_state;

static uint32_t random_number(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % below);
}

struct pair {
    struct terminal *terminal;
    VTerm *vterm;
    VTermScreen *screen;
    int cols, rows;
    bool margins;
};

static void pair_init(struct pair *pair)
{
    struct terminal_options options;

    *pair = (struct pair){.cols = 2 + (int)random_number(40), .rows = 2 + (int)random_number(12)};
    options = (struct terminal_options){.cols = pair->cols, .rows = pair->rows, .scrollback_lines = 10};
    pair->terminal = terminal_create(&options);
    pair->vterm = vterm_new(pair->rows, pair->cols);
    vterm_set_utf8(pair->vterm, 1);
    pair->screen = vterm_obtain_screen(pair->vterm);
    vterm_screen_reset(pair->screen, 1);
}

static void pair_finish(struct pair *pair)
{
    terminal_destroy(pair->terminal);
    vterm_free(pair->vterm);
}

static void place(const struct pair *pair, struct buffer *out)
{
    buffer_printf(out, "\033[%u;%uH", 1 + random_number((uint32_t)pair->rows + 2),
                  1 + random_number((uint32_t)pair->cols + 2));
}

static void add_text(struct buffer *out)
{
    for (uint32_t i = 1 + random_number(random_number(5) == 0 ? 100 : 12); i > 0; i--)
        buffer_append_char(out, (char)(' ' + random_number(95)));
}

static void add_margins(struct pair *pair, struct buffer *out)
{
    uint32_t top = 1 + random_number((uint32_t)pair->rows - 1);
    uint32_t bottom = top + 1 + random_number((uint32_t)pair->rows - top);

    pair->margins = random_number(3) != 0;
    if (pair->margins)
        buffer_printf(out, "\033[%u;%ur", top, bottom);
    else
        buffer_append_string(out, "\033[r");
}

static void add_edit(const struct pair *pair, struct buffer *out)
{
    static const char finals[] = "@PXLMST";

    place(pair, out);
    if (random_number(4) == 0)
        buffer_append_string(out, random_number(2) == 0 ? "\n" : "\t");
    else if (random_number(4) == 0)
        buffer_append_string(out, random_number(2) == 0 ? "\033M" : "\033D");
    else
        buffer_printf(out, "\033[%u%c", random_number(6), finals[random_number(sizeof finals - 1)]);
}

static void add_step(struct pair *pair, struct buffer *out)
{
    static const char moves[] = "CDG`adAB";
    uint32_t kind = random_number(16);

    if (kind < 6)
        add_text(out);
    else if (kind < 8)
        buffer_append_string(out, "\r\n");
    else if (kind == 8)
        place(pair, out);
    else if (kind == 9)
        buffer_printf(out, "\033[%u%c", random_number(8), moves[random_number(pair->margins ? 6 : 8)]);
    else if (kind == 10)
        buffer_printf(out, "\033[%u%c", random_number(3), random_number(2) == 0 ? 'J' : 'K');
    else if (kind == 11)
        buffer_append_string(out, random_number(2) == 0 ? "\b" : "\r");
    else if (kind == 12)
        add_margins(pair, out);
    else if (kind == 13)
        buffer_printf(out, "\033[%um", 30 + random_number(8));
    else
        add_edit(pair, out);
}

static uint32_t vterm_glyph(const struct pair *pair, int x, int y)
{
    VTermScreenCell cell;

    if (!vterm_screen_get_cell(pair->screen, (VTermPos){.row = y, .col = x}, &cell) || cell.chars[0] == 0)
        return ' ';
    return cell.chars[0];
}

static void compare(const struct pair *pair, const struct buffer *bytes, unsigned long long seed)
{
    struct terminal_cursor cursor = terminal_cursor(pair->terminal);
    VTermPos position;
    bool same;

    vterm_state_get_cursorpos(vterm_obtain_state(pair->vterm), &position);
    same = cursor.x == position.col && cursor.y == position.row;
    if (!same)
        fprintf(stderr, "cursor %d,%d, libvterm's %d,%d\n", cursor.x, cursor.y, position.col, position.row);
    for (int y = 0; y < pair->rows; y++)
        for (int x = 0; x < pair->cols; x++) {
            uint32_t glyph = terminal_row(pair->terminal, y)[x].glyph;
            if ((glyph == 0 ? ' ' : glyph) == vterm_glyph(pair, x, y))
                continue;
            if (same)
                fprintf(stderr, "%d,%d: %x, libvterm's %x\n", x, y, glyph, vterm_glyph(pair, x, y));
            same = false;
        }
    if (same)
        return;
    fprintf(stderr, "fuzz_differential: seed %llu, %dx%d, after ", seed, pair->cols, pair->rows);
    for (size_t i = 0; i < bytes->length; i++)
        fprintf(stderr, bytes->bytes[i] >= ' ' ? "%c" : "\\x%02x", bytes->bytes[i]);
    fprintf(stderr, "\n");
    abort();
}

static void run_one(unsigned long long seed)
{
    struct buffer bytes = {0};
    struct pair pair;

    pair_init(&pair);
    for (uint32_t i = 5 + random_number(100); i > 0; i--) {
        size_t start = bytes.length;
        add_step(&pair, &bytes);
        terminal_write(pair.terminal, bytes.bytes + start, bytes.length - start);
        (void)vterm_input_write(pair.vterm, bytes.bytes + start, bytes.length - start);
        compare(&pair, &bytes, seed);
    }
    pair_finish(&pair);
    buffer_finish(&bytes);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 0;
    unsigned long long seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, iterations = 0;
    int64_t end = clock_monotonic_ns() + (int64_t)(seconds * 1e9);

    if (argc < 2) {
        fprintf(stderr, "usage: fuzz_differential SECONDS [SEED]\n");
        return 2;
    }
    do {
        random_state = (seed + iterations) * 0x9E3779B97F4A7C15u;
        run_one(seed + iterations);
        iterations++;
    } while (clock_monotonic_ns() < end);
    printf("%llu iterations, no difference\n", iterations);
    return 0;
}
