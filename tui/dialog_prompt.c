#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/name.h"
#include "rpc/protocol.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/field.h"
#include "tui/ui.h"

struct prompt {
    struct dialog dialog;
    char uuid[UUID_SIZE]; /* "" for a broadcast */
    bool next;            /* to the front of the queue */
    struct field field;
};

/* Marked sessions, or without any those on the screen. Calls `each` and returns how many there are. */
static size_t receivers(struct ui *ui, const char *uuid,
                        void (*each)(struct session *session, const struct prompt *prompt),
                        const struct prompt *prompt)
{
    size_t count = 0, marked = 0;

    for (size_t i = 0; i < ui->crew.count; i++)
        marked += ui->crew.sessions[i]->marked;
    for (size_t i = 0; i < ui->crew.count; i++) {
        struct session *session = ui->crew.sessions[i];
        bool chosen = uuid[0] != '\0' ? strcmp(session->uuid, uuid) == 0
                      : marked > 0    ? session->marked
                                      : ui_pane_of(ui, session) != NULL;
        if (!chosen)
            continue;
        count++;
        if (each != NULL)
            each(session, prompt);
    }
    return count;
}

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    (void)ui;
    (void)dialog;
    *cols = 72;
    *rows = 8;
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    struct prompt *prompt = (void *)dialog;

    (void)ui;
    (void)canvas_text(inside.x, inside.y, inside.cols, ROLE_DIM,
                      prompt->next ? "goes to the front of the queue (Tab changes)"
                                   : "goes to the end of the queue (Tab changes)");
    inside.y++;
    inside.rows--;
    field_paint(&prompt->field, inside, true, x, y);
}

static void answered(struct session *session, const json_t *result, const char *error)
{
    (void)result;
    if (error != NULL)
        ui_say(session->ui, true, "%s: the prompt was not taken: %s", session->name, error);
    else
        ui_say(session->ui, false, "%s: prompt queued", session->name);
}

static void send_one(struct session *session, const struct prompt *prompt)
{
    json_t *params = json_pack("{s:s, s:s}", "text", field_text(&prompt->field), "priority",
                               prompt->next ? "next" : "later");

    if (!session_call(session, "session.prompt", params, answered))
        ui_say(session->ui, true, "%s: there is no connection to its host; r retries an ended session",
               session->name);
    else
        ui_say(session->ui, false, "%s: sending the prompt…", session->name);
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct prompt *prompt = (void *)dialog;

    if (pressed.code == KEYCODE_ENTER && (pressed.modifiers & (KEY_ALT | KEY_SHIFT)) == 0) {
        size_t count = prompt->field.text.length > 0 ? receivers(ui, prompt->uuid, send_one, prompt) : 0;
        if (count > 1)
            ui_say(ui, false, "sent to %zu sessions", count);
        ui_set_dialog(ui, NULL);
        return;
    }
    if (pressed.code == KEYCODE_TAB)
        prompt->next = !prompt->next;
    else
        (void)field_key(&prompt->field, pressed);
    ui_paint(ui, PAINT_STATUS);
}

static void paste(struct ui *ui, struct dialog *dialog, const char *text, size_t length)
{
    struct prompt *prompt = (void *)dialog;

    if (prompt->field.text.length + length > RPC_PROMPT_MAX)
        ui_say(ui, true, "a prompt holds at most 100 KiB: the paste was cut");
    field_insert(&prompt->field, text, length);
}

static void destroy(struct dialog *dialog)
{
    struct prompt *prompt = (void *)dialog;

    field_finish(&prompt->field);
    free(prompt);
}

static const struct dialog_kind kind = {
    .size = size, .paint = paint, .key = key, .paste = paste, .destroy = destroy};

struct dialog *dialog_prompt(struct ui *ui, const char *uuid, bool broadcast)
{
    struct prompt *prompt = xcalloc(1, sizeof *prompt);
    const struct session *session = broadcast ? NULL : crew_find(&ui->crew, uuid);

    prompt->dialog.kind = &kind;
    prompt->dialog.hint = "Enter send  Alt+Enter line  Esc";
    if (session != NULL) {
        (void)snprintf(prompt->uuid, sizeof prompt->uuid, "%s", session->uuid);
        (void)snprintf(prompt->dialog.title, sizeof prompt->dialog.title, "prompt for %.40s", session->name);
    } else {
        size_t count = receivers(ui, "", NULL, NULL);
        (void)snprintf(prompt->dialog.title, sizeof prompt->dialog.title, "prompt for %zu session%s", count,
                       count == 1 ? "" : "s");
    }
    field_init(&prompt->field, RPC_PROMPT_MAX, true, NULL);
    return &prompt->dialog;
}
