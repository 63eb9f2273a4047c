#include "tui/paint.h"

#include <stdio.h>
#include <string.h>

#include "term/width.h"
#include "tui/canvas.h"
#include "tui/colour.h"
#include "tui/dialog.h"
#include "tui/outer.h"
#include "tui/panel.h"
#include "tui/scroll.h"
#include "tui/status.h"
#include "tui/ui.h"

#define LEAST_COLS 4
#define LEAST_ROWS 2

static void centred(struct rectangle area, int y, enum theme_role role, const char *text)
{
    int width = width_of_text(text, strlen(text)), x = area.x + (area.cols - width) / 2;

    if (x < area.x)
        x = area.x;
    (void)canvas_text(x, y, area.x + area.cols - x, role, text);
}

static void paint_empty(const struct ui *ui)
{
    struct rectangle area = ui->parts.panes;
    int y = area.y + area.rows / 2 - 1;

    canvas_fill(area, ROLE_TEXT);
    centred(area, y < area.y ? area.y : y, ROLE_STRONG, "no session");
    if (area.rows >= 4) {
        centred(area, y + 2, ROLE_DIM, "press n to start one,");
        centred(area, y + 3, ROLE_DIM, "or run `ganger demo` to see a crew");
    }
}

static void paint_panes(struct ui *ui, bool all)
{
    if (ui->pane_count == 0 && all)
        paint_empty(ui);
    for (size_t i = 0; i < ui->pane_count; i++) {
        struct pane *pane = &ui->panes[i];
        if (all || (ui->paint & PAINT_TITLES) != 0)
            pane_paint_border(ui, pane);
        if (all || (ui->paint & PAINT_PANES) != 0)
            pane_paint_screen(ui, pane, all);
    }
}

static bool too_small(void)
{
    return outer_cols() < LEAST_COLS || outer_rows() < LEAST_ROWS;
}

static void compose(struct ui *ui)
{
    bool all = (ui->paint & PAINT_ALL) != 0;

    if (all)
        (void)erase();
    if (too_small()) {
        (void)canvas_text(0, 0, outer_cols(), ROLE_TEXT, "too small");
        return;
    }
    paint_panes(ui, all);
    if (all || (ui->paint & PAINT_PANEL) != 0)
        panel_paint(ui);
    if (all || (ui->paint & PAINT_STATUS) != 0)
        status_paint(ui);
}

static void show(struct ui *ui, int x, int y)
{
    const struct session *focus = ui->focus;
    struct pane *pane = focus != NULL ? ui_pane_of(ui, focus) : NULL;
    int shape = 0;
    bool blink = false;

    if (ui->dialog == NULL && ui->mode == MODE_SCROLL)
        (void)scroll_cursor(ui, &x, &y);
    else if (ui->dialog == NULL && ui->mode == MODE_PANE && pane != NULL && pane->inside.rows > 0 &&
             pane_cursor(pane, &x, &y)) {
        shape = focus->screen.cursor.shape;
        blink = focus->screen.cursor.blink;
    }
    outer_show(x, y, shape, blink);
}

void paint_now(struct ui *ui)
{
    int x = -1, y = -1;

    if (ui->paint == 0)
        return;
    /* What was under a dialog is drawn again with it. */
    if (ui->dialog != NULL && (ui->paint & (PAINT_TITLES | PAINT_PANEL)) != 0)
        ui->paint |= PAINT_STATUS;
    compose(ui);
    if (colour_exhausted()) {
        colour_forget();
        for (size_t i = 0; i < ui->pane_count; i++)
            screen_touch(&ui->panes[i].session->screen);
        ui->paint = PAINT_ALL;
        compose(ui);
        (void)colour_exhausted();
    }
    if (ui->dialog != NULL && !too_small())
        dialog_paint(ui, &x, &y);
    ui->paint = 0;
    show(ui, x, y);
}
