#include "term/emulator.h"

static const struct {
    uint16_t attribute;
    unsigned char on, off;
} attributes[] = {
    {STYLE_BOLD, 1, 22},    {STYLE_DIM, 2, 22},    {STYLE_ITALIC, 3, 23},
    {STYLE_BLINK, 5, 25},   {STYLE_BLINK, 6, 25},  {STYLE_REVERSE, 7, 27},
    {STYLE_CONCEAL, 8, 28}, {STYLE_STRIKE, 9, 29}, {STYLE_OVERLINE, 53, 55},
};

static bool is_sub(const struct csi *csi, int i)
{
    return i < csi->count && csi->sub >> i & 1;
}

/* How many of the parameters after i belong to it by colons. */
static int sub_count(const struct csi *csi, int i)
{
    int count = 0;

    while (is_sub(csi, i + 1 + count))
        count++;
    return count;
}

static int component(const struct csi *csi, int i)
{
    return csi_value(csi, i, 0);
}

static bool make_rgb(int red, int green, int blue, uint32_t *color)
{
    if (red > 255 || green > 255 || blue > 255)
        return false;
    *color = COLOR_RGB | (uint32_t)red << 16 | (uint32_t)green << 8 | (uint32_t)blue;
    return true;
}

/* 38:5:n, 38:2:r:g:b and 38:2:space:r:g:b (ISO 8613-6). */
static void color_of_subs(const struct csi *csi, int i, int subs, uint32_t *color)
{
    int kind = component(csi, i + 1);

    if (kind == 5 && subs >= 2 && component(csi, i + 2) <= 255)
        *color = (uint32_t)component(csi, i + 2);
    else if (kind == 2 && subs == 4)
        (void)make_rgb(component(csi, i + 2), component(csi, i + 3), component(csi, i + 4), color);
    else if (kind == 2 && subs >= 5)
        (void)make_rgb(component(csi, i + 3), component(csi, i + 4), component(csi, i + 5), color);
}

/* 38;5;n and 38;2;r;g;b; returns how many parameters were used after i. */
static int color_of_params(const struct csi *csi, int i, uint32_t *color)
{
    int kind = i + 1 < csi->count ? component(csi, i + 1) : 0;

    if (kind == 5) {
        if (i + 2 < csi->count && component(csi, i + 2) <= 255)
            *color = (uint32_t)component(csi, i + 2);
        return 2;
    }
    if (kind == 2) {
        if (i + 4 < csi->count)
            (void)make_rgb(component(csi, i + 2), component(csi, i + 3), component(csi, i + 4), color);
        return 4;
    }
    return 1;
}

static uint32_t *color_target(struct style *pen, int code)
{
    return code == 38 ? &pen->foreground : code == 48 ? &pen->background : &pen->underline_color;
}

static bool set_color(struct style *pen, int code)
{
    if (code >= 30 && code <= 37)
        pen->foreground = (uint32_t)code - 30;
    else if (code >= 40 && code <= 47)
        pen->background = (uint32_t)code - 40;
    else if (code >= 90 && code <= 97)
        pen->foreground = (uint32_t)code - 90 + 8;
    else if (code >= 100 && code <= 107)
        pen->background = (uint32_t)code - 100 + 8;
    else if (code == 39)
        pen->foreground = COLOR_DEFAULT;
    else if (code == 49)
        pen->background = COLOR_DEFAULT;
    else if (code == 59)
        pen->underline_color = COLOR_DEFAULT;
    else
        return false;
    return true;
}

static void set_attribute(struct style *pen, int code)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (code == attributes[i].on)
            pen->attributes |= attributes[i].attribute;
        else if (code == attributes[i].off)
            pen->attributes &= (uint16_t)~attributes[i].attribute;
    }
}

static void set_underline(struct style *pen, int code, const struct csi *csi, int i, int subs)
{
    int kind = code == 24 ? 0 : code == 21 ? 2 : subs > 0 ? csi_value(csi, i + 1, 1) : 1;

    if (kind <= 5)
        pen->underline = (uint8_t)kind;
}

static void reset(struct style *pen)
{
    uint16_t link = pen->link;

    *pen = style_default;
    pen->link = link;
}

void pen_sgr(struct style *pen, const struct csi *csi)
{
    for (int i = 0; i < csi->count; i++) {
        int code = component(csi, i), subs = sub_count(csi, i);

        if (code == 0)
            reset(pen);
        else if (code == 4 || code == 21 || code == 24)
            set_underline(pen, code, csi, i, subs);
        else if (code == 38 || code == 48 || code == 58) {
            if (subs > 0)
                color_of_subs(csi, i, subs, color_target(pen, code));
            else
                i += color_of_params(csi, i, color_target(pen, code));
        } else if (!set_color(pen, code))
            set_attribute(pen, code);
        i += subs;
    }
}

static void format_color(struct buffer *out, int code, uint32_t color)
{
    if (color == COLOR_DEFAULT)
        return;
    if (color & COLOR_RGB)
        buffer_printf(out, ";%d:2::%u:%u:%u", code, color >> 16 & 255, color >> 8 & 255, color & 255);
    else if (code != 58 && color < 8)
        buffer_printf(out, ";%u", (unsigned)code - 8 + color);
    else
        buffer_printf(out, ";%d:5:%u", code, color);
}

void pen_format(const struct style *style, struct buffer *out)
{
    uint16_t done = 0;

    buffer_append_char(out, '0');
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (style->attributes & attributes[i].attribute & ~done)
            buffer_printf(out, ";%d", attributes[i].on);
        done |= attributes[i].attribute;
    }
    if (style->underline == 1)
        buffer_append_string(out, ";4");
    else if (style->underline > 1)
        buffer_printf(out, ";4:%d", style->underline);
    format_color(out, 38, style->foreground);
    format_color(out, 48, style->background);
    format_color(out, 58, style->underline_color);
}
