#include "tui/panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "term/width.h"
#include "tui/canvas.h"
#include "tui/panel_accounts.h"
#include "tui/panel_queue.h"
#include "tui/panel_session.h"
#include "tui/ui.h"

#define HEAD_ROWS 1
#define ROWS_EACH 2
#define GAP_ROWS 1    /* above a block */
#define QUEUE_LEAST 3 /* heading and two prompts */

/* What is shown, and where. A block that there is no room for has no rows. */
struct plan {
    struct session **order; /* those that the filter lets through, by urgency; freed by the caller */
    size_t count;
    int each;    /* rows of a session: one or two */
    bool thirds; /* and a third for those that have something for it */
    struct rectangle list, accounts, queue;
    enum accounts_detail detail;
};

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

/* ---- who gets which rows ---- */

/* A block's rows with the gap above it, as many as `left` allows, when that is at least `least`. Takes them from `left`. */
static int take_rows(int *left, int wanted, int least)
{
    int rows = wanted < *left - GAP_ROWS ? wanted : *left - GAP_ROWS;

    if (wanted == 0 || rows < least)
        return 0;
    *left -= rows + GAP_ROWS;
    return rows;
}

static int count_thirds(const struct plan *plan)
{
    int count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += panel_session_third(plan->order[i]);
    return count;
}

/* In as much detail as leaves room for the first of the prompts. */
static void place_accounts(const struct limits *limits, struct plan *plan, int prompts, int *left,
                           int64_t now_ms)
{
    int kept = prompts == 0 ? 0 : GAP_ROWS + (prompts < QUEUE_LEAST ? prompts : QUEUE_LEAST);

    for (int detail = ACCOUNTS_WINDOWS; detail > ACCOUNTS_NONE && plan->accounts.rows == 0; detail--) {
        int rows = panel_accounts_rows(limits, (enum accounts_detail)detail, now_ms);
        bool least = detail == ACCOUNTS_FULLEST;
        if (least || rows + GAP_ROWS + kept <= *left)
            plan->accounts.rows = take_rows(left, rows, rows);
        plan->detail = (enum accounts_detail)detail;
    }
}

/* Sessions first; then the accounts, in less detail when there is little room; then the prompts; then the rest of all. */
static void divide(const struct ui *ui, struct plan *plan, int64_t now_ms)
{
    int left = plan->list.rows, thirds = count_thirds(plan), prompts = panel_queue_rows(ui->focus), rates;
    const struct limits *limits = &ui->limits;

    plan->each = (int)plan->count * ROWS_EACH <= left ? ROWS_EACH : 1;
    left -= (int)plan->count * plan->each;
    place_accounts(limits, plan, prompts, &left, now_ms);
    plan->queue.rows = take_rows(&left, prompts, 2);
    plan->thirds = plan->each == ROWS_EACH && thirds <= left;
    left -= plan->thirds ? thirds : 0;
    rates = panel_accounts_rows(limits, ACCOUNTS_RATES, now_ms) - plan->accounts.rows;
    if (plan->detail == ACCOUNTS_WINDOWS && plan->accounts.rows > 0 && rates <= left) {
        plan->detail = ACCOUNTS_RATES;
        plan->accounts.rows += rates;
        left -= rates;
    }
    if (left > 0)
        plan->list.rows -= left;
}

/* A column on either side sets it off. */
static struct rectangle panel_area(const struct ui *ui)
{
    struct rectangle area = ui->parts.panel;

    area.x += 1;
    area.cols -= 1;
    return area;
}

static struct plan make_plan(struct ui *ui)
{
    struct rectangle area = panel_area(ui);
    struct plan plan = {.list = {area.x, area.y + HEAD_ROWS, area.cols, area.rows - HEAD_ROWS},
                        .accounts = {area.x, 0, area.cols - 1, 0},
                        .queue = {area.x, 0, area.cols - 1, 0}};
    int below = 0;

    plan.order = shown(ui, &plan.count);
    divide(ui, &plan, clock_realtime_ms());
    below += plan.accounts.rows > 0 ? plan.accounts.rows + GAP_ROWS : 0;
    below += plan.queue.rows > 0 ? plan.queue.rows + GAP_ROWS : 0;
    plan.list.rows -= below;
    plan.accounts.y = plan.list.y + plan.list.rows + GAP_ROWS;
    plan.queue.y = plan.list.y + plan.list.rows + below - plan.queue.rows;
    return plan;
}

/* ---- the sessions ---- */

static int rows_of(const struct plan *plan, size_t place)
{
    return plan->each + (plan->thirds && panel_session_third(plan->order[place]));
}

/* The first entry shown, so that the focused one is seen. Rows differ only when all fit. */
static size_t first_shown(const struct ui *ui, const struct plan *plan)
{
    size_t room = plan->list.rows > 0 ? (size_t)(plan->list.rows / plan->each) : 0, focus = 0;

    for (size_t i = 0; i < plan->count; i++) {
        if (plan->order[i] == ui->focus)
            focus = i;
    }
    return plan->thirds || room == 0 || focus < room ? 0 : focus - room + 1;
}

static void paint_head(const struct ui *ui, struct rectangle area, size_t count, size_t below)
{
    char text[96];

    if (ui->filter[0] != '\0')
        (void)snprintf(text, sizeof text, "%zu of %zu with \"%s\"", count, ui->crew.count, ui->filter);
    else
        (void)snprintf(text, sizeof text, "%zu session%s", ui->crew.count, ui->crew.count == 1 ? "" : "s");
    (void)canvas_text(area.x, area.y, area.cols - 1, ROLE_DIM, text);
    if (below == 0 || area.rows < 2)
        return;
    (void)snprintf(text, sizeof text, "%zu more below", below);
    canvas_text_right(area.x, area.y, area.cols - 1, ROLE_DIM, ROLE_TEXT, text);
}

/* Returns how many do not fit below. */
static size_t paint_sessions(const struct ui *ui, const struct plan *plan)
{
    struct rectangle row = plan->list;
    size_t at = first_shown(ui, plan);
    int end = plan->list.y + plan->list.rows;

    for (; at < plan->count; at++) {
        row.rows = rows_of(plan, at);
        if (row.y + row.rows > end)
            break;
        panel_session_paint(ui, plan->order[at], row);
        row.y += row.rows;
    }
    return plan->count - at;
}

static void paint_panel(struct ui *ui)
{
    struct plan plan = make_plan(ui);
    size_t below;

    canvas_fill(ui->parts.panel, ROLE_TEXT);
    below = paint_sessions(ui, &plan);
    paint_head(ui, panel_area(ui), plan.count, below);
    if (plan.accounts.rows > 0)
        panel_accounts_paint(&ui->limits, plan.detail, plan.accounts, clock_realtime_ms());
    if (plan.queue.rows > 0)
        panel_queue_paint(ui->focus, plan.queue);
    free(plan.order);
}

#define STRIP_NAME_COLS 16
#define STRIP_NAME_LEAST 4

/* Columns of one in the strip, without the blanks behind it. */
static int strip_cols(const struct session *session)
{
    int name = width_of_text(session->name, strlen(session->name));

    return 2 + (name < STRIP_NAME_COLS ? name : STRIP_NAME_COLS);
}

/* How many fit in so many columns, with "+N" for the others behind them. */
static size_t strip_count(struct session *const *order, size_t count, int cols)
{
    size_t fit = 0;
    char more[24];

    for (int x = 0; fit < count; fit++) {
        int last = fit + 1 == count ? 0 : 2 + snprintf(more, sizeof more, "+%zu", count - fit - 1);
        x += strip_cols(order[fit]);
        if (x + last > cols && !(fit == 0 && 2 + STRIP_NAME_LEAST + last <= cols))
            break;
        x += 2;
    }
    return fit;
}

/* "● api-fix  ▲ docs  +3": as many as fit, and how many more there are. */
static void paint_strip(struct ui *ui)
{
    struct rectangle area = ui->parts.strip;
    size_t count, fit;
    struct session **order = shown(ui, &count);
    int x = area.x;
    char more[24];

    canvas_fill(area, ROLE_TEXT);
    fit = strip_count(order, count, area.cols);
    for (size_t i = 0; i < fit; i++) {
        const struct phase_look *look = phase_look(order[i]->phase);
        enum theme_role ground = order[i] == ui->focus ? ROLE_SELECTED : ROLE_TEXT;
        int left = area.x + area.cols - x;
        x += canvas_text_on(x, area.y, 1, look->role, ground, look->glyph);
        x += canvas_text_on(x, area.y, 1, ROLE_TEXT, ground, " ");
        x += canvas_text_on(x, area.y, left - 2 < STRIP_NAME_COLS ? left - 2 : STRIP_NAME_COLS,
                            ground == ROLE_SELECTED ? ROLE_SELECTED : ROLE_TEXT, ground, order[i]->name);
        x += 2;
    }
    if (fit < count) {
        (void)snprintf(more, sizeof more, "+%zu", count - fit);
        canvas_text_right(area.x, area.y, area.cols, ROLE_DIM, ROLE_TEXT, more);
    }
    free(order);
}

void panel_paint(struct ui *ui)
{
    if (ui->parts.panel.cols > 0)
        paint_panel(ui);
    else if (ui->parts.strip.rows > 0)
        paint_strip(ui);
}

struct session *panel_session_at(struct ui *ui, int x, int y)
{
    struct session *found = NULL;
    struct plan plan;

    if (ui->parts.panel.cols == 0 || !layout_contains(panel_area(ui), x, y))
        return NULL;
    plan = make_plan(ui);
    y -= plan.list.y;
    for (size_t at = first_shown(ui, &plan); y >= 0 && y < plan.list.rows && at < plan.count; at++) {
        if (y < rows_of(&plan, at)) {
            found = plan.order[at];
            break;
        }
        y -= rows_of(&plan, at);
        plan.list.rows -= rows_of(&plan, at);
    }
    free(plan.order);
    return found;
}

/* A time runs in one of the sessions' rows, or among the accounts. */
static bool panel_runs(struct ui *ui)
{
    struct plan plan;
    bool accounts;

    for (size_t i = 0; i < ui->crew.count; i++) {
        if (phase_look(ui->crew.sessions[i]->phase)->runs)
            return true;
    }
    if (!panel_accounts_run(&ui->limits, clock_realtime_ms()))
        return false;
    plan = make_plan(ui);
    accounts = plan.accounts.rows > 0;
    free(plan.order);
    return accounts;
}

bool panel_shows_time(struct ui *ui)
{
    if (ui->parts.panel.cols > 0 && panel_runs(ui))
        return true;
    for (size_t i = 0; !ui->options.raw && i < ui->pane_count; i++) {
        if (phase_look(ui->panes[i].session->phase)->runs)
            return true;
    }
    return false;
}
