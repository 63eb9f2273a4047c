#include "replay/screen_style.h"

#include <stdlib.h>
#include <string.h>

const struct style style_plain = {
    .foreground = COLOR_DEFAULT, .background = COLOR_DEFAULT, .underline_color = COLOR_DEFAULT};

enum color_depth color_depth(const char *no_color, const char *colorterm, const char *term)
{
    static const char *const rgb[] = {"kitty",   "alacritty", "foot",   "wezterm",
                                      "ghostty", "contour",   "-direct"};

    term = term == NULL ? "" : term;
    if (no_color != NULL && *no_color != '\0')
        return DEPTH_NONE;
    if (colorterm != NULL && (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0))
        return DEPTH_RGB;
    for (size_t i = 0; i < sizeof rgb / sizeof *rgb; i++) {
        if (strstr(term, rgb[i]) != NULL)
            return DEPTH_RGB;
    }
    if (strstr(term, "256color") != NULL)
        return DEPTH_256;
    return strncmp(term, "vt1", 3) == 0 || strncmp(term, "vt2", 3) == 0 ? DEPTH_NONE : DEPTH_16;
}

/* ---- fewer colours ---- */

static const unsigned char levels[] = {0, 95, 135, 175, 215, 255};

static uint32_t rgb_of_index(unsigned index)
{
    static const uint32_t basic[] = {0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD,
                                     0x00CDCD, 0xE5E5E5, 0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00,
                                     0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF};

    if (index < 16)
        return basic[index];
    if (index >= 232)
        return (8 + 10 * (index - 232)) * 0x010101u;
    index -= 16;
    return (uint32_t)levels[index / 36] << 16 | (uint32_t)levels[index / 6 % 6] << 8 | levels[index % 6];
}

static long distance(uint32_t a, uint32_t b)
{
    long red = (long)(a >> 16 & 255) - (long)(b >> 16 & 255);
    long green = (long)(a >> 8 & 255) - (long)(b >> 8 & 255), blue = (long)(a & 255) - (long)(b & 255);

    return red * red * 3 + green * green * 4 + blue * blue * 2;
}

/* Of the colours [first, end), the one that is most like it. */
static unsigned nearest(uint32_t rgb, unsigned first, unsigned end)
{
    unsigned best = first;

    for (unsigned i = first; i < end; i++) {
        if (distance(rgb, rgb_of_index(i)) < distance(rgb, rgb_of_index(best)))
            best = i;
    }
    return best;
}

static uint32_t reduce(uint32_t color, enum color_depth depth)
{
    if (color == COLOR_DEFAULT || depth == DEPTH_RGB)
        return color;
    if (depth == DEPTH_256)
        return (color & COLOR_RGB) != 0 ? nearest(color & 0xFFFFFF, 16, 256) : color;
    if ((color & COLOR_RGB) == 0 && color < 16)
        return color;
    return nearest((color & COLOR_RGB) != 0 ? color & 0xFFFFFF : rgb_of_index(color & 255), 0, 16);
}

/* ---- sequences ---- */

/* `base` is 30 or 40. */
static void append_color(struct buffer *out, uint32_t color, unsigned base, enum color_depth depth)
{
    if (depth == DEPTH_NONE || color == COLOR_DEFAULT)
        return;
    color = reduce(color, depth);
    buffer_append_char(out, ';');
    if ((color & COLOR_RGB) != 0)
        buffer_printf(out, "%u;2;%u;%u;%u", base + 8, color >> 16 & 255, color >> 8 & 255, color & 255);
    else if (color < 8)
        buffer_append_number(out, base + color);
    else if (color < 16)
        buffer_append_number(out, base + 60 + color - 8);
    else
        buffer_printf(out, "%u;5;%u", base + 8, color);
}

static void append_underline(struct buffer *out, const struct style *style, enum color_depth depth)
{
    if (style->underline == 0)
        return;
    if (style->underline == 1 || depth != DEPTH_RGB)
        buffer_append_string(out, style->underline == 2 ? ";21" : ";4");
    else
        buffer_printf(out, ";4:%d", style->underline);
    if (depth == DEPTH_RGB && style->underline_color != COLOR_DEFAULT) {
        if ((style->underline_color & COLOR_RGB) != 0)
            buffer_printf(out, ";58:2::%u:%u:%u", style->underline_color >> 16 & 255,
                          style->underline_color >> 8 & 255, style->underline_color & 255);
        else
            buffer_printf(out, ";58:5:%u", style->underline_color & 255);
    }
}

void style_sgr(struct buffer *out, const struct style *style, enum color_depth depth)
{
    static const char *const codes[] = {";1", ";2", ";3", ";5", ";7", ";8", ";9", ";53"};

    buffer_append_string(out, "\033[0");
    for (int bit = 0; bit < 8; bit++) {
        if ((style->attributes >> bit & 1) != 0)
            buffer_append_string(out, codes[bit]);
    }
    append_underline(out, style, depth);
    append_color(out, style->foreground, 30, depth);
    append_color(out, style->background, 40, depth);
    buffer_append_char(out, 'm');
}
