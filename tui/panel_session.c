#include "tui/panel_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "rpc/request.h"
#include "term/width.h"
#include "tui/amount.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/ui.h"

#define TIME_COLS 9
#define PHASE_COLS 11
#define WIDE_COLS 40
#define BRIEF_COLS 19 /* with less room the second row has no words to spare */
#define TOKENS_COLS 6
#define CONTEXT_COLS 5
#define COST_COLS 8
#define MODEL_LEAST 5

/* Name, phase and time stand in one row where there is room, else the time in the second, or in place of the phase. */
static bool is_wide(struct rectangle row)
{
    return row.cols >= WIDE_COLS;
}

static bool failed(const struct session *session)
{
    return phase_look(session->phase)->ended && phase_look(session->phase)->calls;
}

bool panel_session_third(const struct session *session)
{
    return facts_used(&session->facts) || (failed(session) && session->facts.hint[0] != '\0');
}

/* "" when it waits for nothing. */
static void waiting_text(const struct session *session, bool brief, char *out, size_t size)
{
    char key[160];

    (void)snprintf(key, sizeof key, "%s%s%s", session->agent, session->account[0] != '\0' ? "/" : "",
                   session->account);
    facts_waiting_text(&session->facts, key, brief, out, size);
    if (session->facts.waiting == WAITING_NOT && session->phase == PHASE_LIMITED)
        (void)snprintf(out, size, "%s%s", brief ? "" : "waits for ", key);
    else if (session->facts.waiting == WAITING_NOT && session->phase == PHASE_RETRYING)
        (void)snprintf(out, size, brief ? "to try again" : "waits to try again");
}

/* What a person may do about the limit. */
static bool offer_text(const struct ui *ui, const struct session *session, int cols, char *out, size_t size)
{
    char *only;

    if (session->facts.waiting != WAITING_ACCOUNT || dialog_accounts_others(ui, session, &only) == 0)
        return false;
    (void)snprintf(out, size, "r: go on with %s now", only == NULL ? "another account" : only);
    if (width_of_text(out, strlen(out)) > cols)
        (void)snprintf(out, size, "r: %s", only == NULL ? "another account" : only);
    free(only);
    return true;
}

/* Who it is, and what it is about. */
static void ordinary_text(const struct session *session, bool alone, int cols, char *out, size_t size)
{
    const char *title =
        phase_look(session->phase)->ended && session->detail[0] != '\0' ? session->detail : session->title;

    if (alone && failed(session) && session->facts.hint[0] != '\0')
        facts_hint_row(session->facts.hint, cols, out, size);
    else
        (void)snprintf(out, size, "%s%s%s%s%s", session->agent, session->account[0] != '\0' ? " · " : "",
                       session->account, title[0] != '\0' ? " · " : "", title);
}

/* By urgency: what it asks, what it waits for, who it is. `alone`: there is no third row for the hint. */
static void paint_second(const struct ui *ui, const struct session *session, struct rectangle row,
                         const char *elapsed, bool alone, enum theme_role ground)
{
    const json_t *request = asked_after(&session->asked, NULL);
    int time_cols = is_wide(row) || elapsed[0] == '\0' ? 0 : (int)strlen(elapsed) + 1, cols = row.cols - 5;
    enum theme_role role = ROLE_DIM;
    char text[512] = "";

    if (request != NULL) {
        char *asked = request_brief(request);
        (void)snprintf(text, sizeof text, "%s", asked);
        free(asked);
        role = ROLE_ATTENTION;
    } else if (session->facts.unrecorded[0] != '\0') {
        const char *why = strrchr(session->facts.unrecorded, ':');
        (void)snprintf(text, sizeof text, "not recorded:%s", why != NULL ? why + 1 : " see `ganger show`");
        role = ROLE_ATTENTION;
    } else if (offer_text(ui, session, cols, text, sizeof text)) {
        role = ROLE_ATTENTION;
        time_cols = cols - time_cols < width_of_text(text, strlen(text)) ? 0 : time_cols;
    } else if (!phase_look(session->phase)->ended) {
        waiting_text(session, cols - time_cols < BRIEF_COLS, text, sizeof text);
        role = ROLE_LIMITED;
    }
    if (text[0] == '\0') {
        ordinary_text(session, alone, cols - time_cols, text, sizeof text);
        role = ROLE_DIM;
    }
    (void)canvas_text_on(row.x + 4, row.y, cols - time_cols, role, ground, text);
    if (time_cols > 0)
        canvas_text_right(row.x + row.cols - 1 - time_cols, row.y, time_cols, ROLE_DIM, ground, elapsed);
}

/* Model, tokens, context, cost: the last three in columns. */
static void paint_used(const struct session *session, struct rectangle row, enum theme_role ground)
{
    const struct facts *facts = &session->facts;
    int right = row.x + row.cols - 1, left = row.x + 4;
    size_t length;
    const char *model = facts_model(facts, session->agent, &length);
    char text[AMOUNT_SIZE], *name = xstrndup(model, length);

    amount_cost(facts->cost_usd, facts->cost_estimated, text);
    canvas_text_right(right -= COST_COLS, row.y, COST_COLS, ROLE_DIM, ground, text);
    text[0] = '\0';
    if (facts->context_pct >= 0)
        (void)snprintf(text, sizeof text, "%.0f%%", facts->context_pct > 999 ? 999 : facts->context_pct);
    canvas_text_right(right -= CONTEXT_COLS, row.y, CONTEXT_COLS,
                      facts->context_pct >= 80 ? ROLE_LIMITED : ROLE_DIM, ground, text);
    amount_tokens(facts->tokens, text);
    canvas_text_right(right -= TOKENS_COLS, row.y, TOKENS_COLS, ROLE_DIM, ground, text);
    if (right - left > MODEL_LEAST)
        (void)canvas_text_on(left, row.y, right - left, ROLE_DIM, ground, name);
    free(name);
}

static void paint_third(const struct session *session, struct rectangle row, enum theme_role ground)
{
    char text[512];

    if (failed(session) && session->facts.hint[0] != '\0') {
        facts_hint_row(session->facts.hint, row.cols - 5, text, sizeof text);
        (void)canvas_text_on(row.x + 4, row.y, row.cols - 5, ROLE_TEXT, ground, text);
    } else {
        paint_used(session, row, ground);
    }
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

void panel_session_paint(const struct ui *ui, const struct session *session, struct rectangle area)
{
    enum theme_role ground = session == ui->focus ? ROLE_SELECTED : ROLE_TEXT;
    int64_t until = session->until_ms != 0 ? session->until_ms : session->facts.waiting_until_ms;
    struct rectangle row = area;
    char elapsed[24];

    row.rows = 1;
    phase_time(session->phase, session->since_ms, until, clock_realtime_ms(), elapsed, sizeof elapsed);
    if (ground == ROLE_SELECTED)
        canvas_fill(area, ROLE_SELECTED);
    paint_first(ui, session, row, elapsed, area.rows == 1, ground);
    row.y++;
    if (area.rows >= 2)
        paint_second(ui, session, row, elapsed, area.rows == 2, ground);
    row.y++;
    if (area.rows >= 3)
        paint_third(session, row, ground);
}
