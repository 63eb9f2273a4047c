#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "term/width.h"
#include "tui/canvas.h"
#include "tui/compose.h"
#include "tui/scroll.h"
#include "tui/ui.h"

#define WAIT_SAID_MS 300

void pane_place(struct pane *pane, struct rectangle area, bool framed)
{
    pane->area = area;
    pane->inside = area;
    if (!framed)
        return;
    if (area.rows < 3 || area.cols < 4) {
        pane->inside.rows = pane->inside.cols = 0;
        return;
    }
    pane->inside = (struct rectangle){area.x + 1, area.y + 1, area.cols - 2, area.rows - 2};
}

/* ---- the border ---- */

static void paint_state(const struct ui *ui, const struct pane *pane, int *right, int left)
{
    const struct session *session = pane->session;
    const struct phase_look *look = phase_look(session->phase);
    char elapsed[24], text[64];
    int width;

    phase_time(session->phase, session->since_ms, session->until_ms, clock_realtime_ms(), elapsed,
               sizeof elapsed);
    (void)ui;
    (void)snprintf(text, sizeof text, " %s %s%s%s ", look->glyph, look->name, elapsed[0] != '\0' ? " " : "",
                   elapsed);
    width = width_of_text(text, strlen(text));
    if (*right - width < left + 8) {
        (void)snprintf(text, sizeof text, " %s ", look->glyph);
        width = width_of_text(text, strlen(text));
    }
    if (*right - width < left + 4)
        return;
    *right -= width;
    (void)canvas_text(*right, pane->area.y, width, look->role, text);
}

void pane_paint_border(const struct ui *ui, const struct pane *pane)
{
    bool focused = pane->session == ui->focus;
    enum theme_role border = focused ? ROLE_BORDER_FOCUSED : ROLE_BORDER;
    struct rectangle area = pane->area;
    int left = area.x + 2, right = area.x + area.cols - 2;
    char text[160];

    if (pane->inside.rows == area.rows || area.cols < 4)
        return;
    canvas_box(area, border);
    if (area.rows < 2)
        canvas_line(area.x, area.y, area.cols, border);
    paint_state(ui, pane, &right, left);
    (void)snprintf(text, sizeof text, " %s ", pane->session->name);
    left += canvas_text(left, area.y, right - left, focused ? ROLE_TITLE_FOCUSED : ROLE_TITLE, text);
    if (pane->session->agent[0] != '\0' &&
        right - left > width_of_text(pane->session->agent, strlen(pane->session->agent))) {
        (void)snprintf(text, sizeof text, "%s ", pane->session->agent);
        (void)canvas_text(left, area.y, right - left, ROLE_DIM, text);
    }
    if (pane->session->marked)
        (void)canvas_text(area.x + 1, area.y, 1, ROLE_ACCENT, "*");
}

/* ---- the screen ---- */

/* Follows the cursor when the grid is larger than the pane. True when the shown part has moved. */
static bool follow(struct pane *pane)
{
    const struct screen *screen = &pane->session->screen;
    int left = layout_clip(screen->cols, pane->inside.cols, screen->cursor.x, pane->left);
    int top = layout_clip(screen->rows, pane->inside.rows, screen->cursor.y, pane->top);
    bool moved = left != pane->left || top != pane->top;

    pane->left = left;
    pane->top = top;
    return moved;
}

static void paint_nothing(const struct pane *pane)
{
    const struct session *session = pane->session;
    const char *text = "";

    canvas_fill(pane->inside, ROLE_TEXT);
    /* A connection takes a moment; only one that does not come is worth words. */
    if (phase_look(session->phase)->ended)
        text = session->detail[0] != '\0' ? session->detail : "the session has ended and left no screen";
    else if (session->link != LINK_UP && (session->connected_once || session->backoff_ms > WAIT_SAID_MS))
        text = "waiting for the session's host…";
    (void)canvas_text(pane->inside.x + 1, pane->inside.y, pane->inside.cols - 2, ROLE_DIM, text);
}

void pane_paint_screen(struct ui *ui, struct pane *pane, bool all)
{
    struct screen *screen = &pane->session->screen;
    cchar_t row[COMPOSE_COLS_MAX];
    int cols = pane->inside.cols < COMPOSE_COLS_MAX ? pane->inside.cols : COMPOSE_COLS_MAX;

    if (pane->inside.rows <= 0)
        return;
    if (ui->mode == MODE_SCROLL && pane->session == ui->focus) {
        scroll_paint(ui, pane);
        return;
    }
    if (screen->rows == 0) {
        paint_nothing(pane);
        return;
    }
    all |= follow(pane);
    for (int y = 0; y < pane->inside.rows; y++) {
        int from = y + pane->top, cells;
        if (from >= screen->rows) {
            if (all)
                canvas_fill((struct rectangle){pane->inside.x, pane->inside.y + y, cols, 1}, ROLE_TEXT);
            continue;
        }
        if (!all && !screen->grid[from].dirty)
            continue;
        cells = compose_row(screen, from, pane->left, cols, row);
        (void)mvadd_wchnstr(pane->inside.y + y, pane->inside.x, row, cells);
    }
    for (int y = 0; y < screen->rows; y++)
        screen->grid[y].dirty = false;
    screen->moved = false;
}

bool pane_cursor(const struct pane *pane, int *x, int *y)
{
    const struct screen *screen = &pane->session->screen;
    int column = screen->cursor.x - pane->left, row = screen->cursor.y - pane->top;

    if (!screen->cursor.visible || screen->rows == 0 || row < 0 || row >= pane->inside.rows || column < 0)
        return false;
    if (column >= pane->inside.cols)
        column = pane->inside.cols - 1;
    *x = pane->inside.x + column;
    *y = pane->inside.y + row;
    return column >= 0;
}
