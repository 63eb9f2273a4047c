/* What the keys of crew mode do: the table of keymap.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "tui/dialog.h"
#include "tui/front.h"
#include "tui/keymap.h"
#include "tui/outer.h"
#include "tui/page.h"
#include "tui/scroll.h"
#include "tui/ui.h"

static bool none(struct ui *ui)
{
    if (ui->focus == NULL)
        ui_say(ui, false, "there is no session: press n to start one");
    return ui->focus == NULL;
}

/* Looking only: nothing that changes a session. */
static bool refused(struct ui *ui)
{
    if (ui->options.read_only)
        ui_say(ui, true, "opened with --read-only: nothing is sent to the sessions");
    return ui->options.read_only;
}

static void child_ended(struct ui *ui, int code, const char *output, const char *problem)
{
    if (code != 0)
        ui_say(ui, true, "%s", problem[0] != '\0' ? problem : "the command failed");
    else
        ui_say(ui, false, "%.*s", (int)strcspn(output, "\n"), output[0] != '\0' ? output : "done");
}

static void run_on(struct ui *ui, const char *command, const char *uuid)
{
    child_run(ui, (const char *const[]){command, uuid, NULL}, child_ended);
}

/* ---- sessions ---- */

static void act_new(struct ui *ui, int argument)
{
    (void)argument;
    if (!refused(ui))
        ui_set_dialog(ui, dialog_new(ui));
}

static void cancelled(struct session *session, const json_t *result, const char *error)
{
    if (error != NULL)
        ui_say(session->ui, true, "%s: %s", session->name, error);
    else
        ui_say(session->ui, false, "%s: %s", session->name, json_member_string(result, "state", "cancelled"));
}

static void act_cancel(struct ui *ui, int argument)
{
    (void)argument;
    if (none(ui) || refused(ui))
        return;
    if (session_call(ui->focus, "session.cancel", json_pack("{s:s}", "scope", "turn"), cancelled))
        ui_say(ui, false, "%s: cancelling the turn…", ui->focus->name);
    else
        ui_say(ui, true, "%s: there is nothing to cancel: it has no host", ui->focus->name);
}

static void retried(struct session *session, const json_t *result, const char *error)
{
    if (error != NULL)
        ui_say(session->ui, true, "%s: %s", session->name, error);
    else
        ui_say(session->ui, false, "%s: attempt %lld", session->name,
               (long long)json_member_integer(result, "attempt", 0));
}

/* Ends the attempt first, when it runs: `ganger retry` does both. */
static void do_retry(struct ui *ui, const char *uuid)
{
    struct session *session = crew_find(&ui->crew, uuid);

    if (session == NULL)
        return;
    ui_say(ui, false, "%s: retrying…", session->name);
    if (!phase_look(session->phase)->ended || !session_call(session, "session.retry", json_object(), retried))
        run_on(ui, "retry", uuid);
}

/* An agent that still runs is ended first, which `ganger retry` does. */
static void went_on(struct session *session, const json_t *result, const char *error)
{
    if (error != NULL && !phase_look(session->phase)->ended)
        child_run(session->ui,
                  (const char *const[]){"retry", session->uuid, "-A", session->retry_account, NULL},
                  child_ended);
    else
        retried(session, result, error);
}

static void go_on_with(struct ui *ui, const char *uuid, const char *account)
{
    struct session *session = crew_find(&ui->crew, uuid);

    if (session == NULL)
        return;
    ui_say(ui, false, "%s: going on with %s…", session->name, account);
    (void)snprintf(session->retry_account, sizeof session->retry_account, "%s", account);
    if (!session_call(session, "session.retry", json_pack("{s:s}", "account", account), went_on))
        ui_say(ui, true, "%s: there is no connection to its host", session->name);
}

/* The account is at its limit, and another could be used: true when that is done, or asked. */
static bool retry_elsewhere(struct ui *ui)
{
    char *only = NULL;
    size_t count =
        ui->focus->facts.waiting == WAITING_ACCOUNT ? dialog_accounts_others(ui, ui->focus, &only) : 0;

    if (count > 1)
        ui_set_dialog(ui, dialog_accounts(ui, ui->focus, go_on_with));
    else if (only != NULL)
        go_on_with(ui, ui->focus->uuid, strchr(only, '/') + 1);
    free(only);
    return count > 0;
}

/* What an accident ended is not run again, but goes on. */
static bool resume_lost(struct ui *ui)
{
    if (ui->focus->phase != PHASE_LOST)
        return false;
    ui_say(ui, false, "%s: resuming…", ui->focus->name);
    run_on(ui, "resume", ui->focus->uuid);
    return true;
}

static void act_retry(struct ui *ui, int argument)
{
    char question[160];

    (void)argument;
    if (none(ui) || refused(ui) || resume_lost(ui) || retry_elsewhere(ui))
        return;
    (void)snprintf(question, sizeof question, "%s works: end this attempt and retry?", ui->focus->name);
    if (ui->focus->phase >= PHASE_CONNECTING && ui->focus->phase <= PHASE_TOOL)
        ui_set_dialog(ui, dialog_confirm(question, ui->focus->uuid, do_retry));
    else
        do_retry(ui, ui->focus->uuid);
}

static void answered(struct session *session, const json_t *result, const char *error)
{
    (void)result;
    if (error != NULL)
        ui_say(session->ui, true, "%s: %s", session->name, error);
}

static void do_kill(struct ui *ui, const char *uuid)
{
    struct session *session = crew_find(&ui->crew, uuid);

    if (session == NULL)
        return;
    ui_say(ui, false, "%s: ending it…", session->name);
    if (!session_call(session, "session.kill", NULL, answered))
        run_on(ui, "kill", uuid);
}

static void act_replay(struct ui *ui, int argument)
{
    const char *words[] = {"replay", NULL, NULL};

    (void)argument;
    if (none(ui))
        return;
    /* A file of that name would be taken first. */
    words[1] = access(ui->focus->name, F_OK) < 0 ? ui->focus->name : ui->focus->uuid;
    front_run(ui, words);
}

static void act_kill(struct ui *ui, int argument)
{
    char question[128];

    (void)argument;
    if (none(ui) || refused(ui))
        return;
    if (phase_look(ui->focus->phase)->ended) {
        ui_say(ui, false, "%s has ended already; X removes it", ui->focus->name);
        return;
    }
    (void)snprintf(question, sizeof question, "End %s and every process it started?", ui->focus->name);
    ui_set_dialog(ui, dialog_confirm(question, ui->focus->uuid, do_kill));
}

static void do_remove(struct ui *ui, const char *uuid)
{
    ui_say(ui, false, "removing…");
    run_on(ui, "rm", uuid);
}

static void act_remove(struct ui *ui, int argument)
{
    char question[160];

    (void)argument;
    if (none(ui) || refused(ui))
        return;
    if (!phase_look(ui->focus->phase)->ended) {
        ui_say(ui, false, "%s is running: x ends it first", ui->focus->name);
        return;
    }
    (void)snprintf(question, sizeof question, "Remove %s with its recording?", ui->focus->name);
    ui_set_dialog(ui, dialog_confirm(question, ui->focus->uuid, do_remove));
}

static void do_end_all(struct ui *ui, const char *uuid)
{
    size_t count = 0;

    (void)uuid;
    for (size_t i = 0; i < ui->crew.count; i++) {
        struct session *session = ui->crew.sessions[i];
        if (phase_look(session->phase)->ended)
            continue;
        count++;
        if (!session_call(session, "session.cancel", json_pack("{s:s}", "scope", "session"), answered))
            run_on(ui, "kill", session->uuid);
    }
    ui_say(ui, false, "ending %zu session%s…", count, count == 1 ? "" : "s");
}

static void act_end_all(struct ui *ui, int argument)
{
    (void)argument;
    if (!refused(ui))
        ui_set_dialog(ui, dialog_confirm("End all sessions?", NULL, do_end_all));
}

/* `denies`: Enter in the dialog refuses. */
static void act_answer(struct ui *ui, int denies)
{
    if (none(ui) || refused(ui))
        return;
    if (asked_count(&ui->focus->asked) > 0)
        ui_set_dialog(ui, dialog_approval(ui->focus, denies != 0));
    else if (ui->focus->phase == PHASE_APPROVAL)
        ui_say(ui, false, "%s waits for an answer in its pane", ui->focus->name);
    else
        ui_say(ui, false, "%s asks nothing", ui->focus->name);
}

static void act_prompt(struct ui *ui, int argument)
{
    (void)argument;
    if (!none(ui) && !refused(ui))
        ui_set_dialog(ui, dialog_prompt(ui, ui->focus->uuid, false));
}

static void act_queue(struct ui *ui, int argument)
{
    (void)argument;
    if (!none(ui) && !refused(ui))
        ui_set_dialog(ui, dialog_queue(ui->focus));
}

static void act_broadcast(struct ui *ui, int argument)
{
    (void)argument;
    if (!none(ui) && !refused(ui))
        ui_set_dialog(ui, dialog_prompt(ui, NULL, true));
}

static void act_mark(struct ui *ui, int argument)
{
    (void)argument;
    if (none(ui))
        return;
    ui->focus->marked = !ui->focus->marked;
    ui_paint(ui, PAINT_PANEL | PAINT_TITLES);
}

/* ---- focus ---- */

static void act_focus(struct ui *ui, int number)
{
    if ((size_t)number > ui->crew.count)
        ui_say(ui, false, "there is no session %d", number);
    else
        ui_set_focus(ui, ui->crew.sessions[number - 1]);
}

/* Among the panes, in their order; with one pane among all sessions. */
static void act_focus_by(struct ui *ui, int step)
{
    size_t place, count = ui->crew.count;

    if (none(ui))
        return;
    place = crew_place(&ui->crew, ui->focus);
    for (size_t tries = 0; tries < count; tries++) {
        struct session *session;
        place = (place + count + (size_t)(step > 0 ? 1 : -1)) % count;
        session = ui->crew.sessions[place];
        if (session->attended || ui->pane_count <= 1) {
            ui_set_focus(ui, session);
            return;
        }
    }
}

enum { WAY_UP, WAY_DOWN, WAY_LEFT, WAY_RIGHT };

/* How far `to` lies from `from` in a direction; negative when it does not. */
static int away(const struct rectangle *from, const struct rectangle *to, int way)
{
    int dx = to->x + to->cols / 2 - from->x - from->cols / 2,
        dy = to->y + to->rows / 2 - from->y - from->rows / 2;
    bool beside = to->y < from->y + from->rows && from->y < to->y + to->rows;
    bool above = to->x < from->x + from->cols && from->x < to->x + to->cols;
    int along = way == WAY_UP ? -dy : way == WAY_DOWN ? dy : way == WAY_LEFT ? -dx : dx;
    int across = abs(way == WAY_UP || way == WAY_DOWN ? dx : dy);

    if (along <= 0 || !(way == WAY_UP || way == WAY_DOWN ? above : beside))
        return -1;
    return along * 4 + across;
}

static void act_go(struct ui *ui, int way)
{
    struct pane *from = none(ui) ? NULL : ui_pane_of(ui, ui->focus), *best = NULL;
    int least = 0;

    for (size_t i = 0; from != NULL && i < ui->pane_count; i++) {
        int distance = away(&from->area, &ui->panes[i].area, way);
        if (distance >= 0 && (best == NULL || distance < least)) {
            best = &ui->panes[i];
            least = distance;
        }
    }
    if (best != NULL)
        ui_set_focus(ui, best->session);
    else if (ui->focus != NULL)
        act_focus_by(ui, way == WAY_DOWN || way == WAY_RIGHT ? 1 : -1);
}

/* The next session, in their order, that waits for a person. */
static void act_waiting(struct ui *ui, int argument)
{
    size_t count = ui->crew.count, place;

    (void)argument;
    if (none(ui))
        return;
    place = crew_place(&ui->crew, ui->focus);
    for (size_t tries = 0; tries < count; tries++) {
        struct session *session = ui->crew.sessions[(place + tries + 1) % count];
        if (session->phase != PHASE_APPROVAL && asked_count(&session->asked) == 0)
            continue;
        if (session == ui->focus)
            ui_say(ui, false, "no other session waits for you");
        ui_set_focus(ui, session);
        return;
    }
    ui_say(ui, false, "no session waits for you");
}

static void act_enter(struct ui *ui, int argument)
{
    (void)argument;
    if (!none(ui))
        ui_set_mode(ui, MODE_PANE);
}

static void act_crew(struct ui *ui, int argument)
{
    (void)argument;
    ui_set_mode(ui, MODE_CREW);
}

/* ---- the view ---- */

static void act_zoom(struct ui *ui, int argument)
{
    (void)argument;
    ui->zoomed = !ui->zoomed;
    ui_arrange(ui);
}

static void act_layout(struct ui *ui, int argument)
{
    (void)argument;
    ui->zoomed = false;
    ui->layout = (enum layout_kind)((ui->layout + 1) % LAYOUT_COUNT);
    ui_say(ui, false, "layout: %s", layout_name(ui->layout));
    ui_arrange(ui);
}

static void act_panel(struct ui *ui, int argument)
{
    (void)argument;
    ui->panel_shown = !ui->panel_shown;
    ui_arrange(ui);
}

static void act_scroll(struct ui *ui, int argument)
{
    if (none(ui))
        return;
    scroll_open(ui);
    if (argument < 0 && ui->scroll != NULL)
        scroll_key(ui, (struct key){.code = KEYCODE_PAGE_UP});
}

static void act_copy(struct ui *ui, int argument)
{
    struct buffer text = {0};
    struct page *page;

    (void)argument;
    if (none(ui))
        return;
    page = page_of_screen(&ui->focus->screen, 0);
    for (int row = 0; row < page->screen.rows; row++) {
        page_text(page, row, 0, page->screen.cols, true, &text);
        buffer_append_char(&text, '\n');
    }
    page_destroy(page);
    while (text.length > 1 && text.bytes[text.length - 2] == '\n')
        text.length--;
    outer_copy(text.length > 0 ? text.bytes : "", text.length);
    ui_say(ui, false, "copied the screen of %s", ui->focus->name);
    buffer_finish(&text);
}

static void set_filter(struct ui *ui, const char *text)
{
    (void)snprintf(ui->filter, sizeof ui->filter, "%s", text);
    ui_paint(ui, PAINT_PANEL);
    for (size_t i = 0; text[0] != '\0' && i < ui->crew.count; i++) {
        if (ui_matches(ui, ui->crew.sessions[i])) {
            if (ui->focus == NULL || !ui_matches(ui, ui->focus))
                ui_set_focus(ui, ui->crew.sessions[i]);
            return;
        }
    }
}

static void act_filter(struct ui *ui, int argument)
{
    (void)argument;
    ui_set_dialog(ui, dialog_line("show sessions with", ui->filter, set_filter));
}

static void set_theme(struct ui *ui, const char *name)
{
    struct error error;

    if (theme_load(&ui->theme, name, &error) < 0)
        ui_say(ui, true, "%s", error.text);
    ui_paint(ui, PAINT_ALL);
}

static void act_theme(struct ui *ui, int argument)
{
    (void)argument;
    ui_set_dialog(ui, dialog_line("theme", config_string(ui->config, "theme"), set_theme));
}

static void act_redraw(struct ui *ui, int argument)
{
    (void)argument;
    outer_redraw();
    ui_paint(ui, PAINT_ALL);
}

/* ---- the rest ---- */

static void act_help(struct ui *ui, int argument)
{
    (void)argument;
    ui_set_dialog(ui, dialog_help());
}

static void act_palette(struct ui *ui, int argument)
{
    (void)argument;
    ui_set_dialog(ui, dialog_palette());
}

static void act_detach(struct ui *ui, int argument)
{
    (void)argument;
    ui_quit(ui, 0);
}

static const struct action actions[] = {
    {"new", "Sessions", "start a session", {"n"}, act_new, 0},
    {"prompt", "Sessions", "send a prompt", {"p"}, act_prompt, 0},
    {"queue", "Sessions", "change the prompts that wait", {"e"}, act_queue, 0},
    {"broadcast", "Sessions", "send a prompt to the marked, or all on screen", {"b"}, act_broadcast, 0},
    {"mark", "Sessions", "mark for a broadcast", {"m"}, act_mark, 0},
    {"approve", "Sessions", "read what it asks, and approve", {"a"}, act_answer, false},
    {"deny", "Sessions", "read what it asks, and deny", {"d"}, act_answer, true},
    {"cancel", "Sessions", "cancel the turn", {"c"}, act_cancel, 0},
    {"retry", "Sessions", "run the last prompt again; a lost session goes on", {"r"}, act_retry, 0},
    {"kill", "Sessions", "end the session (asks)", {"x"}, act_kill, 0},
    {"remove", "Sessions", "remove an ended session (asks)", {"X"}, act_remove, 0},
    {"end-all", "Sessions", "end all sessions (asks)", {"Q"}, act_end_all, 0},
    {"enter", "Focus", "type into the session", {"Enter", "i"}, act_enter, 0},
    {"crew", "Focus", "leave the pane: keys are commands", {"Escape"}, act_crew, 0},
    {"focus-next", "Focus", "next session", {"Tab"}, act_focus_by, 1},
    {"focus-previous", "Focus", "previous session", {"BTab"}, act_focus_by, -1},
    {"focus-waiting", "Focus", "next session that waits for you", {"w"}, act_waiting, 0},
    {"focus-up", "Focus", "the pane above", {"Up", "k"}, act_go, WAY_UP},
    {"focus-down", "Focus", "the pane below", {"Down", "j"}, act_go, WAY_DOWN},
    {"focus-left", "Focus", "the pane on the left", {"Left"}, act_go, WAY_LEFT},
    {"focus-right", "Focus", "the pane on the right", {"Right"}, act_go, WAY_RIGHT},
    {"focus-1", "Focus", "session 1, and so on to 9", {"1"}, act_focus, 1},
    {"focus-2", "Focus", "session 2", {"2"}, act_focus, 2},
    {"focus-3", "Focus", "session 3", {"3"}, act_focus, 3},
    {"focus-4", "Focus", "session 4", {"4"}, act_focus, 4},
    {"focus-5", "Focus", "session 5", {"5"}, act_focus, 5},
    {"focus-6", "Focus", "session 6", {"6"}, act_focus, 6},
    {"focus-7", "Focus", "session 7", {"7"}, act_focus, 7},
    {"focus-8", "Focus", "session 8", {"8"}, act_focus, 8},
    {"focus-9", "Focus", "session 9", {"9"}, act_focus, 9},
    {"zoom", "View", "one session on the whole screen, and back", {"z"}, act_zoom, 0},
    {"layout", "View", "next layout", {"l"}, act_layout, 0},
    {"panel", "View", "side panel on or off", {"t"}, act_panel, 0},
    {"filter", "View", "filter the panel", {"/"}, act_filter, 0},
    {"scroll", "View", "scrollback: search with /, select with v, copy with y", {"["}, act_scroll, 0},
    {"page-up", "View", "scrollback, one page up", {"PageUp"}, act_scroll, -1},
    {"copy", "View", "copy the screen", {"y"}, act_copy, 0},
    {"replay", "View", "play its recording", {NULL}, act_replay, 0},
    {"theme", "View", "choose a theme", {NULL}, act_theme, 0},
    {"redraw", "View", "draw the screen again", {"C-l"}, act_redraw, 0},
    {"help", "Rest", "this help", {"?"}, act_help, 0},
    {"palette", "Rest", "all commands, by search", {":", "C-p"}, act_palette, 0},
    {"detach", "Rest", "leave; the sessions go on", {"q"}, act_detach, 0},
};

const struct action *actions_all(size_t *count)
{
    *count = sizeof actions / sizeof actions[0];
    return actions;
}

const struct action *actions_find(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}
