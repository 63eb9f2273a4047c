#include "tui/layout.h"

#include <string.h>

#define PANEL_MIN_COLS 70 /* of the whole screen, for a side panel */
#define STRIP_MIN_ROWS 6

static const char *const names[LAYOUT_COUNT] = {"tiled", "main-and-stack", "columns", "rows", "zoomed"};

const char *layout_name(enum layout_kind kind)
{
    return names[kind];
}

int layout_find(const char *name)
{
    for (int kind = 0; kind < LAYOUT_COUNT; kind++) {
        if (strcmp(names[kind], name) == 0)
            return kind;
    }
    return -1;
}

static size_t at_least_one(int number)
{
    return number < 1 ? 1 : (size_t)number;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t layout_capacity(enum layout_kind kind, struct rectangle area)
{
    size_t across = at_least_one(area.cols / LAYOUT_PANE_COLS),
           down = at_least_one(area.rows / LAYOUT_PANE_ROWS);
    size_t count = 1;

    switch (kind) {
    case LAYOUT_TILED:
        count = across * down;
        break;
    case LAYOUT_MAIN:
        count = across < 2 ? 1 : 1 + down;
        break;
    case LAYOUT_COLUMNS:
        count = across;
        break;
    case LAYOUT_ROWS:
        count = down;
        break;
    case LAYOUT_ZOOMED:
    case LAYOUT_COUNT:
        break;
    }
    return smaller(count, LAYOUT_PANES_MAX);
}

/* The `index`th of `count` parts of a length, differing by at most one. */
static void part(int start, int length, size_t count, size_t index, int *from, int *size)
{
    int first = length * (int)index / (int)count;

    *from = start + first;
    *size = length * ((int)index + 1) / (int)count - first;
}

static void columns(struct rectangle area, size_t count, struct rectangle *panes)
{
    for (size_t i = 0; i < count; i++) {
        panes[i] = area;
        part(area.x, area.cols, count, i, &panes[i].x, &panes[i].cols);
    }
}

static void rows(struct rectangle area, size_t count, struct rectangle *panes)
{
    for (size_t i = 0; i < count; i++) {
        panes[i] = area;
        part(area.y, area.rows, count, i, &panes[i].y, &panes[i].rows);
    }
}

/* The number of rows of tiles that comes nearest to 80x24 for each; width counts more, since lines break. */
static size_t tile_rows(struct rectangle area, size_t count)
{
    size_t best = 1;
    double best_score = -1;

    for (size_t down = 1; down <= count; down++) {
        size_t across = (count - 1) / down + 1;
        int width = area.cols / (int)across, height = area.rows / (int)down;
        double wide = width / 80.0, high = height / 24.0, score;
        if ((across - 1) * down >= count)
            continue;
        wide = wide < 1 ? wide : 1 + wide / 1000;
        high = high < 1 ? high : 1 + high / 1000;
        score = wide * wide * high;
        if (down > 1 && height < LAYOUT_PANE_ROWS)
            continue;
        if (width < LAYOUT_PANE_COLS && across > 1)
            score = score / 100;
        if (score > best_score) {
            best_score = score;
            best = down;
        }
    }
    return best;
}

static void tiled(struct rectangle area, size_t count, struct rectangle *panes)
{
    size_t down = tile_rows(area, count), done = 0;

    for (size_t i = 0; i < down; i++) {
        struct rectangle row = area;
        size_t here = (count - done + down - i - 1) / (down - i);
        part(area.y, area.rows, down, i, &row.y, &row.rows);
        columns(row, here, panes + done);
        done += here;
    }
}

void layout_arrange(enum layout_kind kind, struct rectangle area, size_t count, struct rectangle *panes)
{
    struct rectangle left = area, right = area;

    if (count == 0)
        return;
    switch (kind) {
    case LAYOUT_TILED:
        tiled(area, count, panes);
        break;
    case LAYOUT_MAIN:
        panes[0] = area;
        if (count == 1)
            break;
        left.cols = area.cols * 3 / 5;
        right.x += left.cols;
        right.cols -= left.cols;
        panes[0] = left;
        rows(right, count - 1, panes + 1);
        break;
    case LAYOUT_COLUMNS:
        columns(area, count, panes);
        break;
    case LAYOUT_ROWS:
        rows(area, count, panes);
        break;
    case LAYOUT_ZOOMED:
    case LAYOUT_COUNT:
        panes[0] = area;
        break;
    }
}

static int panel_cols(int cols)
{
    return cols >= 150 ? 42 : cols >= 100 ? 34 : 27;
}

struct layout_parts layout_divide(int cols, int rows_all, bool panel)
{
    struct layout_parts parts = {.panes = {0, 0, cols, rows_all}};

    if (rows_all >= 3) {
        parts.status = (struct rectangle){0, rows_all - 1, cols, 1};
        parts.panes.rows--;
    }
    if (panel && cols >= PANEL_MIN_COLS) {
        parts.panel = parts.panes;
        parts.panel.cols = panel_cols(cols);
        parts.panel.x = cols - parts.panel.cols;
        parts.panes.cols -= parts.panel.cols;
    } else if (panel && rows_all >= STRIP_MIN_ROWS) {
        parts.strip = (struct rectangle){0, 0, cols, 1};
        parts.panes.y++;
        parts.panes.rows--;
    }
    return parts;
}

int layout_clip(int size, int room, int cursor, int offset)
{
    if (size <= room)
        return 0;
    if (cursor < offset)
        offset = cursor;
    if (cursor >= offset + room)
        offset = cursor - room + 1;
    if (offset > size - room)
        offset = size - room;
    return offset < 0 ? 0 : offset;
}

bool layout_contains(struct rectangle area, int x, int y)
{
    return x >= area.x && x < area.x + area.cols && y >= area.y && y < area.y + area.rows;
}
