#include "tui/panel_accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "term/width.h"
#include "tui/amount.h"
#include "tui/canvas.h"
#include "tui/limits.h"

#define LABEL_LEAST 2
#define LABEL_MOST 9
#define LABEL_MOST_NARROW 4
#define NARROW_COLS 30
#define PERCENT_COLS 4
#define SHORT_COLS 8 /* of a countdown */
#define LONG_COLS 11
#define BAR_COLS 8 /* beside the account's name, at most */
#define BAR_LEAST 4
#define FULL_PERCENT 90
#define SAME_MS 60000
#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* The columns of the lines of windows, the same in the whole block. */
struct columns {
    int label, bar, countdown;
    int beside; /* of the bar beside a name; 0: none */
};

/* ---- how large it is ---- */

static bool has_rate(const struct limit_window *window)
{
    return window->percent < 100 && (window->burn > 0 || window->exhausted_ms > 0);
}

static int account_rows(const struct limit_account *account, enum accounts_detail detail, int64_t now_ms)
{
    int rows = 1;

    if (detail <= ACCOUNTS_FULLEST)
        return rows;
    for (size_t i = 0; i < account->window_count; i++) {
        const struct limit_window *window = &account->windows[i];
        if (limits_in_force(window, now_ms))
            rows += 1 + (detail == ACCOUNTS_RATES && has_rate(window));
    }
    return rows;
}

int panel_accounts_rows(const struct limits *limits, enum accounts_detail detail, int64_t now_ms)
{
    int rows = 1;

    if (detail == ACCOUNTS_NONE)
        return 0;
    if (limits->problem[0] != '\0')
        return 1;
    if (limits->count == 0)
        return 0;
    for (size_t i = 0; i < limits->count; i++)
        rows += account_rows(&limits->accounts[i], detail, now_ms);
    return rows;
}

bool panel_accounts_run(const struct limits *limits, int64_t now_ms)
{
    for (size_t i = 0; i < limits->count; i++) {
        const struct limit_account *account = &limits->accounts[i];
        if (limits_reached(account, now_ms) && account->limited_until_ms > 0)
            return true;
        for (size_t k = 0; k < account->window_count; k++) {
            if (account->windows[k].resets_at_ms > now_ms)
                return true;
        }
    }
    return false;
}

static struct columns measure(const struct limits *limits, int cols, int64_t now_ms)
{
    struct columns columns = {.label = LABEL_LEAST, .countdown = SHORT_COLS};
    int most = cols < NARROW_COLS ? LABEL_MOST_NARROW : LABEL_MOST, name = 0;

    for (size_t i = 0; i < limits->count; i++) {
        const char *key = limits->accounts[i].key;
        int long_name = width_of_text(key, strlen(key));
        name = long_name > name ? long_name : name;
        for (size_t k = 0; k < limits->accounts[i].window_count; k++) {
            const struct limit_window *window = &limits->accounts[i].windows[k];
            int width = width_of_text(window->name, strlen(window->name));
            if (width > columns.label)
                columns.label = width < most ? width : most;
            if (window->resets_at_ms - now_ms >= DAY_MS)
                columns.countdown = LONG_COLS;
        }
    }
    columns.bar = cols - columns.label - PERCENT_COLS - columns.countdown - 3;
    columns.beside = cols - name - PERCENT_COLS - SHORT_COLS - 2;
    columns.beside = columns.beside > BAR_COLS ? BAR_COLS : columns.beside < BAR_LEAST ? 0 : columns.beside;
    return columns;
}

/* ---- its parts ---- */

static enum theme_role role_of(const struct limit_window *window)
{
    return window->stale ? ROLE_DIM : window->percent >= FULL_PERCENT ? ROLE_LIMITED : ROLE_BAR;
}

/* A thick line as far as it is used, a thin one for the rest. */
static void paint_bar(int x, int y, int cols, const struct limit_window *window)
{
    int used = window->percent > 0 ? (int)(window->percent * cols / 100 + 0.5) : 0;

    used = used > cols ? cols : used == 0 && window->percent >= 1 ? 1 : used;
    for (int i = 0; i < cols; i++)
        (void)canvas_text(x + i, y, 1, i < used ? role_of(window) : ROLE_BORDER, i < used ? "━" : "─");
}

static void percent_text(const struct limit_window *window, char out[AMOUNT_SIZE])
{
    if (window->percent < 0)
        (void)snprintf(out, AMOUNT_SIZE, "?");
    else
        (void)snprintf(out, AMOUNT_SIZE, "%d%%", (int)window->percent);
}

static void paint_window(const struct limit_window *window, struct rectangle row,
                         const struct columns *columns, int64_t now_ms)
{
    int x = row.x + columns->label + 1;
    char text[AMOUNT_SIZE];

    (void)canvas_text(row.x, row.y, columns->label, ROLE_DIM, window->name);
    paint_bar(x, row.y, columns->bar, window);
    x += columns->bar + 1;
    percent_text(window, text);
    canvas_text_right(x, row.y, PERCENT_COLS, window->stale ? ROLE_DIM : ROLE_TEXT, ROLE_TEXT, text);
    text[0] = '\0';
    if (window->resets_at_ms > 0)
        amount_countdown(window->resets_at_ms - now_ms, text);
    canvas_text_right(row.x + row.cols - columns->countdown, row.y, columns->countdown, ROLE_DIM, ROLE_TEXT,
                      text);
}

/* "~12%/h, out ~14:20" */
static void paint_rate(const struct limit_window *window, struct rectangle row, const struct columns *columns,
                       int64_t now_ms)
{
    bool runs_out = window->exhausted_ms > now_ms &&
                    (window->resets_at_ms == 0 || window->exhausted_ms < window->resets_at_ms);
    char text[96] = "", moment[AMOUNT_SIZE];

    if (window->burn > 0)
        (void)snprintf(text, sizeof text, window->burn < 10 ? "~%.1f%%/h" : "~%.0f%%/h", window->burn);
    if (runs_out) {
        size_t used = strlen(text);
        amount_moment(window->exhausted_ms, now_ms, moment);
        (void)snprintf(text + used, sizeof text - used, "%sout ~%s", used > 0 ? ", " : "", moment);
    }
    (void)canvas_text(row.x + columns->label + 1, row.y, row.cols - columns->label - 1,
                      runs_out ? ROLE_LIMITED : ROLE_DIM, text);
}

/* Draws from the right edge leftwards unless too little is left for the name. Returns where it begins. */
static int paint_piece(int right, int least, int y, enum theme_role role, const char *text)
{
    int width = width_of_text(text, strlen(text));

    if (width == 0 || right - width - 1 < least)
        return right;
    (void)canvas_text(right - width, y, width, role, text);
    return right - width - 1;
}

/* A window in force tells the same moment. */
static bool told_by_window(const struct limit_account *account, int64_t now_ms)
{
    for (size_t i = 0; i < account->window_count; i++) {
        int64_t apart = account->windows[i].resets_at_ms - account->limited_until_ms;
        if (limits_in_force(&account->windows[i], now_ms) && llabs(apart) < SAME_MS)
            return true;
    }
    return false;
}

/* Name; then, from the right, what matters most: who waits, that it is limited, what it cost. `alone`: no lines of windows
 * follow. */
static void paint_account(const struct limit_account *account, struct rectangle row, bool alone,
                          int64_t now_ms)
{
    bool reached = limits_reached(account, now_ms);
    int right = row.x + row.cols, name = width_of_text(account->key, strlen(account->key)), before,
        least = row.x + (name < row.cols / 2 ? name : row.cols / 2);
    char text[AMOUNT_SIZE * 2], left[AMOUNT_SIZE] = "";

    if (account->waiting > 0) {
        (void)snprintf(text, sizeof text, "%lld wait%s", (long long)account->waiting,
                       account->waiting == 1 ? "s" : "");
        right = paint_piece(right, least, row.y, ROLE_LIMITED, text);
    }
    if (reached) {
        if (account->limited_until_ms > 0 && (alone || !told_by_window(account, now_ms)))
            amount_countdown(account->limited_until_ms - now_ms, left);
        (void)snprintf(text, sizeof text, "limited%s%s", left[0] != '\0' ? " " : "", left);
        before = right;
        right = paint_piece(right, least, row.y, ROLE_LIMITED, text);
        if (right == before)
            right = paint_piece(right, least, row.y, ROLE_LIMITED, "◆");
    }
    amount_cost(account->cost_usd, account->cost_estimated, text);
    right = paint_piece(right, least, row.y, ROLE_DIM, text);
    (void)canvas_text(row.x, row.y, right - row.x, ROLE_TEXT, account->key);
}

/* One line: name, bar where there is room, percent, time. */
static void paint_brief(const struct limit_account *account, struct rectangle row,
                        const struct columns *columns, int64_t now_ms)
{
    const struct limit_window *window = limits_fullest(account, now_ms);
    int right = row.x + row.cols;
    char text[AMOUNT_SIZE] = "";

    if (window == NULL || limits_reached(account, now_ms)) {
        paint_account(account, row, true, now_ms);
        return;
    }
    if (window->resets_at_ms > 0)
        amount_countdown_short(window->resets_at_ms - now_ms, text);
    canvas_text_right(right -= SHORT_COLS, row.y, SHORT_COLS, ROLE_DIM, ROLE_TEXT, text);
    percent_text(window, text);
    canvas_text_right(right -= PERCENT_COLS, row.y, PERCENT_COLS, window->stale ? ROLE_DIM : ROLE_TEXT,
                      ROLE_TEXT, text);
    right -= columns->beside;
    paint_bar(right, row.y, columns->beside, window);
    (void)canvas_text(row.x, row.y, right - row.x - 1, ROLE_TEXT, account->key);
}

/* ---- the block ---- */

static void paint_heading(const struct limits *limits, struct rectangle row)
{
    double cost = -1;
    bool estimated = false;
    char amount[AMOUNT_SIZE], text[AMOUNT_SIZE * 2] = "";

    for (size_t i = 0; i < limits->count; i++) {
        if (limits->accounts[i].cost_usd < 0)
            continue;
        cost = (cost < 0 ? 0 : cost) + limits->accounts[i].cost_usd;
        estimated |= limits->accounts[i].cost_estimated;
    }
    (void)canvas_text(row.x, row.y, row.cols, ROLE_DIM, "accounts");
    amount_cost(cost, estimated, amount);
    if (amount[0] != '\0')
        (void)snprintf(text, sizeof text, "%s today", amount);
    canvas_text_right(row.x + row.cols / 2, row.y, row.cols - row.cols / 2, ROLE_DIM, ROLE_TEXT, text);
}

static int paint_windows(const struct limit_account *account, enum accounts_detail detail,
                         struct rectangle row, const struct columns *columns, int64_t now_ms)
{
    int first = row.y;

    for (size_t i = 0; i < account->window_count; i++) {
        const struct limit_window *window = &account->windows[i];
        if (!limits_in_force(window, now_ms))
            continue;
        paint_window(window, row, columns, now_ms);
        row.y++;
        if (detail < ACCOUNTS_RATES || !has_rate(window))
            continue;
        paint_rate(window, row, columns, now_ms);
        row.y++;
    }
    return row.y - first;
}

void panel_accounts_paint(const struct limits *limits, enum accounts_detail detail, struct rectangle area,
                          int64_t now_ms)
{
    struct rectangle row = {area.x, area.y, area.cols, 1};
    struct columns columns = measure(limits, area.cols, now_ms);
    char text[sizeof limits->problem + 16];

    if (limits->problem[0] != '\0') {
        (void)snprintf(text, sizeof text, "accounts: %s", limits->problem);
        (void)canvas_text(row.x, row.y, row.cols, ROLE_DIM, text);
        return;
    }
    paint_heading(limits, row);
    row.y++;
    for (size_t i = 0; i < limits->count; i++) {
        const struct limit_account *account = &limits->accounts[i];
        if (detail == ACCOUNTS_FULLEST)
            paint_brief(account, row, &columns, now_ms);
        else
            paint_account(account, row, false, now_ms);
        row.y++;
        if (detail >= ACCOUNTS_WINDOWS)
            row.y += paint_windows(account, detail, row, &columns, now_ms);
    }
}
