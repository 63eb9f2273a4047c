#include "tui/canvas.h"

#include <string.h>
#include <wchar.h>

#include "base/utf8.h"
#include "term/width.h"
#include "tui/colour.h"
#include "tui/screen.h"

#define ROW_MAX 2048
#define CLUSTER_CODES 4 /* curses keeps five wide characters a cell */

static const struct theme *theme;

void canvas_set_theme(const struct theme *chosen)
{
    theme = chosen;
}

attr_t canvas_attributes(uint16_t style, uint8_t underline)
{
    static const struct {
        uint16_t bit;
        attr_t attribute;
    } table[] = {{STYLE_BOLD, A_BOLD},         {STYLE_DIM, A_DIM},         {STYLE_ITALIC, A_ITALIC},
                 {STYLE_BLINK, A_BLINK},       {STYLE_REVERSE, A_REVERSE}, {STYLE_CONCEAL, A_INVIS},
                 {STYLE_STRIKE, A_HORIZONTAL}, {STYLE_OVERLINE, A_TOP}};
    static const attr_t underlines[] = {
        A_NORMAL,           A_UNDERLINE, A_UNDERLINE | A_RIGHT, A_UNDERLINE | A_LEFT, A_UNDERLINE | A_LOW,
        A_UNDERLINE | A_LOW};
    attr_t attributes = underline < 6 ? underlines[underline] : A_UNDERLINE;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((style & table[i].bit) != 0)
            attributes |= table[i].attribute;
    }
    /* Those that curses has no name for need the terminfo entry that gives them one. */
    if (colour_depth() != COLOUR_DIRECT)
        attributes &= ~(A_HORIZONTAL | A_TOP | A_RIGHT | A_LEFT | A_LOW);
    return attributes;
}

void canvas_cell(cchar_t *cell, const uint32_t *codes, size_t count, attr_t attributes, int pair)
{
    wchar_t wide[CLUSTER_CODES + 2];
    size_t used = 0;

    for (size_t i = 0; i < count && used <= CLUSTER_CODES; i++) {
        /* Only what takes no columns joins a cell; the rest of a sequence, and what makes a narrow character wide
         * in some terminals, is left out, so that columns stay true everywhere. */
        if (used > 0 && (wcwidth((wchar_t)codes[i]) != 0 || (codes[i] == 0xFE0F && wcwidth(wide[0]) < 2)))
            break;
        wide[used++] = (wchar_t)codes[i];
    }
    if (used > 1 && wide[used - 1] == 0x200D)
        used--;
    if (used == 0 || wcwidth(wide[0]) <= 0) {
        wide[0] = used == 0 ? L' ' : (wchar_t)UTF8_REPLACEMENT;
        used = 1;
    }
    wide[used] = L'\0';
    if (setcchar(cell, wide, attributes, 0, &pair) == ERR)
        (void)setcchar(cell, L" ", attributes, 0, &pair);
}

struct brush {
    attr_t attributes;
    int pair;
};

static struct brush brush_of(enum theme_role role, enum theme_role background)
{
    const struct theme_look *look = &theme->looks[role], *under = &theme->looks[background];

    return (struct brush){.attributes = canvas_attributes(look->attributes, look->underline),
                          .pair = colour_pair(look->foreground, under->background)};
}

/* Without colours a selected row is told by reverse video. */
static void emphasise(struct brush *brush, enum theme_role role, enum theme_role background)
{
    if (colour_depth() != COLOUR_MONO)
        return;
    if (background == ROLE_SELECTED || background == ROLE_STATUS_MODE || background == ROLE_MATCH ||
        background == ROLE_COPY || background == ROLE_FIELD || role == ROLE_STATUS_MODE)
        brush->attributes |= A_REVERSE;
}

/* The next cluster of the text: its code points, width and bytes. */
static size_t next_cluster(const char *text, size_t length, uint32_t *codes, size_t *count, int *width)
{
    struct cluster_state state = {0};
    size_t at = 0;

    *count = 0;
    *width = 0;
    while (at < length) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code), own;
        if (used <= 0) {
            code = UTF8_REPLACEMENT;
            used = used < 0 ? -used : 1;
        }
        own = width_of(code);
        if (*count == 0) {
            (void)cluster_extend(&state, code, &own);
            *width = own < 1 ? 1 : own;
            codes[(*count)++] = own < 0 ? ' ' : code;
        } else if (cluster_extend(&state, code, &own)) {
            *width = own;
            if (*count < CLUSTER_CODES)
                codes[(*count)++] = code;
        } else {
            break;
        }
        at += (size_t)used;
    }
    return at;
}

int canvas_text_on(int x, int y, int cols, enum theme_role role, enum theme_role background, const char *text)
{
    cchar_t row[ROW_MAX];
    struct brush brush = brush_of(role, background);
    size_t length = strlen(text), at = 0;
    int used = 0, cells = 0, total;
    uint32_t codes[CLUSTER_CODES];

    if (cols <= 0 || x < 0 || y < 0 || y >= LINES || x >= COLS)
        return 0;
    emphasise(&brush, role, background);
    cols = cols > COLS - x ? COLS - x : cols;
    total = width_of_text(text, length);
    while (at < length && used < cols && cells < ROW_MAX - 2) {
        size_t count;
        int width;
        size_t bytes = next_cluster(text + at, length - at, codes, &count, &width);
        if (used + width > cols - (total > cols ? 1 : 0))
            break;
        canvas_cell(&row[cells++], codes, count, brush.attributes, brush.pair);
        if (wcwidth((wchar_t)codes[0]) < width)
            canvas_cell(&row[cells++], NULL, 0, brush.attributes, brush.pair);
        used += width;
        at += bytes;
    }
    if (at < length && used < cols) {
        codes[0] = 0x2026;
        canvas_cell(&row[cells++], codes, 1, brush.attributes, brush.pair);
        used++;
    }
    (void)mvadd_wchnstr(y, x, row, cells);
    return used;
}

int canvas_text(int x, int y, int cols, enum theme_role role, const char *text)
{
    return canvas_text_on(x, y, cols, role, role, text);
}

void canvas_text_right(int x, int y, int cols, enum theme_role role, enum theme_role background,
                       const char *text)
{
    int width = width_of_text(text, strlen(text));

    if (width > cols)
        width = cols;
    (void)canvas_text_on(x + cols - width, y, width, role, background, text);
}

static void repeat(int x, int y, int cols, enum theme_role role, uint32_t code)
{
    cchar_t row[ROW_MAX];
    struct brush brush = brush_of(role, role);

    emphasise(&brush, role, role);
    if (y < 0 || y >= LINES || x >= COLS)
        return;
    cols = cols > COLS - x ? COLS - x : cols;
    cols = cols > ROW_MAX ? ROW_MAX : cols;
    if (cols <= 0)
        return;
    canvas_cell(&row[0], &code, 1, brush.attributes, brush.pair);
    for (int i = 1; i < cols; i++)
        row[i] = row[0];
    (void)mvadd_wchnstr(y, x, row, cols);
}

void canvas_fill(struct rectangle area, enum theme_role role)
{
    for (int y = 0; y < area.rows; y++)
        repeat(area.x, area.y + y, area.cols, role, ' ');
}

void canvas_line(int x, int y, int cols, enum theme_role role)
{
    repeat(x, y, cols, role, 0x2500);
}

void canvas_box(struct rectangle area, enum theme_role role)
{
    int right = area.x + area.cols - 1, bottom = area.y + area.rows - 1;

    if (area.cols < 2 || area.rows < 2)
        return;
    canvas_line(area.x + 1, area.y, area.cols - 2, role);
    canvas_line(area.x + 1, bottom, area.cols - 2, role);
    for (int y = area.y + 1; y < bottom; y++) {
        repeat(area.x, y, 1, role, 0x2502);
        repeat(right, y, 1, role, 0x2502);
    }
    repeat(area.x, area.y, 1, role, 0x256D);
    repeat(right, area.y, 1, role, 0x256E);
    repeat(area.x, bottom, 1, role, 0x2570);
    repeat(right, bottom, 1, role, 0x256F);
}
