/* Which other account a session goes on with: those of its agent, with how full they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "tui/amount.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/ui.h"

#define ACCOUNTS_MAX 64
#define STATE_COLS 24

struct accounts {
    struct dialog dialog;
    char uuid[UUID_SIZE];
    char *names[ACCOUNTS_MAX];
    size_t count, chosen;
    void (*done)(struct ui *ui, const char *uuid, const char *account);
};

/* Fills `names` (borrowed from the configuration) with the other accounts of the session's agent. */
static size_t others(const struct ui *ui, const struct session *session, const char **names)
{
    const json_t *accounts = config_accounts(ui->config);
    const char *name;
    json_t *account;
    size_t count = 0;

    json_object_foreach((json_t *)(uintptr_t)accounts, name, account)
    {
        if (strcmp(json_member_string(account, "agent", ""), session->agent) == 0 &&
            strcmp(name, session->account) != 0 && count < ACCOUNTS_MAX)
            names[count++] = name;
    }
    return count;
}

size_t dialog_accounts_others(const struct ui *ui, const struct session *session, char **only)
{
    const char *names[ACCOUNTS_MAX];
    size_t count = others(ui, session, names);

    *only = count == 1 ? xasprintf("%s/%s", session->agent, names[0]) : NULL;
    return count;
}

/* "limited 1:23:45", "82% of 5h", "" when nothing is known. */
static void describe(const struct ui *ui, const char *agent, const char *name, char *out, size_t size)
{
    char *key = xasprintf("%s/%s", agent, name), left[AMOUNT_SIZE] = "";
    int64_t now_ms = clock_realtime_ms();

    out[0] = '\0';
    for (size_t i = 0; i < ui->limits.count; i++) {
        const struct limit_account *account = &ui->limits.accounts[i];
        const struct limit_window *window = limits_fullest(account, now_ms);
        if (strcmp(account->key, key) != 0)
            continue;
        if (limits_reached(account, now_ms) && account->limited_until_ms > 0)
            amount_countdown(account->limited_until_ms - now_ms, left);
        if (limits_reached(account, now_ms))
            (void)snprintf(out, size, "limited %s", left);
        else if (window != NULL && window->percent >= 0)
            (void)snprintf(out, size, "%d%% of %s", (int)window->percent, window->name);
    }
    free(key);
}

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    const struct accounts *accounts = (const void *)dialog;

    (void)ui;
    *cols = 48;
    *rows = (int)accounts->count;
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    const struct accounts *accounts = (const void *)dialog;
    const struct session *session = crew_find(&ui->crew, accounts->uuid);
    int first = layout_clip((int)accounts->count, inside.rows, (int)accounts->chosen, 0);

    (void)x;
    (void)y;
    for (int i = 0; i < inside.rows && first + i < (int)accounts->count; i++) {
        struct rectangle row = {inside.x, inside.y + i, inside.cols, 1};
        enum theme_role ground = first + i == (int)accounts->chosen ? ROLE_SELECTED : ROLE_TEXT;
        char state[64];
        canvas_fill(row, ground);
        (void)canvas_text_on(row.x, row.y, row.cols - STATE_COLS - 1, ground, ground,
                             accounts->names[first + i]);
        describe(ui, session == NULL ? "" : session->agent, accounts->names[first + i], state, sizeof state);
        canvas_text_right(row.x + row.cols - STATE_COLS, row.y, STATE_COLS, ROLE_DIM, ground, state);
    }
}

static void choose(struct ui *ui, const struct accounts *accounts)
{
    char uuid[UUID_SIZE], *name = xstrdup(accounts->names[accounts->chosen]);
    void (*done)(struct ui * ui, const char *uuid, const char *account) = accounts->done;

    memcpy(uuid, accounts->uuid, sizeof uuid);
    ui_set_dialog(ui, NULL);
    done(ui, uuid, name);
    free(name);
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct accounts *accounts = (void *)dialog;

    ui_paint(ui, PAINT_STATUS);
    if (pressed.code == KEYCODE_ENTER)
        choose(ui, accounts);
    else if ((pressed.code == KEYCODE_DOWN || pressed.code == 'j') && accounts->chosen + 1 < accounts->count)
        accounts->chosen++;
    else if ((pressed.code == KEYCODE_UP || pressed.code == 'k') && accounts->chosen > 0)
        accounts->chosen--;
    else if (pressed.code == 'q')
        ui_set_dialog(ui, NULL);
}

static void destroy(struct dialog *dialog)
{
    struct accounts *accounts = (void *)dialog;

    for (size_t i = 0; i < accounts->count; i++)
        free(accounts->names[i]);
    free(accounts);
}

static const struct dialog_kind kind = {.size = size, .paint = paint, .key = key, .destroy = destroy};

struct dialog *dialog_accounts(const struct ui *ui, const struct session *session,
                               void (*done)(struct ui *ui, const char *uuid, const char *account))
{
    struct accounts *accounts = xcalloc(1, sizeof *accounts);
    const char *names[ACCOUNTS_MAX];

    accounts->dialog.kind = &kind;
    accounts->dialog.hint = "Enter go on  arrows choose  Esc";
    (void)snprintf(accounts->dialog.title, sizeof accounts->dialog.title, "%.30s goes on with",
                   session->name);
    (void)snprintf(accounts->uuid, sizeof accounts->uuid, "%s", session->uuid);
    accounts->done = done;
    accounts->count = others(ui, session, names);
    for (size_t i = 0; i < accounts->count; i++)
        accounts->names[i] = xstrdup(names[i]);
    return &accounts->dialog;
}
