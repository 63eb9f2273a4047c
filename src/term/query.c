#include "term/emulator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#ifndef GANGER_VERSION
#define GANGER_VERSION "0"
#endif

/* What a cell measures in pixels, for programs that ask; nothing here is drawn in pixels. */
#define CELL_PIXELS_WIDE 8
#define CELL_PIXELS_HIGH 16

void reply(struct terminal *terminal, const char *bytes, size_t length)
{
    if (terminal_loud(terminal) && terminal->calls.reply != NULL && length > 0)
        terminal->calls.reply(terminal->argument, bytes, length);
}

void replyf(struct terminal *terminal, const char *format, ...)
{
    char bytes[512];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(bytes, sizeof bytes, format, args);
    va_end(args);
    if (length > 0 && (size_t)length < sizeof bytes)
        reply(terminal, bytes, (size_t)length);
}

void query_attributes(struct terminal *terminal, char leader)
{
    if (leader == 0)
        replyf(terminal, terminal->clipboard ? "\033[?62;22;52c" : "\033[?62;22c");
    else if (leader == '>')
        replyf(terminal, "\033[>1;300;0c");
    else if (leader == '=')
        replyf(terminal, "\033P!|00000000\033\\");
    else if (leader == 'q')
        replyf(terminal, "\033P>|ganger(%s)\033\\", GANGER_VERSION);
}

void query_status(struct terminal *terminal, const struct csi *csi)
{
    const char *mark = csi->leader == '?' ? "?" : "";
    int top = terminal->modes & MODE_ORIGIN ? terminal->margin_top : 0;

    if (csi_value(csi, 0, 0) == 5)
        replyf(terminal, "\033[%s0n", mark);
    else if (csi_value(csi, 0, 0) == 6)
        replyf(terminal, "\033[%s%d;%dR", mark, terminal->y - top + 1, terminal->x + 1);
}

void query_mode(struct terminal *terminal, const struct csi *csi)
{
    int mode = csi_value(csi, 0, 0);
    bool private = csi->leader == '?';

    replyf(terminal, "\033[%s%d;%d$y", private ? "?" : "", mode, modes_report(terminal, private, mode));
}

/* ---- titles and sizes ---- */

static void push_title(struct terminal *terminal)
{
    struct title_stack *stack = &terminal->title_stack;

    if (stack->depth == TITLE_STACK_MAX) {
        free(stack->titles[0]);
        memmove(stack->titles, stack->titles + 1, (TITLE_STACK_MAX - 1) * sizeof *stack->titles);
        stack->depth--;
    }
    stack->titles[stack->depth++] = xstrdup(terminal->title);
}

static void pop_title(struct terminal *terminal)
{
    struct title_stack *stack = &terminal->title_stack;
    char *title;

    if (stack->depth == 0)
        return;
    title = stack->titles[--stack->depth];
    osc_set_title(terminal, title, strlen(title));
    free(title);
}

void query_window(struct terminal *terminal, const struct csi *csi)
{
    int cols = terminal->cols, rows = terminal->rows;

    switch (csi_value(csi, 0, 0)) {
    case 14:
        replyf(terminal, "\033[4;%d;%dt", rows * CELL_PIXELS_HIGH, cols * CELL_PIXELS_WIDE);
        break;
    case 16:
        replyf(terminal, "\033[6;%d;%dt", CELL_PIXELS_HIGH, CELL_PIXELS_WIDE);
        break;
    case 18:
        replyf(terminal, "\033[8;%d;%dt", rows, cols);
        break;
    case 19:
        replyf(terminal, "\033[9;%d;%dt", rows, cols);
        break;
    case 22:
        if (csi_value(csi, 1, 0) != 1)
            push_title(terminal);
        break;
    case 23:
        if (csi_value(csi, 1, 0) != 1)
            pop_title(terminal);
        break;
    default:
        break;
    }
}

/* ---- DECRQSS ---- */

void query_setting(struct terminal *terminal, const char *what, size_t length)
{
    if (length == 1 && what[0] == 'm') {
        struct buffer text = {0};
        pen_format(&terminal->pen, &text);
        replyf(terminal, "\033P1$r%sm\033\\", text.bytes);
        buffer_finish(&text);
    } else if (length == 1 && what[0] == 'r') {
        replyf(terminal, "\033P1$r%d;%dr\033\\", terminal->margin_top + 1, terminal->margin_bottom);
    } else if (length == 2 && memcmp(what, " q", 2) == 0) {
        int blink = terminal->modes & MODE_CURSOR_BLINK ? 1 : 0;
        replyf(terminal, "\033P1$r%d q\033\\", terminal->cursor_shape * 2 - blink);
    } else {
        replyf(terminal, "\033P0$r\033\\");
    }
}

/* ---- colours ---- */

void palette_init(uint32_t palette[PALETTE_SIZE])
{
    /* xterm's own sixteen, its 6x6x6 cube and its greys. */
    static const uint32_t first[16] = {0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD,
                                       0x00CDCD, 0xE5E5E5, 0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00,
                                       0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF};
    static const uint32_t levels[6] = {0, 0x5F, 0x87, 0xAF, 0xD7, 0xFF};

    memcpy(palette, first, sizeof first);
    for (uint32_t i = 0; i < 216; i++)
        palette[16 + i] = levels[i / 36] << 16 | levels[i / 6 % 6] << 8 | levels[i % 6];
    for (uint32_t i = 0; i < 24; i++)
        palette[232 + i] = (8 + 10 * i) * 0x010101;
    palette[256] = 0xE5E5E5;
    palette[257] = 0x000000;
    palette[258] = 0xE5E5E5;
}

static void answer_color(struct terminal *terminal, const char *prefix, uint32_t rgb, bool bell)
{
    unsigned red = rgb >> 16 & 255, green = rgb >> 8 & 255, blue = rgb & 255;

    replyf(terminal, "\033]%s;rgb:%02x%02x/%02x%02x/%02x%02x%s", prefix, red, red, green, green, blue, blue,
           bell ? "\a" : "\033\\");
}

/* The field up to the next semicolon; *text moves behind it. */
static size_t next_field(const char **text, const char *end, const char **field)
{
    const char *stop = memchr(*text, ';', (size_t)(end - *text));

    *field = *text;
    if (stop == NULL)
        stop = end;
    *text = stop < end ? stop + 1 : end;
    return (size_t)(stop - *field);
}

static int small_number(const char *text, size_t length)
{
    int value = 0;

    if (length == 0 || length > 4)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool is_question(const char *text, size_t length)
{
    return length == 1 && text[0] == '?';
}

void query_palette(struct terminal *terminal, int number, const char *text, size_t length, bool bell)
{
    const char *end = text + length, *field;
    char prefix[16];

    while (text < end) {
        size_t size = next_field(&text, end, &field);
        if (number == 4) {
            int index = small_number(field, size);
            if (text >= end)
                break;
            size = next_field(&text, end, &field);
            if (index < 0 || index > 255 || !is_question(field, size))
                continue;
            (void)snprintf(prefix, sizeof prefix, "4;%d", index);
            answer_color(terminal, prefix, terminal->palette[index], bell);
            continue;
        }
        /* Further fields of OSC 10 speak of the next numbers. */
        if (number <= 12 && is_question(field, size)) {
            (void)snprintf(prefix, sizeof prefix, "%d", number);
            answer_color(terminal, prefix, terminal->palette[256 + number - 10], bell);
        }
        number++;
    }
}
