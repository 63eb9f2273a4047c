#include "tui/scroll.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "tui/canvas.h"
#include "tui/colour.h"
#include "tui/compose.h"
#include "tui/dialog.h"
#include "tui/outer.h"
#include "tui/page.h"
#include "tui/ui.h"

#define FETCH_LINES 500
#define PATTERN_BYTES 128

struct scroll {
    char uuid[UUID_SIZE];
    enum ui_mode before;
    struct page **pages; /* oldest first; the last is the screen */
    size_t count;
    int cols, height; /* of the pane */
    int rows;         /* of all pages */
    uint64_t first;   /* oldest line the host keeps */
    uint64_t loaded;  /* lines from here on are in the pages */
    bool fetching;
    int64_t wanted; /* line to go to once it is loaded; -1: none */
    int owed;       /* rows to go further up once there are some */
    int top;        /* first row shown */
    int x, y;       /* cursor: column, and row of all */
    bool selecting;
    int from_x, from_y;
    char pattern[PATTERN_BYTES];
    bool forwards;
};

/* ---- rows ---- */

static struct page *page_at(const struct scroll *scroll, int row, int *within)
{
    for (size_t i = 0; i < scroll->count; i++) {
        if (row < scroll->pages[i]->screen.rows) {
            *within = row;
            return scroll->pages[i];
        }
        row -= scroll->pages[i]->screen.rows;
    }
    return NULL;
}

static void row_text(const struct scroll *scroll, int row, struct buffer *out)
{
    int within;
    struct page *page = page_at(scroll, row, &within);

    buffer_clear(out);
    buffer_append(out, "", 0);
    if (page != NULL)
        page_text(page, within, 0, scroll->cols, true, out);
}

static uint64_t line_of(const struct scroll *scroll, int row)
{
    int within;
    struct page *page = page_at(scroll, row, &within);

    return page == NULL || page->lines == NULL ? 0 : page->lines[within];
}

static int clamp(int value, int least, int most)
{
    return value > most ? (most < least ? least : most) : value < least ? least : value;
}

static bool more_above(const struct scroll *scroll)
{
    return scroll->loaded == UINT64_MAX || scroll->loaded > scroll->first;
}

/* Keeps the cursor within the rows and the view around the cursor. A move beyond what is loaded goes on when more is. */
static void settle(struct ui *ui)
{
    struct scroll *scroll = ui->scroll;

    if (scroll->y < scroll->top)
        scroll->top = scroll->y;
    if (scroll->y >= scroll->top + scroll->height)
        scroll->top = scroll->y - scroll->height + 1;
    if (scroll->top < 0 && more_above(scroll))
        scroll->owed -= scroll->top;
    scroll->y = clamp(scroll->y, 0, scroll->rows - 1);
    scroll->x = clamp(scroll->x, 0, scroll->cols - 1);
    scroll->top = clamp(scroll->top, 0, scroll->rows - scroll->height);
    scroll->y = clamp(scroll->y, scroll->top, scroll->top + scroll->height - 1);
    ui_paint(ui, PAINT_PANES | PAINT_STATUS);
}

/* ---- fetching ---- */

static void fetch(struct ui *ui);

static void prepend(struct scroll *scroll, struct page *page)
{
    int added = page->screen.rows;

    scroll->pages = xreallocarray(scroll->pages, scroll->count + 1, sizeof *scroll->pages);
    memmove(scroll->pages + 1, scroll->pages, scroll->count * sizeof *scroll->pages);
    scroll->pages[0] = page;
    scroll->count++;
    scroll->rows += added;
    scroll->top += added - scroll->owed;
    scroll->y += added - scroll->owed;
    scroll->from_y += added;
    scroll->owed = 0;
}

static void go_to_line(struct ui *ui, uint64_t line)
{
    struct scroll *scroll = ui->scroll;

    for (int row = 0; row < scroll->rows; row++) {
        if (line_of(scroll, row) < line)
            continue;
        scroll->y = row;
        scroll->x = 0;
        scroll->top = row - scroll->height / 2;
        break;
    }
    settle(ui);
}

static void fetched(struct session *session, const json_t *result, const char *error)
{
    struct ui *ui = session->ui;
    struct scroll *scroll = ui->scroll;
    const json_t *lines = json_object_get(result, "lines");
    uint64_t first = (uint64_t)json_member_integer(result, "first", 0);

    if (scroll == NULL || strcmp(scroll->uuid, session->uuid) != 0)
        return;
    scroll->fetching = false;
    if (error != NULL) {
        ui_say(ui, true, "%s: no scrollback: %s", session->name, error);
        scroll->first = scroll->loaded;
        return;
    }
    if (scroll->loaded == UINT64_MAX) {
        /* The first answer only told where the scrollback ends. */
        scroll->loaded = (uint64_t)json_member_integer(result, "end", 0);
        scroll->first = first;
        for (int row = 0; row < scroll->pages[0]->screen.rows; row++)
            scroll->pages[0]->lines[row] += scroll->loaded;
    } else if (json_array_size(lines) == 0) {
        scroll->first = scroll->loaded;
    } else {
        scroll->loaded = (uint64_t)json_integer_value(json_array_get(json_array_get(lines, 0), 0));
        scroll->first = first;
        prepend(scroll, page_create(result, scroll->cols));
    }
    if (scroll->wanted >= 0 &&
        ((uint64_t)scroll->wanted >= scroll->loaded || scroll->loaded <= scroll->first)) {
        go_to_line(ui, (uint64_t)scroll->wanted);
        scroll->wanted = -1;
    }
    settle(ui);
    fetch(ui);
}

/* More is asked for while less than two views are above, or a line further up is wanted. */
static void fetch(struct ui *ui)
{
    struct scroll *scroll = ui->scroll;
    struct session *session = crew_find(&ui->crew, scroll->uuid);
    uint64_t from, count = FETCH_LINES;

    if (session == NULL || scroll->fetching)
        return;
    if (scroll->loaded == UINT64_MAX) {
        from = count = 0;
    } else {
        if (scroll->loaded <= scroll->first || (scroll->wanted < 0 && scroll->top > 2 * scroll->height))
            return;
        if (scroll->loaded - scroll->first < count)
            count = scroll->loaded - scroll->first;
        from = scroll->loaded - count;
    }
    scroll->fetching = session_call(session, "scrollback.get",
                                    json_pack("{s:i, s:I, s:I}", "attempt", (int)session->screen.attempt,
                                              "from", (json_int_t)from, "count", (json_int_t)count),
                                    fetched);
}

/* ---- opening and closing ---- */

void scroll_open(struct ui *ui)
{
    struct pane *pane = ui->focus == NULL ? NULL : ui_pane_of(ui, ui->focus);
    struct scroll *scroll;

    if (pane == NULL || pane->inside.rows <= 0 || ui->focus->screen.rows == 0 || ui->scroll != NULL)
        return;
    scroll = xcalloc(1, sizeof *scroll);
    memcpy(scroll->uuid, ui->focus->uuid, sizeof scroll->uuid);
    scroll->before = ui->mode == MODE_PREFIX ? MODE_PANE : ui->mode;
    scroll->cols = pane->inside.cols < 2 ? 2 : pane->inside.cols;
    scroll->height = pane->inside.rows;
    scroll->loaded = UINT64_MAX;
    scroll->wanted = -1;
    scroll->pages = xcalloc(1, sizeof *scroll->pages);
    scroll->pages[0] = page_of_screen(&ui->focus->screen, 0);
    scroll->count = 1;
    scroll->rows = ui->focus->screen.rows;
    scroll->y = ui->focus->screen.cursor.y;
    scroll->x = ui->focus->screen.cursor.x;
    scroll->top = pane->top;
    ui->scroll = scroll;
    ui_say(ui, false, "%s", "");
    ui_set_mode(ui, MODE_SCROLL);
    settle(ui);
    fetch(ui);
}

void scroll_close(struct ui *ui)
{
    struct scroll *scroll = ui->scroll;

    if (scroll == NULL)
        return;
    ui->scroll = NULL;
    for (size_t i = 0; i < scroll->count; i++)
        page_destroy(scroll->pages[i]);
    free(scroll->pages);
    if (ui->mode == MODE_SCROLL)
        ui_set_mode(ui, scroll->before);
    if (ui->focus != NULL)
        screen_touch(&ui->focus->screen);
    ui_paint(ui, PAINT_PANES | PAINT_STATUS);
    free(scroll);
}

/* ---- searching ---- */

static bool row_fits(const struct scroll *scroll, int row, struct buffer *text)
{
    bool upper = false;

    for (const char *at = scroll->pattern; *at != '\0'; at++)
        upper |= isupper((unsigned char)*at) != 0;
    row_text(scroll, row, text);
    return upper ? strstr(text->bytes, scroll->pattern) != NULL
                 : strcasestr(text->bytes, scroll->pattern) != NULL;
}

static void found(struct session *session, const json_t *result, const char *error)
{
    struct ui *ui = session->ui;
    struct scroll *scroll = ui->scroll;

    if (scroll == NULL || strcmp(scroll->uuid, session->uuid) != 0)
        return;
    if (error != NULL) {
        ui_say(ui, false, "\"%s\" is not found further up", scroll->pattern);
        return;
    }
    scroll->wanted = json_member_integer(result, "line", -1);
    if (scroll->wanted >= 0 && (uint64_t)scroll->wanted >= scroll->loaded) {
        go_to_line(ui, (uint64_t)scroll->wanted);
        scroll->wanted = -1;
    }
    fetch(ui);
}

static void search(struct ui *ui, bool forwards)
{
    struct scroll *scroll = ui->scroll;
    struct session *session = crew_find(&ui->crew, scroll->uuid);
    struct buffer text = {0};
    int step = forwards ? 1 : -1, row = scroll->y + step;

    if (scroll->pattern[0] == '\0')
        return;
    while (row >= 0 && row < scroll->rows && !row_fits(scroll, row, &text))
        row += step;
    buffer_finish(&text);
    if (row >= 0 && row < scroll->rows) {
        scroll->y = row;
        scroll->x = 0;
        settle(ui);
        fetch(ui);
    } else if (forwards || session == NULL || scroll->loaded == UINT64_MAX ||
               scroll->loaded <= scroll->first) {
        ui_say(ui, false, "\"%s\" is not found further %s", scroll->pattern, forwards ? "down" : "up");
    } else {
        (void)session_call(session, "scrollback.search",
                           json_pack("{s:s, s:I, s:b}", "pattern", scroll->pattern, "from",
                                     (json_int_t)(scroll->loaded - 1), "forwards", 0),
                           found);
    }
}

static void search_for(struct ui *ui, const char *text)
{
    struct scroll *scroll = ui->scroll;

    if (scroll == NULL || text[0] == '\0')
        return;
    (void)snprintf(scroll->pattern, sizeof scroll->pattern, "%s", text);
    search(ui, scroll->forwards);
}

/* ---- selecting ---- */

static bool selected_columns(const struct scroll *scroll, int row, int *from, int *to)
{
    int first_y = scroll->from_y, first_x = scroll->from_x, last_y = scroll->y, last_x = scroll->x;

    if (!scroll->selecting)
        return false;
    if (last_y < first_y || (last_y == first_y && last_x < first_x)) {
        first_y = scroll->y;
        first_x = scroll->x;
        last_y = scroll->from_y;
        last_x = scroll->from_x;
    }
    if (row < first_y || row > last_y)
        return false;
    *from = row == first_y ? first_x : 0;
    *to = row == last_y ? last_x + 1 : scroll->cols;
    return true;
}

/* The selected text, or without a selection the rows shown. */
static void copy(struct ui *ui)
{
    struct scroll *scroll = ui->scroll;
    int first = scroll->top, last = scroll->top + scroll->height - 1, from = 0, to = scroll->cols;
    struct buffer text = {0};

    if (scroll->selecting) {
        first = scroll->from_y < scroll->y ? scroll->from_y : scroll->y;
        last = scroll->from_y > scroll->y ? scroll->from_y : scroll->y;
    }
    for (int row = first; row <= last && row < scroll->rows; row++) {
        int within;
        struct page *page = page_at(scroll, row, &within);
        bool wrapped = page->screen.grid[within].wrapped && row < last;
        (void)selected_columns(scroll, row, &from, &to);
        page_text(page, within, from, to, !wrapped, &text);
        if (!wrapped && row < last)
            buffer_append_char(&text, '\n');
    }
    if (text.length > 0) {
        outer_copy(text.bytes, text.length);
        ui_say(ui, false, "copied %zu bytes", text.length);
    }
    buffer_finish(&text);
}

/* ---- keys ---- */

static bool move_key(struct scroll *scroll, struct key key)
{
    int page = scroll->height > 1 ? scroll->height - 1 : 1;

    if (key.modifiers == KEY_CTRL && key.code < 0x80) {
        int rows = key.code == 'u'   ? -scroll->height / 2
                   : key.code == 'd' ? scroll->height / 2
                   : key.code == 'b' ? -page
                   : key.code == 'f' ? page
                                     : 0;
        scroll->y += rows;
        scroll->top += rows;
        return rows != 0;
    }
    switch (key.code) {
    case KEYCODE_UP:
    case 'k':
        scroll->y--;
        return true;
    case KEYCODE_DOWN:
    case 'j':
        scroll->y++;
        return true;
    case KEYCODE_LEFT:
    case 'h':
        scroll->x--;
        return true;
    case KEYCODE_RIGHT:
    case 'l':
        scroll->x++;
        return true;
    case KEYCODE_PAGE_UP:
        scroll->y -= page;
        scroll->top -= page;
        return true;
    case KEYCODE_PAGE_DOWN:
        scroll->y += page;
        scroll->top += page;
        return true;
    case KEYCODE_HOME:
    case 'g':
        scroll->y = 0;
        scroll->wanted = (int64_t)(scroll->loaded == UINT64_MAX ? 0 : scroll->first);
        return true;
    case KEYCODE_END:
    case 'G':
        scroll->y = scroll->rows - 1;
        return true;
    case '0':
        scroll->x = 0;
        return true;
    case '$':
        scroll->x = scroll->cols - 1;
        return true;
    default:
        return false;
    }
}

void scroll_key(struct ui *ui, struct key key)
{
    struct scroll *scroll = ui->scroll;

    if (move_key(scroll, key)) {
        settle(ui);
        fetch(ui);
        return;
    }
    switch (key.code) {
    case '/':
    case '?':
        scroll->forwards = key.code == '?';
        ui_set_dialog(ui, dialog_line(scroll->forwards ? "search downwards" : "search upwards",
                                      scroll->pattern, search_for));
        break;
    case 'n':
        search(ui, false);
        break;
    case 'N':
        search(ui, true);
        break;
    case 'v':
    case ' ':
        scroll->selecting = !scroll->selecting;
        scroll->from_x = scroll->x;
        scroll->from_y = scroll->y;
        settle(ui);
        break;
    case 'y':
    case KEYCODE_ENTER:
        copy(ui);
        scroll_close(ui);
        break;
    case 'q':
    case KEYCODE_ESCAPE:
    case '[':
        scroll_close(ui);
        break;
    case 'c':
        if (key.modifiers == KEY_CTRL)
            scroll_close(ui);
        break;
    default:
        break;
    }
}

void scroll_wheel(struct ui *ui, int rows)
{
    struct scroll *scroll = ui->scroll;

    if (rows > 0 && scroll->top + scroll->height >= scroll->rows && !scroll->selecting) {
        scroll_close(ui);
        return;
    }
    scroll->top = clamp(scroll->top + rows, 0, scroll->rows - scroll->height);
    scroll->y = clamp(scroll->y, scroll->top, scroll->top + scroll->height - 1);
    settle(ui);
    fetch(ui);
}

void scroll_drag(struct ui *ui, int x, int y, bool begin)
{
    struct scroll *scroll = ui->scroll;

    scroll->x = clamp(x, 0, scroll->cols - 1);
    scroll->y = clamp(scroll->top + y, 0, scroll->rows - 1);
    if (begin) {
        scroll->selecting = true;
        scroll->from_x = scroll->x;
        scroll->from_y = scroll->y;
    }
    settle(ui);
    fetch(ui);
}

void scroll_drop(struct ui *ui)
{
    copy(ui);
    scroll_close(ui);
}

/* ---- painting ---- */

static void highlight(const struct ui *ui, int x, int y, int cols, enum theme_role role)
{
    const struct theme_look *look = &ui->theme.looks[role];
    int pair = colour_pair(look->foreground, look->background);

    if (cols > 0)
        (void)mvchgat(y, x, cols, colour_depth() == COLOUR_MONO ? A_REVERSE : A_NORMAL, (short)pair, &pair);
}

/* Marks the first place of the pattern in the row: columns are bytes only in plain text, so others are left alone. */
static void highlight_match(const struct ui *ui, const struct pane *pane, int row, int y)
{
    const struct scroll *scroll = ui->scroll;
    struct buffer text = {0};

    if (scroll->pattern[0] != '\0' && row_fits(scroll, row, &text)) {
        const char *at = strcasestr(text.bytes, scroll->pattern);
        bool plain = true;
        for (size_t i = 0; i < text.length; i++)
            plain &= (unsigned char)text.bytes[i] < 0x80;
        if (plain && at != NULL)
            highlight(ui, pane->inside.x + (int)(at - text.bytes), y, (int)strlen(scroll->pattern),
                      ROLE_MATCH);
    }
    buffer_finish(&text);
}

void scroll_paint(struct ui *ui, const struct pane *pane)
{
    struct scroll *scroll = ui->scroll;
    cchar_t cells[COMPOSE_COLS_MAX];
    int cols = pane->inside.cols < COMPOSE_COLS_MAX ? pane->inside.cols : COMPOSE_COLS_MAX;

    if (scroll == NULL)
        return;
    scroll->height = pane->inside.rows;
    for (int y = 0; y < pane->inside.rows; y++) {
        int row = scroll->top + y, within, from, to;
        struct page *page = page_at(scroll, row, &within);
        if (page == NULL) {
            canvas_fill((struct rectangle){pane->inside.x, pane->inside.y + y, cols, 1}, ROLE_TEXT);
            continue;
        }
        (void)mvadd_wchnstr(pane->inside.y + y, pane->inside.x, cells,
                            compose_row(&page->screen, within, 0, cols, cells));
        highlight_match(ui, pane, row, pane->inside.y + y);
        if (selected_columns(scroll, row, &from, &to))
            highlight(ui, pane->inside.x + from, pane->inside.y + y, clamp(to, 0, cols) - from, ROLE_COPY);
    }
}

bool scroll_cursor(const struct ui *ui, int *x, int *y)
{
    const struct scroll *scroll = ui->scroll;
    const struct pane *pane = ui_pane_of((struct ui *)(uintptr_t)ui, ui->focus);

    if (scroll == NULL || pane == NULL)
        return false;
    *x = pane->inside.x + clamp(scroll->x, 0, pane->inside.cols - 1);
    *y = pane->inside.y + clamp(scroll->y - scroll->top, 0, pane->inside.rows - 1);
    return true;
}

void scroll_describe(const struct ui *ui, char *out, int size)
{
    const struct scroll *scroll = ui->scroll;
    int below = scroll->rows - scroll->top - scroll->height;

    (void)snprintf(out, (size_t)size, "%d row%s up%s", below < 0 ? 0 : below, below == 1 ? "" : "s",
                   scroll->fetching ? "…" : "");
}
