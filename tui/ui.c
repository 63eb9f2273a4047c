#include "tui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "tui/dialog.h"
#include "tui/outer.h"
#include "tui/panel.h"
#include "tui/scroll.h"

#define LATER_MS 16
#define SIZE_MS 16

/* ---- painting ---- */

void ui_paint(struct ui *ui, unsigned what)
{
    ui->paint |= what;
    if (ui->paint_soon != NULL && !ui->quitting)
        event_active(ui->paint_soon, EV_TIMEOUT, 0);
}

void ui_say(struct ui *ui, bool error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ui->message, sizeof ui->message, format, arguments);
    va_end(arguments);
    ui->message_is_error = error;
    for (char *at = ui->message; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = ' ';
    }
    ui_paint(ui, PAINT_STATUS);
}

void ui_tick(struct ui *ui)
{
    int64_t into = clock_realtime_ms() % 1000;
    struct timeval delay = {.tv_sec = into == 0, .tv_usec = (1000 - into) % 1000 * 1000};

    if (panel_shows_time(ui) && !event_pending(ui->second, EV_TIMEOUT, NULL))
        (void)event_add(ui->second, &delay);
}

/* ---- news ---- */

void ui_session_changed(struct ui *ui, struct session *session)
{
    ui_paint(ui, PAINT_PANEL | PAINT_STATUS | (ui_pane_of(ui, session) != NULL ? PAINT_TITLES : 0));
    ui_tick(ui);
}

void ui_phase_changed(struct ui *ui, struct session *session, enum phase before)
{
    const struct phase_look *look = phase_look(session->phase);
    bool done = session->phase == PHASE_IDLE && before >= PHASE_CONNECTING && before <= PHASE_TOOL;

    if ((look->calls || done || session->phase == PHASE_LIMITED) && config_bool(ui->config, "notify.bell"))
        outer_bell();
    if (look->calls && session != ui->focus)
        ui_say(ui, look->ended, "%s: %s%s%s%s%s", session->name,
               session->phase == PHASE_APPROVAL ? "asks for you" : look->name,
               session->detail[0] != '\0' ? ": " : "", session->detail,
               session->facts.hint[0] != '\0' ? "; " : "", session->facts.hint);
}

void ui_screen_changed(struct ui *ui, struct session *session)
{
    struct timeval delay = {.tv_usec = LATER_MS * 1000};

    if (ui_pane_of(ui, session) == NULL)
        return;
    if (session == ui->focus)
        outer_mouse_moves(ui->mode == MODE_PANE && session->screen.modes.mouse_mode == MOUSE_ANY);
    if (session == ui->focus && ui->mode != MODE_SCROLL)
        ui_paint(ui, PAINT_PANES);
    else if (session != ui->focus && !event_pending(ui->paint_later, EV_TIMEOUT, NULL))
        (void)event_add(ui->paint_later, &delay);
}

void ui_crew_changed(struct ui *ui)
{
    struct session *session = ui->waiting_for[0] != '\0' ? crew_find(&ui->crew, ui->waiting_for) : NULL;

    if (session != NULL) {
        ui->waiting_for[0] = '\0';
        ui_set_focus(ui, session);
        return;
    }
    ui_arrange(ui);
}

void ui_session_gone(struct ui *ui, struct session *session)
{
    size_t place = crew_place(&ui->crew, session);

    if (ui->focus == session) {
        scroll_close(ui);
        if (ui->mode != MODE_CREW)
            ui_set_mode(ui, MODE_CREW);
        ui->focus = ui->crew.count <= 1          ? NULL
                    : place + 1 < ui->crew.count ? ui->crew.sessions[place + 1]
                                                 : ui->crew.sessions[place - 1];
    }
    /* Panes hold pointers: none to this one may stay until they are placed again. */
    ui->pane_count = 0;
}

/* ---- panes ---- */

struct pane *ui_pane_of(struct ui *ui, const struct session *session)
{
    for (size_t i = 0; i < ui->pane_count; i++) {
        if (ui->panes[i].session == session)
            return &ui->panes[i];
    }
    return NULL;
}

static bool deserves_pane(const struct ui *ui, const struct session *session)
{
    return session == ui->focus || session->attended;
}

/* Which sessions get a pane: in their order, as many as fit, the focused one among them. */
static size_t choose(struct ui *ui, enum layout_kind kind, struct session **chosen)
{
    size_t capacity = layout_capacity(kind, ui->parts.panes), count = 0, focus = 0, first;

    if (kind == LAYOUT_ZOOMED || ui->options.raw) {
        chosen[0] = ui->focus;
        return ui->focus != NULL;
    }
    for (size_t i = 0; i < ui->crew.count; i++) {
        if (!deserves_pane(ui, ui->crew.sessions[i]))
            continue;
        if (ui->crew.sessions[i] == ui->focus)
            focus = count;
        count++;
    }
    /* Pages of panes, so that the picture stays while the focus moves within one. */
    first = focus / capacity * capacity;
    count = 0;
    for (size_t i = 0, number = 0; i < ui->crew.count && count < capacity; i++) {
        if (deserves_pane(ui, ui->crew.sessions[i]) && number++ >= first)
            chosen[count++] = ui->crew.sessions[i];
    }
    return count;
}

static void place_panes(struct ui *ui, enum layout_kind kind)
{
    struct session *chosen[LAYOUT_PANES_MAX];
    struct rectangle areas[LAYOUT_PANES_MAX];
    size_t count = choose(ui, kind, chosen);

    layout_arrange(kind, ui->parts.panes, count, areas);
    for (size_t i = 0; i < count; i++) {
        struct pane *pane = &ui->panes[i];
        if (i >= ui->pane_count || pane->session != chosen[i])
            *pane = (struct pane){.session = chosen[i]};
        pane_place(pane, areas[i], !ui->options.raw);
    }
    ui->pane_count = count;
}

void ui_send_sizes(struct ui *ui)
{
    for (size_t i = 0; i < ui->pane_count; i++) {
        const struct pane *pane = &ui->panes[i];
        if (pane->inside.cols >= 2 && pane->inside.rows >= 2)
            session_want_size(pane->session, pane->inside.cols, pane->inside.rows);
    }
}

void ui_arrange(struct ui *ui)
{
    struct timeval delay = {.tv_usec = SIZE_MS * 1000};
    bool zoomed = ui->zoomed || ui->options.raw || ui->layout == LAYOUT_ZOOMED;

    if (ui->focus == NULL && ui->crew.count > 0) {
        /* The first that lives, else the newest. */
        ui->focus = ui->crew.sessions[ui->crew.count - 1];
        for (size_t i = ui->crew.count; i > 0; i--) {
            if (ui->crew.sessions[i - 1]->attended)
                ui->focus = ui->crew.sessions[i - 1];
        }
    }
    ui->parts = layout_divide(outer_cols(), outer_rows(), ui->panel_shown && !ui->zoomed && !ui->options.raw);
    if (ui->options.raw)
        ui->parts = (struct layout_parts){.panes = {0, 0, outer_cols(), outer_rows()}};
    place_panes(ui, zoomed ? LAYOUT_ZOOMED : ui->layout);
    for (size_t i = 0; i < ui->crew.count; i++) {
        session_want_screen(ui->crew.sessions[i], ui_pane_of(ui, ui->crew.sessions[i]) != NULL);
        crew_show(ui->crew.sessions[i], deserves_pane(ui, ui->crew.sessions[i]));
    }
    if (ui->arrange_soon != NULL && !event_pending(ui->arrange_soon, EV_TIMEOUT, NULL))
        (void)event_add(ui->arrange_soon, &delay);
    ui_paint(ui, PAINT_ALL);
    ui_tick(ui);
    if (ui->limits.due)
        limits_refresh(ui);
}

void ui_set_focus(struct ui *ui, struct session *session)
{
    if (ui->focus == session)
        return;
    scroll_close(ui);
    ui->focus = session;
    if (ui->mode == MODE_PREFIX)
        ui->mode = MODE_PANE;
    ui_arrange(ui);
    ui_screen_changed(ui, session);
}

void ui_set_mode(struct ui *ui, enum ui_mode mode)
{
    if (mode == MODE_PANE && ui->focus == NULL)
        mode = MODE_CREW;
    ui->mode = mode;
    if (mode != MODE_SCROLL && ui->scroll != NULL)
        scroll_close(ui);
    if (ui->focus != NULL)
        ui_screen_changed(ui, ui->focus);
    ui_paint(ui, PAINT_PANES | PAINT_STATUS);
}

void ui_set_dialog(struct ui *ui, struct dialog *dialog)
{
    dialog_destroy(ui->dialog);
    ui->dialog = dialog;
    ui_paint(ui, PAINT_ALL);
}

void ui_background(struct ui *ui, uint32_t background)
{
    uint32_t red = background >> 16 & 255, green = background >> 8 & 255, blue = background & 255;

    for (size_t i = 0; i < ui->crew.count; i++)
        session_tell_colours(ui->crew.sessions[i]);
    if (strcmp(config_string(ui->config, "theme"), "auto") != 0 || 2 * red + 5 * green + blue < 8 * 128)
        return;
    (void)theme_load(&ui->theme, "light", NULL);
    ui_paint(ui, PAINT_ALL);
}

bool ui_matches(const struct ui *ui, const struct session *session)
{
    return ui->filter[0] == '\0' || strcasestr(session->name, ui->filter) != NULL ||
           strcasestr(session->agent, ui->filter) != NULL || strcasestr(session->title, ui->filter) != NULL ||
           strcasestr(session->account, ui->filter) != NULL ||
           strcasestr(phase_look(session->phase)->name, ui->filter) != NULL;
}

void ui_quit(struct ui *ui, int exit_code)
{
    ui->quitting = true;
    ui->exit_code = exit_code;
    (void)event_base_loopbreak(ui->loop);
}
