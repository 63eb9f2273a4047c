#include "cli/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

#define CELL_WIDTH 8.4
#define CELL_HEIGHT 17
#define FOREGROUND 0xD8D8D8u
#define BACKGROUND 0x16161Au

/* Bits of "attr" (enum style_attribute). */
enum { BOLD = 1, DIM = 2, ITALIC = 4, BLINK = 8, REVERSE = 16, CONCEAL = 32, STRIKE = 64, OVERLINE = 128 };

static const json_t *style_of(const json_t *screen, const json_t *run)
{
    char id[24];

    (void)snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_array_get(run, 0)));
    return json_object_get(json_object_get(screen, "styles"), id);
}

/* Columns that a run takes. */
static int columns_of(const json_t *run)
{
    const json_t *text = json_array_get(run, 2);
    int width = (int)json_integer_value(json_array_get(run, 1)), points = 0;
    const char *bytes = json_string_value(text);

    for (size_t i = 0; bytes != NULL && i < json_string_length(text); i++)
        points += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return width < 0 ? -width : width * points;
}

static void ansi_color(struct buffer *out, const json_t *color, int base)
{
    unsigned rgb;

    if (json_is_integer(color))
        buffer_printf(out, ";%d;5;%d", base, (int)json_integer_value(color));
    else if (json_is_string(color) && sscanf(json_string_value(color), "#%6x", &rgb) == 1)
        buffer_printf(out, ";%d;2;%u;%u;%u", base, rgb >> 16, rgb >> 8 & 255, rgb & 255);
}

static void ansi_style(struct buffer *out, const json_t *style)
{
    static const int codes[] = {1, 2, 3, 5, 7, 8, 9, 53};
    int attributes = (int)json_member_integer(style, "attr", 0);

    buffer_append_string(out, "\033[0");
    for (int bit = 0; bit < 8; bit++) {
        if ((attributes >> bit & 1) != 0)
            buffer_printf(out, ";%d", codes[bit]);
    }
    if (json_member_integer(style, "ul", 0) > 0)
        buffer_printf(out, ";4:%d", (int)json_member_integer(style, "ul", 1));
    ansi_color(out, json_object_get(style, "fg"), 38);
    ansi_color(out, json_object_get(style, "bg"), 48);
    ansi_color(out, json_object_get(style, "uc"), 58);
    buffer_append_char(out, 'm');
}

static void text_line(const json_t *screen, const json_t *runs, bool ansi, struct buffer *out)
{
    size_t index, kept;
    json_t *run;

    kept = out->length;
    json_array_foreach(runs, index, run)
    {
        const json_t *text = json_array_get(run, 2);
        if (ansi)
            ansi_style(out, style_of(screen, run));
        if (json_is_string(text))
            buffer_append(out, json_string_value(text), json_string_length(text));
    }
    if (ansi)
        buffer_append_string(out, "\033[0m");
    while (!ansi && out->length > kept && out->bytes[out->length - 1] == ' ')
        out->length--;
    buffer_append_char(out, '\n');
}

void picture_text(const json_t *screen, bool ansi, struct buffer *out)
{
    int64_t rows = json_member_integer(screen, "rows", 0);
    const json_t *lines = json_object_get(screen, "lines");
    size_t index = 0;

    for (int64_t y = 0; y < rows; y++) {
        const json_t *line = json_array_get(lines, index);
        bool present = json_is_array(line) && json_integer_value(json_array_get(line, 0)) == y;
        text_line(screen, present ? json_array_get(line, 1) : NULL, ansi, out);
        index += present;
    }
}

/* The usual 256 colours. */
static unsigned indexed_rgb(int index)
{
    static const unsigned basic[] = {0x000000, 0xCD3131, 0x0DBC79, 0xE5E510, 0x2472C8, 0xBC3FBC,
                                     0x11A8CD, 0xE5E5E5, 0x666666, 0xF14C4C, 0x23D18B, 0xF5F543,
                                     0x3B8EEA, 0xD670D6, 0x29B8DB, 0xFFFFFF};
    static const unsigned steps[] = {0, 95, 135, 175, 215, 255};

    if (index < 16)
        return basic[index & 15];
    if (index < 232)
        return steps[(index - 16) / 36] << 16 | steps[(index - 16) / 6 % 6] << 8 | steps[(index - 16) % 6];
    return (8u + 10u * (unsigned)(index - 232)) * 0x010101u;
}

static unsigned color_of(const json_t *color, unsigned fallback)
{
    unsigned rgb;

    if (json_is_integer(color))
        return indexed_rgb((int)json_integer_value(color) & 255);
    if (json_is_string(color) && sscanf(json_string_value(color), "#%6x", &rgb) == 1)
        return rgb;
    return fallback;
}

static void append_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            buffer_append_string(out, "&lt;");
        else if (*text == '&')
            buffer_append_string(out, "&amp;");
        else
            buffer_append_char(out, *text);
    }
}

static void svg_run(const json_t *style, const char *text, int x, int y, int columns, struct buffer *out)
{
    int attributes = (int)json_member_integer(style, "attr", 0);
    unsigned foreground = color_of(json_object_get(style, "fg"), FOREGROUND);
    unsigned background = color_of(json_object_get(style, "bg"), BACKGROUND);

    if ((attributes & REVERSE) != 0) {
        unsigned kept = foreground;
        foreground = background;
        background = kept;
    }
    if (background != BACKGROUND)
        buffer_printf(out, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#%06x\"/>",
                      x * CELL_WIDTH, y * CELL_HEIGHT, columns * CELL_WIDTH, CELL_HEIGHT, background);
    if ((attributes & CONCEAL) != 0 || strspn(text, " ") == strlen(text))
        return;
    buffer_printf(out, "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" fill=\"#%06x\"%s%s%s%s>",
                  x * CELL_WIDTH, y * CELL_HEIGHT + 13, columns * CELL_WIDTH, foreground,
                  (attributes & BOLD) != 0 ? " font-weight=\"bold\"" : "",
                  (attributes & ITALIC) != 0 ? " font-style=\"italic\"" : "",
                  (attributes & DIM) != 0 ? " opacity=\"0.6\"" : "",
                  (attributes & STRIKE) != 0                ? " text-decoration=\"line-through\""
                  : json_member_integer(style, "ul", 0) > 0 ? " text-decoration=\"underline\""
                                                            : "");
    append_escaped(out, text);
    buffer_append_string(out, "</text>");
}

void picture_svg(const json_t *screen, struct buffer *out)
{
    int cols = (int)json_member_integer(screen, "cols", 0),
        rows = (int)json_member_integer(screen, "rows", 0);
    size_t index, part;
    json_t *line, *run;

    buffer_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%d\" font-family=\"monospace\" "
        "font-size=\"14\" xml:space=\"preserve\"><rect width=\"100%%\" height=\"100%%\" fill=\"#%06x\"/>\n",
        cols * CELL_WIDTH, rows * CELL_HEIGHT, BACKGROUND);
    json_array_foreach(json_object_get(screen, "lines"), index, line)
    {
        int x = 0, y = (int)json_integer_value(json_array_get(line, 0));
        json_array_foreach(json_array_get(line, 1), part, run)
        {
            const char *text = json_string_value(json_array_get(run, 2));
            int columns = columns_of(run);
            if (text != NULL)
                svg_run(style_of(screen, run), text, x, y, columns, out);
            x += columns;
        }
        buffer_append_char(out, '\n');
    }
    buffer_append_string(out, "</svg>\n");
}
