#include "tui/panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "rpc/request.h"
#include "term/width.h"
#include "tui/canvas.h"
#include "tui/ui.h"

#define TIME_COLS 9
#define PHASE_COLS 11
#define WIDE_COLS 40
#define HEAD_ROWS 1
#define ROWS_EACH 2

/* The sessions that the filter lets through, by urgency; the caller frees. */
static struct session **shown(struct ui *ui, size_t *count)
{
    struct session **order = xcalloc(ui->crew.count + 1, sizeof *order);
    size_t kept = 0;

    crew_by_urgency(&ui->crew, order);
    for (size_t i = 0; i < ui->crew.count; i++) {
        if (ui_matches(ui, order[i]))
            order[kept++] = order[i];
    }
    *count = kept;
    return order;
}

/* The first of `count` entries shown in `room`, so that the focused one is seen. */
static size_t first_shown(const struct ui *ui, struct session *const *order, size_t count, size_t room)
{
    size_t focus = 0;

    for (size_t i = 0; i < count; i++) {
        if (order[i] == ui->focus)
            focus = i;
    }
    return room == 0 || focus < room ? 0 : focus - room + 1;
}

/* One or two rows for each session, as they fit. */
static int rows_each(struct rectangle area, size_t count)
{
    return (int)count * ROWS_EACH <= area.rows - HEAD_ROWS ? ROWS_EACH : 1;
}

static struct rectangle list_area(const struct ui *ui)
{
    struct rectangle area = ui->parts.panel;

    /* A blank column sets it off from the panes. */
    area.x += 1;
    area.cols -= 1;
    return area;
}

/* Name, phase and time stand in one row where there is room, else the time in the second, or in place of the phase. */
static bool is_wide(struct rectangle row)
{
    return row.cols >= WIDE_COLS;
}

static void paint_second(const struct session *session, struct rectangle row, const char *elapsed,
                         enum theme_role ground)
{
    char text[512];
    const json_t *request = asked_after(&session->asked, NULL);
    char *asked = request == NULL ? NULL : request_brief(request);
    const char *title =
        phase_look(session->phase)->ended && session->detail[0] != '\0' ? session->detail : session->title;
    int time_cols = is_wide(row) || elapsed[0] == '\0' ? 0 : TIME_COLS;

    (void)snprintf(text, sizeof text, "%s%s%s%s%s", session->agent, session->account[0] != '\0' ? " · " : "",
                   session->account, title[0] != '\0' ? " · " : "", title);
    if (asked != NULL)
        (void)snprintf(text, sizeof text, "%s", asked);
    free(asked);
    if (ground == ROLE_SELECTED)
        canvas_fill(row, ROLE_SELECTED);
    (void)canvas_text_on(row.x + 4, row.y, row.cols - 5 - time_cols,
                         request != NULL ? ROLE_ATTENTION : ROLE_DIM, ground, text);
    if (time_cols > 0)
        canvas_text_right(row.x + row.cols - 1 - time_cols, row.y, time_cols, ROLE_DIM, ground, elapsed);
}

/* Number, glyph, name, phase, time, in columns. */
static void paint_first(const struct ui *ui, const struct session *session, struct rectangle row,
                        const char *elapsed, bool alone, enum theme_role ground)
{
    const struct phase_look *look = phase_look(session->phase);
    size_t place = crew_place(&ui->crew, session);
    char number[24];
    bool wide = is_wide(row), replaced = alone && !wide && elapsed[0] != '\0';
    int right = row.x + row.cols - 1, name_cols = row.cols - 5 - PHASE_COLS - (wide ? TIME_COLS : 0);

    if (ground == ROLE_SELECTED)
        canvas_fill(row, ROLE_SELECTED);
    (void)snprintf(number, sizeof number, "%zu", place + 1);
    if (place < 9)
        (void)canvas_text_on(row.x, row.y, 1, ROLE_DIM, ground, number);
    (void)canvas_text_on(row.x + 2, row.y, 1, look->role, ground, session->marked ? "*" : look->glyph);
    (void)canvas_text_on(row.x + 4, row.y, name_cols,
                         ground == ROLE_SELECTED ? ROLE_SELECTED
                         : look->ended           ? ROLE_ENDED
                                                 : ROLE_TEXT,
                         ground, session->name);
    if (wide) {
        (void)canvas_text_on(row.x + 5 + name_cols, row.y, PHASE_COLS - 1, look->role, ground, look->name);
        canvas_text_right(right - TIME_COLS, row.y, TIME_COLS, ROLE_DIM, ground, elapsed);
    } else {
        canvas_text_right(right - PHASE_COLS + 1, row.y, PHASE_COLS - 1, replaced ? ROLE_DIM : look->role,
                          ground, replaced ? elapsed : look->name);
    }
}

static void paint_head(const struct ui *ui, struct rectangle area, size_t count)
{
    char text[96];

    if (ui->filter[0] != '\0')
        (void)snprintf(text, sizeof text, "%zu of %zu with \"%s\"", count, ui->crew.count, ui->filter);
    else
        (void)snprintf(text, sizeof text, "%zu session%s", ui->crew.count, ui->crew.count == 1 ? "" : "s");
    (void)canvas_text(area.x, area.y, area.cols - 1, ROLE_DIM, text);
}

static void paint_list(struct ui *ui)
{
    struct rectangle area = list_area(ui), row;
    size_t count, room, first;
    struct session **order = shown(ui, &count);
    int each = rows_each(area, count);

    canvas_fill(ui->parts.panel, ROLE_TEXT);
    paint_head(ui, area, count);
    room = (size_t)(area.rows - HEAD_ROWS > 0 ? (area.rows - HEAD_ROWS) / each : 0);
    first = first_shown(ui, order, count, room);
    for (size_t i = 0; i < room && first + i < count; i++) {
        const struct session *session = order[first + i];
        enum theme_role ground = session == ui->focus ? ROLE_SELECTED : ROLE_TEXT;
        char elapsed[24];
        phase_time(session->phase, session->since_ms, session->until_ms, clock_realtime_ms(), elapsed,
                   sizeof elapsed);
        row = (struct rectangle){area.x, area.y + HEAD_ROWS + (int)i * each, area.cols, 1};
        paint_first(ui, session, row, elapsed, each == 1, ground);
        row.y++;
        if (each == ROWS_EACH)
            paint_second(session, row, elapsed, ground);
    }
    if (first + room < count && area.rows > 1) {
        char text[48];
        (void)snprintf(text, sizeof text, "%zu more below", count - first - room);
        canvas_text_right(area.x, area.y, area.cols - 1, ROLE_DIM, ROLE_TEXT, text);
    }
    free(order);
}

/* "● api-fix  ▲ docs  …": as many as fit. */
static void paint_strip(struct ui *ui)
{
    struct rectangle area = ui->parts.strip;
    size_t count;
    struct session **order = shown(ui, &count);
    int x = area.x;

    canvas_fill(area, ROLE_TEXT);
    for (size_t i = 0; i < count && x + 6 < area.x + area.cols; i++) {
        const struct phase_look *look = phase_look(order[i]->phase);
        enum theme_role ground = order[i] == ui->focus ? ROLE_SELECTED : ROLE_TEXT;
        int left = area.x + area.cols - x;
        x += canvas_text_on(x, area.y, 1, look->role, ground, look->glyph);
        x += canvas_text_on(x, area.y, 1, ROLE_TEXT, ground, " ");
        x += canvas_text_on(x, area.y, left - 2 < 16 ? left - 2 : 16,
                            ground == ROLE_SELECTED ? ROLE_SELECTED : ROLE_TEXT, ground, order[i]->name);
        x += 2;
    }
    free(order);
}

void panel_paint(struct ui *ui)
{
    if (ui->parts.panel.cols > 0)
        paint_list(ui);
    else if (ui->parts.strip.rows > 0)
        paint_strip(ui);
}

struct session *panel_session_at(struct ui *ui, int x, int y)
{
    struct rectangle area = list_area(ui);
    struct session **order, *found = NULL;
    size_t count, place, room;
    int each;

    if (ui->parts.panel.cols == 0 || !layout_contains(area, x, y) || y < area.y + HEAD_ROWS)
        return NULL;
    order = shown(ui, &count);
    each = rows_each(area, count);
    room = (size_t)((area.rows - HEAD_ROWS) / each);
    place = (size_t)((y - area.y - HEAD_ROWS) / each) + first_shown(ui, order, count, room);
    if (place < count)
        found = order[place];
    free(order);
    return found;
}

bool panel_shows_time(const struct ui *ui)
{
    for (size_t i = 0; ui->parts.panel.cols > 0 && i < ui->crew.count; i++) {
        if (phase_look(ui->crew.sessions[i]->phase)->runs)
            return true;
    }
    for (size_t i = 0; !ui->options.raw && i < ui->pane_count; i++) {
        if (phase_look(ui->panes[i].session->phase)->runs)
            return true;
    }
    return false;
}
