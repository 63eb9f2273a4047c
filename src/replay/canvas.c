#include "replay/canvas.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char begin_frame[] = "\033[?2026h\033[?25l";
static const char end_frame[] = "\033[?2026l";

static void begin(struct canvas *canvas)
{
    if (canvas->out.length == 0)
        buffer_append_string(&canvas->out, begin_frame);
}

static void free_rows(struct canvas *canvas)
{
    for (int y = 0; y < canvas->height; y++)
        buffer_finish(&canvas->rows[y]);
    free(canvas->rows);
}

void canvas_reset(struct canvas *canvas, int width, int height)
{
    free_rows(canvas);
    canvas->width = width;
    canvas->height = height;
    canvas->rows = xcalloc((size_t)height, sizeof *canvas->rows);
    canvas->cursor_x = -1;
    buffer_clear(&canvas->out);
    begin(canvas);
    buffer_append_string(&canvas->out, "\033[0m\033[2J");
}

void canvas_finish(struct canvas *canvas)
{
    free_rows(canvas);
    buffer_finish(&canvas->out);
    buffer_finish(&canvas->sent);
    *canvas = (struct canvas){.rows = NULL};
}

void canvas_row(struct canvas *canvas, int y, const struct buffer *bytes)
{
    struct buffer *row = &canvas->rows[y];

    if (row->length == bytes->length &&
        (row->length == 0 || memcmp(row->bytes, bytes->bytes, row->length) == 0))
        return;
    buffer_clear(row);
    buffer_append(row, bytes->bytes, bytes->length);
    begin(canvas);
    buffer_printf(&canvas->out, "\033[%dH", y + 1);
    buffer_append(&canvas->out, bytes->bytes, bytes->length);
}

void canvas_cursor(struct canvas *canvas, int x, int y)
{
    y = x < 0 ? 0 : y;
    if (canvas->out.length == 0 && canvas->cursor_x == x && canvas->cursor_y == y)
        return;
    begin(canvas);
    if (x >= 0)
        buffer_printf(&canvas->out, "\033[0m\033[%d;%dH\033[?25h", y + 1, x + 1);
    canvas->cursor_x = x;
    canvas->cursor_y = y;
}

const struct buffer *canvas_frame(struct canvas *canvas)
{
    static const struct buffer nothing = {.length = 0};
    struct buffer kept;

    if (canvas->out.length == 0)
        return &nothing;
    buffer_append(&canvas->out, end_frame, sizeof end_frame - 1);
    kept = canvas->sent;
    canvas->sent = canvas->out;
    canvas->out = kept;
    buffer_clear(&canvas->out);
    return &canvas->sent;
}
