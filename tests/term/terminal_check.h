/*
 * What must hold of any terminal, and whether two are the same, for tests and fuzzers. Each function returns NULL, or
 * a sentence that says what is wrong (valid until the next call).
 */
#ifndef TESTS_TERM_TERMINAL_CHECK_H
#define TESTS_TERM_TERMINAL_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "term/terminal.h"

static char check_text[512];

#define CHECK_SAY(...) (snprintf(check_text, sizeof check_text, __VA_ARGS__), check_text)

static inline void dump_style(const struct style *style, const char *link, struct buffer *out)
{
    buffer_printf(out, "{%x,%x,%x,%x,%u,%s}", style->foreground, style->background, style->underline_color,
                  style->attributes, style->underline, link == NULL ? "" : link);
}

/* Everything of a row that can be seen, as text. */
static inline void dump_row(const struct terminal *terminal, int y, struct buffer *out)
{
    const struct cell *cells = terminal_row(terminal, y);
    uint32_t style = UINT32_MAX;

    for (int x = 0; x < terminal_cols(terminal); x++) {
        if (cells[x].style != style) {
            struct style value = terminal_style(terminal, style = cells[x].style);
            dump_style(&value, terminal_link(terminal, value.link), out);
        }
        if (cells[x].glyph >= CELL_CLUSTER) {
            size_t length;
            const char *text = terminal_cluster(terminal, cells[x].glyph, &length);
            buffer_printf(out, "<%.*s>", (int)length, text);
        } else {
            buffer_printf(out, "%x.", cells[x].glyph);
        }
    }
    buffer_append_string(out, terminal_row_wrapped(terminal, y) ? "+\n" : "\n");
}

struct check_run_dump {
    struct buffer *out;
    struct buffer last;
};

static inline void check_dump_run(void *argument, const struct line_run *run)
{
    struct check_run_dump *dump = argument;
    struct buffer style = {0};

    dump_style(&run->style, run->link, &style);
    if (dump->last.bytes == NULL || strcmp(dump->last.bytes, style.bytes) != 0)
        buffer_append(dump->out, style.bytes, style.length);
    buffer_finish(&dump->last);
    dump->last = style;
    buffer_append(dump->out, run->text, run->length);
}

static inline void dump_line(const struct terminal *terminal, uint64_t number, struct buffer *out)
{
    struct check_run_dump dump = {.out = out};

    if (!terminal_scrollback_line(terminal, number, check_dump_run, &dump))
        buffer_append_string(out, "(missing)");
    buffer_finish(&dump.last);
    buffer_append_char(out, '\n');
}

static inline const char *check_row(const struct terminal *terminal, int y)
{
    const struct cell *cells = terminal_row(terminal, y);

    for (int x = 0; x < terminal_cols(terminal); x++) {
        bool tail = cells[x].glyph == CELL_TAIL;
        size_t length = 1;
        if (tail ? cells[x].width != 0 : cells[x].width != 1 && cells[x].width != 2)
            return CHECK_SAY("row %d column %d: width %d", y, x, (int)cells[x].width);
        if (tail && (x == 0 || cells[x - 1].width != 2))
            return CHECK_SAY("row %d column %d: a tail without its glyph", y, x);
        if (cells[x].width == 2 && (x + 1 == terminal_cols(terminal) || cells[x + 1].glyph != CELL_TAIL))
            return CHECK_SAY("row %d column %d: a wide glyph without its tail", y, x);
        if (cells[x].glyph >= CELL_CLUSTER)
            (void)terminal_cluster(terminal, cells[x].glyph, &length);
        else if (!tail && (cells[x].glyph > 0x10FFFF || (cells[x].glyph > 0 && cells[x].glyph < 0x20)))
            return CHECK_SAY("row %d column %d: glyph %x", y, x, cells[x].glyph);
        if (length == 0)
            return CHECK_SAY("row %d column %d: no such cluster", y, x);
    }
    return NULL;
}

static inline const char *check_terminal(const struct terminal *terminal)
{
    struct terminal_cursor cursor = terminal_cursor(terminal);

    for (int y = 0; y < terminal_rows(terminal); y++) {
        const char *wrong = check_row(terminal, y);
        if (wrong != NULL)
            return wrong;
    }
    if (cursor.x < 0 || cursor.x >= terminal_cols(terminal) || cursor.y < 0 ||
        cursor.y >= terminal_rows(terminal))
        return CHECK_SAY("the cursor is at %d, %d", cursor.x, cursor.y);
    if (terminal_scrollback_first(terminal) > terminal_scrollback_end(terminal))
        return CHECK_SAY("scrollback runs backwards");
    return NULL;
}

static inline const char *check_same_scrollback(const struct terminal *a, const struct terminal *b)
{
    struct buffer one = {0}, two = {0};
    bool same = terminal_scrollback_first(a) == terminal_scrollback_first(b) &&
                terminal_scrollback_end(a) == terminal_scrollback_end(b);

    if (!same)
        return CHECK_SAY(
            "scrollback [%llu, %llu) and [%llu, %llu)", (unsigned long long)terminal_scrollback_first(a),
            (unsigned long long)terminal_scrollback_end(a), (unsigned long long)terminal_scrollback_first(b),
            (unsigned long long)terminal_scrollback_end(b));
    for (uint64_t i = terminal_scrollback_first(a); i < terminal_scrollback_end(a) && same; i++) {
        buffer_clear(&one);
        buffer_clear(&two);
        dump_line(a, i, &one);
        dump_line(b, i, &two);
        same = strcmp(one.bytes, two.bytes) == 0;
        if (!same)
            (void)CHECK_SAY("scrollback line %llu: %.200s and %.200s", (unsigned long long)i, one.bytes,
                            two.bytes);
    }
    buffer_finish(&one);
    buffer_finish(&two);
    return same ? NULL : check_text;
}

static inline const char *check_same_modes(const struct terminal *a, const struct terminal *b)
{
    struct terminal_cursor one = terminal_cursor(a), two = terminal_cursor(b);
    struct terminal_modes m = terminal_modes(a), n = terminal_modes(b);

    if (one.x != two.x || one.y != two.y || one.visible != two.visible || one.blink != two.blink ||
        one.shape != two.shape)
        return CHECK_SAY("cursor %d,%d and %d,%d", one.x, one.y, two.x, two.y);
    if (m.alternate_screen != n.alternate_screen || m.synchronized != n.synchronized ||
        m.input.application_cursor != n.input.application_cursor ||
        m.input.application_keypad != n.input.application_keypad ||
        m.input.bracketed_paste != n.input.bracketed_paste || m.input.focus_events != n.input.focus_events ||
        m.input.modify_other_keys != n.input.modify_other_keys ||
        m.input.kitty_flags != n.input.kitty_flags || m.input.mouse_mode != n.input.mouse_mode ||
        m.input.mouse_encoding != n.input.mouse_encoding)
        return CHECK_SAY("modes differ");
    if (strcmp(terminal_title(a), terminal_title(b)) != 0)
        return CHECK_SAY("titles \"%s\" and \"%s\"", terminal_title(a), terminal_title(b));
    return NULL;
}

static inline const char *check_same(const struct terminal *a, const struct terminal *b)
{
    struct buffer one = {0}, two = {0};
    const char *wrong = NULL;

    if (terminal_cols(a) != terminal_cols(b) || terminal_rows(a) != terminal_rows(b))
        return CHECK_SAY("sizes differ");
    for (int y = 0; y < terminal_rows(a) && wrong == NULL; y++) {
        buffer_clear(&one);
        buffer_clear(&two);
        dump_row(a, y, &one);
        dump_row(b, y, &two);
        if (strcmp(one.bytes, two.bytes) != 0)
            wrong = CHECK_SAY("row %d: %.200s and %.200s", y, one.bytes, two.bytes);
    }
    buffer_finish(&one);
    buffer_finish(&two);
    if (wrong == NULL)
        wrong = check_same_modes(a, b);
    return wrong == NULL ? check_same_scrollback(a, b) : wrong;
}

/* A copy of a screen that is kept up to date as a client does: scrolled, then the changed rows replaced. */
struct mirror {
    char **rows;
    int count, cols;
    uint64_t version, epoch;
};

static inline void mirror_finish(struct mirror *mirror)
{
    for (int y = 0; y < mirror->count; y++)
        free(mirror->rows[y]);
    free(mirror->rows);
    *mirror = (struct mirror){0};
}

static inline void mirror_scroll(struct mirror *mirror, struct terminal_scroll scroll)
{
    int height = scroll.bottom - scroll.top;
    char **moved = xcalloc((size_t)height, sizeof *moved);

    for (int y = 0; y < height; y++)
        if (y + scroll.n >= 0 && y + scroll.n < height) {
            moved[y] = mirror->rows[scroll.top + y + scroll.n];
            mirror->rows[scroll.top + y + scroll.n] = NULL;
        }
    for (int y = 0; y < height; y++) {
        free(mirror->rows[scroll.top + y]);
        mirror->rows[scroll.top + y] = moved[y] != NULL ? moved[y] : xstrdup("(scrolled in)");
    }
    free(moved);
}

static inline char *mirror_row(const struct terminal *terminal, int y)
{
    struct buffer text = {0};

    dump_row(terminal, y, &text);
    /* The mark for a wrapped row is not part of what is drawn. */
    text.bytes[text.length - (text.bytes[text.length - 2] == '+' ? 2 : 1)] = '\0';
    return buffer_steal(&text);
}

static inline const char *mirror_update(struct mirror *mirror, const struct terminal *terminal)
{
    struct terminal_scroll scroll;
    const char *wrong = NULL;
    bool all = mirror->count != terminal_rows(terminal) || mirror->cols != terminal_cols(terminal) ||
               mirror->epoch != terminal_epoch(terminal);

    if (all) {
        mirror_finish(mirror);
        mirror->count = terminal_rows(terminal);
        mirror->cols = terminal_cols(terminal);
        mirror->rows = xcalloc((size_t)mirror->count, sizeof *mirror->rows);
        mirror->epoch = terminal_epoch(terminal);
    } else if (terminal_scrolled(terminal, mirror->version, &scroll)) {
        mirror_scroll(mirror, scroll);
    }
    for (int y = 0; y < mirror->count && wrong == NULL; y++) {
        char *row = mirror_row(terminal, y);
        if (all || terminal_row_changed(terminal, y, mirror->version)) {
            free(mirror->rows[y]);
            mirror->rows[y] = row;
            continue;
        }
        if (strcmp(row, mirror->rows[y]) != 0)
            wrong = CHECK_SAY("row %d changed unreported: %.150s was %.150s", y, row, mirror->rows[y]);
        free(row);
    }
    mirror->version = terminal_version(terminal);
    return wrong;
}

#endif
