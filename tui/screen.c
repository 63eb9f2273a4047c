#include "tui/screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"

#define CLUSTERS_MAX 4096 /* kept before the unused ones are dropped */
#define CLUSTER_BYTES 64
#define STORED_LINE_MAX (16 * 1024 * 1024)

void screen_init(struct screen *screen)
{
    memset(screen, 0, sizeof *screen);
    screen->complete = true;
}

static void free_grid(struct screen *screen)
{
    for (int y = 0; y < screen->rows; y++)
        free(screen->grid[y].cells);
    free(screen->grid);
    screen->grid = NULL;
    screen->cols = screen->rows = 0;
}

static void free_clusters(struct screen *screen)
{
    for (size_t i = 0; i < screen->cluster_count; i++)
        free(screen->clusters[i]);
    screen->cluster_count = 0;
}

void screen_finish(struct screen *screen)
{
    free_grid(screen);
    free_clusters(screen);
    free(screen->clusters);
    free(screen->styles);
    free(screen->style_index);
    free(screen->title);
    screen_init(screen);
}

void screen_touch(struct screen *screen)
{
    for (int y = 0; y < screen->rows; y++)
        screen->grid[y].dirty = true;
    screen->moved = true;
}

/* ---- styles ---- */

static void forget_styles(struct screen *screen)
{
    if (screen->style_room == 0) {
        screen->style_room = 64;
        screen->styles = xcalloc(screen->style_room, sizeof *screen->styles);
        screen->index_room = 256;
        screen->style_index = xcalloc(screen->index_room, sizeof *screen->style_index);
    }
    memset(screen->style_index, 0, screen->index_room * sizeof *screen->style_index);
    screen->styles[0] =
        (struct screen_style){.foreground = FRAME_COLOR_DEFAULT, .background = FRAME_COLOR_DEFAULT};
    screen->style_count = 1;
}

static uint32_t *index_place(const struct screen *screen, uint32_t id)
{
    size_t place = id * 2654435761u % screen->index_room;

    while (screen->style_index[place] != 0 && screen->styles[screen->style_index[place] - 1].id != id)
        place = (place + 1) % screen->index_room;
    return &screen->style_index[place];
}

static void grow_styles(struct screen *screen)
{
    screen->style_room *= 2;
    screen->styles = xreallocarray(screen->styles, screen->style_room, sizeof *screen->styles);
    free(screen->style_index);
    screen->index_room = screen->style_room * 4;
    screen->style_index = xcalloc(screen->index_room, sizeof *screen->style_index);
    for (size_t i = 1; i < screen->style_count; i++)
        *index_place(screen, screen->styles[i].id) = (uint32_t)i + 1;
}

void screen_style(struct screen *screen, const struct frame_style *style)
{
    uint32_t *place;

    if (style->id == 0)
        return;
    if (screen->style_count == screen->style_room)
        grow_styles(screen);
    place = index_place(screen, style->id);
    if (*place == 0)
        *place = (uint32_t)++screen->style_count;
    screen->styles[*place - 1] = (struct screen_style){.id = style->id,
                                                       .foreground = style->foreground,
                                                       .background = style->background,
                                                       .attributes = style->attributes,
                                                       .underline = style->underline};
}

static uint32_t style_place(const struct screen *screen, uint32_t id)
{
    uint32_t place = id == 0 ? 1 : *index_place(screen, id);

    return place == 0 ? 0 : place - 1;
}

/* ---- clusters ---- */

const char *screen_cluster(const struct screen *screen, uint32_t glyph)
{
    return screen->clusters[glyph & ~SCREEN_CLUSTER];
}

/* Keeps the clusters that a cell shows. */
static void drop_unused_clusters(struct screen *screen)
{
    uint32_t *renamed = xcalloc(screen->cluster_count, sizeof *renamed);
    size_t kept = 0;

    for (int y = 0; y < screen->rows; y++) {
        for (int x = 0; x < screen->cols; x++) {
            struct screen_cell *cell = &screen->grid[y].cells[x];
            if ((cell->glyph & SCREEN_CLUSTER) != 0)
                renamed[cell->glyph & ~SCREEN_CLUSTER] = 1;
        }
    }
    for (size_t i = 0; i < screen->cluster_count; i++) {
        if (renamed[i] == 0) {
            free(screen->clusters[i]);
            continue;
        }
        screen->clusters[kept] = screen->clusters[i];
        renamed[i] = (uint32_t)kept++;
    }
    screen->cluster_count = kept;
    for (int y = 0; y < screen->rows; y++) {
        for (int x = 0; x < screen->cols; x++) {
            struct screen_cell *cell = &screen->grid[y].cells[x];
            if ((cell->glyph & SCREEN_CLUSTER) != 0)
                cell->glyph = SCREEN_CLUSTER | renamed[cell->glyph & ~SCREEN_CLUSTER];
        }
    }
    free(renamed);
}

static uint32_t add_cluster(struct screen *screen, const char *text, size_t length)
{
    /* The newest are looked at: repeated emoji mostly stand together. */
    for (size_t i = screen->cluster_count; i > 0 && i + 16 > screen->cluster_count; i--) {
        const char *known = screen->clusters[i - 1];
        if (strlen(known) == length && memcmp(known, text, length) == 0)
            return SCREEN_CLUSTER | (uint32_t)(i - 1);
    }
    if (screen->cluster_count == screen->cluster_room) {
        screen->cluster_room = screen->cluster_room == 0 ? 16 : screen->cluster_room * 2;
        screen->clusters = xreallocarray(screen->clusters, screen->cluster_room, sizeof *screen->clusters);
    }
    screen->clusters[screen->cluster_count] = xstrndup(text, length);
    return SCREEN_CLUSTER | (uint32_t)screen->cluster_count++;
}

/* ---- frames ---- */

struct reading {
    struct screen *screen;
    bool refused; /* the base is unknown: nothing is applied */
    int y, x;     /* the line being written */
    int changed;
};

static void make_grid(struct screen *screen, int cols, int rows)
{
    free_grid(screen);
    screen->cols = cols;
    screen->rows = rows;
    screen->grid = xcalloc((size_t)rows, sizeof *screen->grid);
    for (int y = 0; y < rows; y++)
        screen->grid[y].cells = xcalloc((size_t)cols, sizeof *screen->grid[y].cells);
}

static void clear_row(struct screen *screen, int y)
{
    memset(screen->grid[y].cells, 0, (size_t)screen->cols * sizeof *screen->grid[y].cells);
    screen->grid[y].wrapped = false;
    screen->grid[y].dirty = true;
}

static void take_head(void *argument, const struct frame_head *head)
{
    struct reading *reading = argument;
    struct screen *screen = reading->screen;
    bool continued = !screen->complete && head->frame == screen->frame;

    if (head->base == 0 && !continued) {
        if (head->cols != screen->cols || head->rows != screen->rows)
            make_grid(screen, head->cols, head->rows);
        for (int y = 0; y < screen->rows; y++)
            clear_row(screen, y);
        free_clusters(screen);
        forget_styles(screen);
        reading->changed = screen->rows;
    } else if (!continued &&
               (head->base != screen->frame || head->cols != screen->cols || head->rows != screen->rows)) {
        reading->refused = true;
        return;
    }
    if (!continued && screen->cluster_count > CLUSTERS_MAX)
        drop_unused_clusters(screen);
    screen->frame = head->frame;
    screen->attempt = head->attempt;
    screen->complete = !head->more;
}

static void take_style(void *argument, const struct frame_style *style)
{
    struct reading *reading = argument;

    if (!reading->refused)
        screen_style(reading->screen, style);
}

/* Reverses the order of rows [from, to). */
static void reverse_rows(struct screen *screen, int from, int to)
{
    for (to--; from < to; from++, to--) {
        struct screen_row row = screen->grid[from];
        screen->grid[from] = screen->grid[to];
        screen->grid[to] = row;
    }
}

static void take_scroll(void *argument, int top, int bottom, int n)
{
    struct reading *reading = argument;
    struct screen *screen = reading->screen;
    int height = bottom - top, shift;

    if (reading->refused || top < 0 || bottom > screen->rows || height <= 0 || n == 0)
        return;
    shift = n > 0 ? n : -n;
    if (shift > height)
        shift = height;
    /* A rotation by three reversals moves row pointers only. */
    reverse_rows(screen, top, n > 0 ? top + shift : bottom - shift);
    reverse_rows(screen, n > 0 ? top + shift : bottom - shift, bottom);
    reverse_rows(screen, top, bottom);
    for (int y = top; y < bottom; y++)
        screen->grid[y].dirty = true;
    for (int i = 0; i < shift; i++)
        clear_row(screen, n > 0 ? bottom - 1 - i : top + i);
    reading->changed += height;
}

static void take_line(void *argument, int64_t y)
{
    struct reading *reading = argument;

    if (reading->refused)
        return;
    reading->y = (int)y;
    reading->x = 0;
    reading->changed++;
    clear_row(reading->screen, reading->y);
}

static void put(struct reading *reading, uint32_t style, uint32_t glyph, int width)
{
    struct screen_row *row = &reading->screen->grid[reading->y];

    if (reading->x + width > reading->screen->cols)
        return;
    row->cells[reading->x] =
        (struct screen_cell){.glyph = glyph, .style = style & 0xFFFFFF, .width = (uint8_t)width};
    for (int i = 1; i < width; i++)
        row->cells[reading->x + i] = (struct screen_cell){.style = style & 0xFFFFFF};
    reading->x += width;
}

static void take_run(void *argument, uint32_t id, int width, const char *text, size_t length)
{
    struct reading *reading = argument;
    uint32_t style, code;

    if (reading->refused)
        return;
    style = style_place(reading->screen, id);
    if (width < 0) {
        put(reading, style,
            add_cluster(reading->screen, text, length < CLUSTER_BYTES ? length : CLUSTER_BYTES),
            -width > 2 ? 2 : -width);
        return;
    }
    for (size_t at = 0; at < length;) {
        int used = utf8_decode(text + at, length - at, &code);
        if (used <= 0) {
            code = UTF8_REPLACEMENT;
            used = used == 0 ? (int)(length - at) : -used;
        }
        put(reading, style, code, width);
        at += (size_t)used;
    }
}

static void take_line_end(void *argument, bool wrapped)
{
    struct reading *reading = argument;

    if (!reading->refused)
        reading->screen->grid[reading->y].wrapped = wrapped;
}

static void take_cursor(void *argument, const struct frame_cursor *cursor)
{
    struct reading *reading = argument;

    if (reading->refused)
        return;
    reading->screen->cursor = *cursor;
    reading->screen->moved = true;
}

static void take_modes(void *argument, const struct frame_modes *modes)
{
    struct reading *reading = argument;

    if (reading->refused)
        return;
    reading->screen->modes = *modes;
    reading->screen->moved = true;
}

static void take_title(void *argument, const char *title)
{
    struct reading *reading = argument;

    if (reading->refused)
        return;
    free(reading->screen->title);
    reading->screen->title = xstrdup(title);
}

static const struct frame_handler handler = {
    .head = take_head,
    .style = take_style,
    .scroll = take_scroll,
    .line = take_line,
    .run = take_run,
    .line_end = take_line_end,
    .cursor = take_cursor,
    .modes = take_modes,
    .title = take_title,
};

/* ---- by hand ---- */

void screen_make(struct screen *screen, int cols, int rows)
{
    make_grid(screen, cols, rows);
    free_clusters(screen);
    forget_styles(screen);
}

void screen_write(struct screen *screen, int *x, int *y, uint32_t style, int width, const char *text,
                  size_t length)
{
    struct reading reading = {.screen = screen, .x = *x, .y = *y};
    int columns = width < 0 ? -width : width;

    for (size_t at = 0; at < length;) {
        uint32_t code;
        int used = width < 0 ? (int)length : utf8_decode(text + at, length - at, &code);
        if (used <= 0)
            break;
        if (reading.x + columns > screen->cols) {
            if (reading.y + 1 >= screen->rows)
                break;
            screen->grid[reading.y++].wrapped = true;
            reading.x = 0;
        }
        take_run(&reading, style, width, text + at, (size_t)used);
        at += (size_t)used;
    }
    *x = reading.x;
    *y = reading.y;
}

void screen_copy(struct screen *copy, const struct screen *screen)
{
    screen_init(copy);
    if (screen->rows == 0)
        return;
    make_grid(copy, screen->cols, screen->rows);
    for (int y = 0; y < screen->rows; y++) {
        memcpy(copy->grid[y].cells, screen->grid[y].cells,
               (size_t)screen->cols * sizeof *copy->grid[y].cells);
        copy->grid[y].wrapped = screen->grid[y].wrapped;
    }
    copy->style_count = copy->style_room = screen->style_count;
    copy->styles = xcalloc(copy->style_room, sizeof *copy->styles);
    memcpy(copy->styles, screen->styles, screen->style_count * sizeof *copy->styles);
    copy->cluster_count = copy->cluster_room = screen->cluster_count;
    copy->clusters = xcalloc(copy->cluster_room + 1, sizeof *copy->clusters);
    for (size_t i = 0; i < screen->cluster_count; i++)
        copy->clusters[i] = xstrdup(screen->clusters[i]);
    copy->cursor = screen->cursor;
}

int screen_read(struct screen *screen, char *line, size_t length, int *changed, struct error *error)
{
    struct reading reading = {.screen = screen};
    int result = frame_read(line, length, &handler, &reading, error);

    *changed = reading.changed;
    return result < 0 ? -1 : reading.refused;
}

int screen_load(struct screen *screen, const json_t *stored, struct error *error)
{
    json_t *params = json_copy((json_t *)(uintptr_t)stored), *message;
    struct buffer line = {0};
    int changed, result;

    /* Stored screens have the members of a frame, but for what belongs to a connection. */
    (void)json_object_set_new(params, "frame", json_integer(1));
    (void)json_object_set_new(params, "base", json_integer(0));
    (void)json_object_set_new(params, "more", json_false());
    message = json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", "screen", "params", params);
    json_append_value(&line, message);
    json_decref(message);
    result = line.length > STORED_LINE_MAX ? error_set(error, "the stored screen is too large")
                                           : screen_read(screen, line.bytes, line.length, &changed, error);
    buffer_finish(&line);
    screen->frame = 0;
    return result;
}
