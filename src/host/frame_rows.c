/* Rows of cells, and plain text, as runs of a frame. */
#include <string.h>

#include "base/utf8.h"
#include "host/frames.h"
#include "term/width.h"

/* Gathers characters of one style and width, so that the writer is called once a run. */
struct gathering {
    struct frame_writer *writer;
    uint32_t style;
    int width;
    size_t length;
    char text[1024];
};

static void gathering_end(struct gathering *run)
{
    frame_run(run->writer, run->style, run->width, run->text, run->length);
    run->length = 0;
}

static void gather(struct gathering *run, uint32_t style, int width, uint32_t code)
{
    if (style != run->style || width != run->width || run->length > sizeof run->text - 4)
        gathering_end(run);
    run->style = style;
    run->width = width;
    if (code < 0x80)
        run->text[run->length++] = (char)code;
    else
        run->length += (size_t)utf8_encode(code, run->text + run->length);
}

/* Cells after the last run are empty in style 0. */
static int used_cols(const struct cell *cells, int cols)
{
    while (cols > 0 && cells[cols - 1].style == 0 &&
           (cells[cols - 1].glyph == 0 || cells[cols - 1].glyph == ' '))
        cols--;
    return cols;
}

void frames_row(struct frame_writer *writer, const struct terminal *terminal, int y)
{
    const struct cell *cells = terminal_row(terminal, y);
    int cols = used_cols(cells, terminal_cols(terminal));
    struct gathering run = {.writer = writer, .width = 1};

    for (int x = 0; x < cols; x++) {
        const struct cell *cell = &cells[x];
        if (cell->glyph == CELL_TAIL)
            continue;
        if ((cell->glyph & CELL_CLUSTER) != 0) {
            size_t length;
            const char *text = terminal_cluster(terminal, cell->glyph, &length);
            gathering_end(&run);
            frame_run(writer, cell->style, -(int)cell->width, text, length);
        } else {
            gather(&run, cell->style, cell->width == 2 ? 2 : 1, cell->glyph == 0 ? ' ' : cell->glyph);
        }
    }
    gathering_end(&run);
}

void frames_text(struct frame_writer *writer, uint32_t style, const char *text, size_t length)
{
    struct gathering run = {.writer = writer, .style = style, .width = 1};
    size_t at = 0;

    while (at < length) {
        struct cluster_state state = {0};
        uint32_t first, code;
        int width = 1, longer = 1, points = 1, used = utf8_decode(text + at, length - at, &first);
        size_t end;
        if (used <= 0)
            break;
        end = at + (size_t)used;
        width = width_of(first);
        (void)cluster_extend(&state, first, &width);
        while (end < length && (used = utf8_decode(text + end, length - end, &code)) > 0 &&
               cluster_extend(&state, code, &longer)) {
            end += (size_t)used;
            width = longer;
            points++;
        }
        if (points == 1 && width >= 1) {
            gather(&run, style, width == 2 ? 2 : 1, first);
        } else {
            gathering_end(&run);
            frame_run(writer, style, width == 2 ? -2 : -1, text + at, end - at);
        }
        at = end;
    }
    gathering_end(&run);
}
