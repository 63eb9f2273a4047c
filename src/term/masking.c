#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "term/emulator.h"

struct shown {
    struct cell *cell;
    uint32_t glyph;
};

struct masked_cells {
    struct shown *items;
    size_t count, capacity;
};

/* Rows of which each goes on in the next, as text. */
struct joined {
    struct buffer text;
    struct cell **cells; /* of each byte */
    size_t capacity;
};

static void append_cell(struct joined *joined, const struct terminal *terminal, struct cell *cell)
{
    size_t start = joined->text.length, length;
    char bytes[4];
    const char *cluster;

    if (cell->glyph == CELL_TAIL)
        return;
    if (cell->glyph >= CELL_CLUSTER) {
        cluster = terminal_cluster(terminal, cell->glyph, &length);
        buffer_append(&joined->text, cluster, length);
    } else {
        length = (size_t)utf8_encode(cell->glyph == 0 ? ' ' : cell->glyph, bytes);
        buffer_append(&joined->text, bytes, length);
    }
    if (joined->text.length > joined->capacity) {
        joined->capacity = joined->text.length * 2;
        joined->cells = xreallocarray(joined->cells, joined->capacity, sizeof(struct cell *));
    }
    for (size_t i = start; i < joined->text.length; i++)
        joined->cells[i] = cell;
}

/* Some programs break lines at the edge themselves. */
static bool goes_on(const struct row *row, int cols)
{
    return row->wrapped ||
           (row->used == cols && row->cells[cols - 1].glyph != 0 && row->cells[cols - 1].glyph != ' ');
}

static void mask_cell(struct masked_cells *masked, struct cell *cell)
{
    if (masked->count > 0 && masked->items[masked->count - 1].cell == cell)
        return;
    if (masked->count == masked->capacity) {
        masked->capacity = masked->capacity * 2 + 64;
        masked->items = xreallocarray(masked->items, masked->capacity, sizeof *masked->items);
    }
    masked->items[masked->count++] = (struct shown){cell, cell->glyph};
    cell->glyph = '*';
}

static void mask_joined(struct masked_cells *masked, const struct mask *mask, struct joined *joined)
{
    size_t length = joined->text.length;
    char *before;

    if (length == 0)
        return;
    before = xmalloc(length);
    memcpy(before, joined->text.bytes, length);
    if (mask_text(mask, joined->text.bytes, length)) {
        for (size_t i = 0; i < length; i++) {
            if (joined->text.bytes[i] != before[i])
                mask_cell(masked, joined->cells[i]);
        }
    }
    free(before);
    buffer_clear(&joined->text);
}

static void mask_grid(struct masked_cells *masked, const struct terminal *terminal, struct grid *grid,
                      const struct mask *mask)
{
    struct joined joined = {0};

    for (int y = 0; grid->lines != NULL && y < grid->rows; y++) {
        struct row *row = &grid->lines[y];
        for (int x = 0; x < row->used; x++)
            append_cell(&joined, terminal, &row->cells[x]);
        if (!goes_on(row, grid->cols))
            mask_joined(masked, mask, &joined);
    }
    mask_joined(masked, mask, &joined);
    buffer_finish(&joined.text);
    free(joined.cells);
}

struct masked_cells *terminal_mask(struct terminal *terminal, const struct mask *mask)
{
    struct masked_cells *masked;

    if (mask == NULL || terminal == NULL)
        return NULL;
    masked = xcalloc(1, sizeof *masked);
    for (int i = 0; i < 2; i++)
        mask_grid(masked, terminal, &terminal->screens[i], mask);
    return masked;
}

void terminal_unmask(struct masked_cells *cells)
{
    if (cells == NULL)
        return;
    while (cells->count > 0) {
        cells->count--;
        cells->items[cells->count].cell->glyph = cells->items[cells->count].glyph;
    }
    free(cells->items);
    free(cells);
}
