#include "tui/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "rpc/frame.h"

#define ROWS_MAX 100000

static uint32_t colour_of(const json_t *value)
{
    const char *text = json_string_value(value);
    unsigned rgb;

    if (json_is_integer(value))
        return (uint32_t)json_integer_value(value) & 255;
    return text != NULL && sscanf(text, "#%6x", &rgb) == 1 ? FRAME_COLOR_RGB | rgb : FRAME_COLOR_DEFAULT;
}

static void take_styles(struct screen *screen, const json_t *styles)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)styles, key, value)
    {
        struct frame_style style = {
            .id = (uint32_t)strtoul(key, NULL, 10),
            .foreground = colour_of(json_object_get(value, "fg")),
            .background = colour_of(json_object_get(value, "bg")),
            .attributes = (uint16_t)json_member_integer(value, "attr", 0),
            .underline = (uint8_t)json_member_integer(value, "ul", 0),
        };
        screen_style(screen, &style);
    }
}

struct run {
    uint32_t style;
    int width;
    const char *text;
    size_t length;
};

static bool run_of(const json_t *value, struct run *run)
{
    const json_t *text = json_array_get(value, 2);

    if (!json_is_string(text) || !json_is_integer(json_array_get(value, 0)) ||
        !json_is_integer(json_array_get(value, 1)))
        return false;
    run->style = (uint32_t)json_integer_value(json_array_get(value, 0)) & 0xFFFFFF;
    run->width = (int)json_integer_value(json_array_get(value, 1));
    run->text = json_string_value(text);
    run->length = json_string_length(text);
    return run->width != 0 && run->width >= -2 && run->width <= 2;
}

static size_t code_points(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* How many rows a logical line takes: no less than needed, since a wide character may leave a column empty. */
static int rows_of(const json_t *runs, int cols)
{
    size_t columns = 0, index;
    const json_t *value;
    int usable = cols - 1;

    json_array_foreach(runs, index, value)
    {
        struct run run;
        if (run_of(value, &run))
            columns +=
                run.width < 0 ? (size_t)-run.width : (size_t)run.width * code_points(run.text, run.length);
    }
    columns = columns <= (size_t)cols ? 1 : (columns + (size_t)usable - 1) / (size_t)usable;
    return columns > ROWS_MAX ? ROWS_MAX : (int)columns;
}

/* Writes a line from row `y` on and returns the row after it. */
static int write_line(struct page *page, const json_t *line, int y)
{
    const json_t *value;
    uint64_t number = (uint64_t)json_integer_value(json_array_get(line, 0));
    int x = 0, first = y;
    size_t index;

    json_array_foreach(json_array_get(line, 1), index, value)
    {
        struct run run;
        if (run_of(value, &run))
            screen_write(&page->screen, &x, &y, run.style, run.width, run.text, run.length);
    }
    for (int row = first; row <= y; row++)
        page->lines[row] = number;
    return y + 1;
}

struct page *page_create(const json_t *answer, int cols)
{
    struct page *page = xcalloc(1, sizeof *page);
    const json_t *lines = json_object_get(answer, "lines"), *line;
    int rows = 0, y = 0;
    size_t index;

    screen_init(&page->screen);
    json_array_foreach(lines, index, line)
    {
        rows += rows_of(json_array_get(line, 1), cols);
        if (rows > ROWS_MAX) {
            rows = ROWS_MAX;
            break;
        }
    }
    if (rows == 0)
        return page;
    screen_make(&page->screen, cols, rows);
    page->lines = xcalloc((size_t)rows, sizeof *page->lines);
    take_styles(&page->screen, json_object_get(answer, "styles"));
    json_array_foreach(lines, index, line)
    {
        if (y >= rows)
            break;
        y = write_line(page, line, y);
    }
    /* The estimate may be one too many for a line; what was not written is not shown. */
    for (int row = y; row < rows; row++)
        free(page->screen.grid[row].cells);
    page->screen.rows = y < rows ? y : rows;
    return page;
}

struct page *page_of_screen(const struct screen *screen, uint64_t line)
{
    struct page *page = xcalloc(1, sizeof *page);

    screen_copy(&page->screen, screen);
    page->lines = xcalloc((size_t)screen->rows + 1, sizeof *page->lines);
    for (int y = 0; y < screen->rows; y++)
        page->lines[y] = line + (uint64_t)y;
    return page;
}

void page_destroy(struct page *page)
{
    if (page == NULL)
        return;
    screen_finish(&page->screen);
    free(page->lines);
    free(page);
}

void page_text(const struct page *page, int row, int from, int to, bool trim, struct buffer *out)
{
    const struct screen *screen = &page->screen;
    size_t kept = out->length;
    bool after_wide = false;

    for (int x = from < 0 ? 0 : from; x < to && x < screen->cols; x++) {
        const struct screen_cell *cell = &screen->grid[row].cells[x];
        char bytes[4];
        if (after_wide) {
            after_wide = false;
            continue;
        }
        after_wide = cell->width == 2;
        if (cell->glyph == 0)
            buffer_append_char(out, ' ');
        else if ((cell->glyph & SCREEN_CLUSTER) != 0)
            buffer_append_string(out, screen_cluster(screen, cell->glyph));
        else
            buffer_append(out, bytes, (size_t)utf8_encode(cell->glyph, bytes));
        if (cell->glyph != 0 && cell->glyph != ' ')
            kept = out->length;
    }
    if (trim && out->bytes != NULL) {
        out->length = kept;
        out->bytes[kept] = '\0';
    }
}
