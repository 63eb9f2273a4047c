#include "tui/compose.h"

#include <string.h>
#include <wchar.h>

#include "base/utf8.h"
#include "tui/canvas.h"
#include "tui/colour.h"

#define CLUSTER_CODES 8

struct look {
    attr_t attributes;
    int pair;
};

static struct look look_of(const struct screen *screen, uint32_t place)
{
    const struct screen_style *style = &screen->styles[place < screen->style_count ? place : 0];

    return (struct look){.attributes = canvas_attributes(style->attributes, style->underline),
                         .pair = colour_pair(style->foreground, style->background)};
}

static size_t codes_of(const struct screen *screen, uint32_t glyph, uint32_t *codes)
{
    const char *text;
    size_t length, count = 0;

    if (glyph == 0)
        return 0;
    if ((glyph & SCREEN_CLUSTER) == 0) {
        codes[0] = glyph;
        return 1;
    }
    text = screen_cluster(screen, glyph);
    length = strlen(text);
    for (size_t at = 0; at < length && count < CLUSTER_CODES;) {
        int used = utf8_decode(text + at, length - at, &codes[count]);
        if (used <= 0)
            break;
        count++;
        at += (size_t)used;
    }
    return count;
}

int compose_row(const struct screen *screen, int y, int left, int cols, cchar_t *out)
{
    const struct screen_cell *cells = screen->grid[y].cells;
    struct look look = {0};
    uint32_t style = UINT32_MAX;
    int used = 0;

    for (int x = left; x < left + cols;) {
        const struct screen_cell *cell = x < screen->cols ? &cells[x] : NULL;
        uint32_t codes[CLUSTER_CODES];
        int width = cell != NULL && cell->width == 2 ? 2 : 1;
        size_t count = cell != NULL && cell->width != 0 ? codes_of(screen, cell->glyph, codes) : 0;

        if ((cell != NULL ? cell->style : 0) != style) {
            style = cell != NULL ? cell->style : 0;
            look = look_of(screen, style);
        }
        if (x + width > left + cols) {
            width = 1;
            count = 0;
        }
        canvas_cell(&out[used++], codes, count, look.attributes, look.pair);
        if (width == 2 && (count == 0 || wcwidth((wchar_t)codes[0]) < 2))
            canvas_cell(&out[used++], NULL, 0, look.attributes, look.pair);
        x += width;
    }
    return used;
}
