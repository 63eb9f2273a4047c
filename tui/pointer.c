#include "tui/pointer.h"

#include "tui/panel.h"
#include "tui/scroll.h"
#include "tui/ui.h"

#define WHEEL_ROWS 3

static struct pane *pane_at(struct ui *ui, int x, int y)
{
    for (size_t i = 0; i < ui->pane_count; i++) {
        if (layout_contains(ui->panes[i].area, x, y))
            return &ui->panes[i];
    }
    return NULL;
}

static bool is_wheel(const struct mouse *mouse)
{
    return mouse->action == MOUSE_WHEEL_UP || mouse->action == MOUSE_WHEEL_DOWN;
}

/* The place within the session's screen, held to it. */
static void translate(const struct pane *pane, const struct mouse *mouse, struct mouse *inside)
{
    const struct screen *screen = &pane->session->screen;

    *inside = *mouse;
    inside->x = mouse->x - pane->inside.x + pane->left;
    inside->y = mouse->y - pane->inside.y + pane->top;
    inside->x = inside->x < 0 ? 0 : inside->x >= screen->cols ? screen->cols - 1 : inside->x;
    inside->y = inside->y < 0 ? 0 : inside->y >= screen->rows ? screen->rows - 1 : inside->y;
}

static enum pointer_result wheel(struct ui *ui, struct pane *pane, const struct mouse *mouse)
{
    int rows = mouse->action == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS;

    if (ui->mode == MODE_SCROLL && pane->session == ui->focus) {
        scroll_wheel(ui, rows);
        return POINTER_DONE;
    }
    if (pane->session != ui->focus)
        ui_set_focus(ui, pane->session);
    if (pane->session->screen.modes.alternate_screen && ui->mode == MODE_PANE)
        return POINTER_ARROWS;
    if (rows < 0) {
        scroll_open(ui);
        if (ui->scroll != NULL)
            scroll_wheel(ui, rows);
    }
    return POINTER_DONE;
}

/* A drag over a program that takes no mouse selects text. */
static void select_text(struct ui *ui, struct pane *pane, const struct mouse *mouse)
{
    int x = mouse->x - pane->inside.x, y = mouse->y - pane->inside.y;

    if (mouse->action == MOUSE_DRAG && ui->scroll == NULL) {
        scroll_open(ui);
        if (ui->scroll != NULL)
            scroll_drag(ui, x, y, true);
    } else if (mouse->action == MOUSE_DRAG) {
        scroll_drag(ui, x, y, false);
    } else if (mouse->action == MOUSE_RELEASE && ui->scroll != NULL && ui->dragging) {
        scroll_drop(ui);
    }
    ui->dragging = mouse->action == MOUSE_DRAG && ui->scroll != NULL;
}

static void press(struct ui *ui, struct pane *pane)
{
    bool same = pane->session == ui->focus;

    ui_set_focus(ui, pane->session);
    if (!same || ui->mode == MODE_CREW)
        ui_set_mode(ui, MODE_PANE);
}

enum pointer_result pointer_take(struct ui *ui, const struct mouse *mouse, struct mouse *inside)
{
    struct pane *pane =
        ui->dragging && ui->focus != NULL ? ui_pane_of(ui, ui->focus) : pane_at(ui, mouse->x, mouse->y);
    bool wanted;

    if (ui->dialog != NULL)
        return POINTER_DONE;
    if (pane == NULL) {
        struct session *session =
            mouse->action == MOUSE_PRESS ? panel_session_at(ui, mouse->x, mouse->y) : NULL;
        if (session != NULL)
            ui_set_focus(ui, session);
        return POINTER_DONE;
    }
    wanted = pane->session == ui->focus && ui->mode == MODE_PANE &&
             pane->session->screen.modes.mouse_mode != MOUSE_OFF && pane->session->screen.rows > 0 &&
             layout_contains(pane->inside, mouse->x, mouse->y);
    if (wanted) {
        translate(pane, mouse, inside);
        return POINTER_AGENT;
    }
    if (is_wheel(mouse))
        return wheel(ui, pane, mouse);
    if (mouse->action == MOUSE_PRESS && mouse->button == 1)
        press(ui, pane);
    else if (pane->session == ui->focus && mouse->button <= 1)
        select_text(ui, pane, mouse);
    return POINTER_DONE;
}
