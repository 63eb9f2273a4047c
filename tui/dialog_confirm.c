#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/name.h"
#include "term/width.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/ui.h"

struct confirm {
    struct dialog dialog;
    char question[160];
    char uuid[UUID_SIZE];
    void (*yes)(struct ui *ui, const char *uuid);
};

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    const struct confirm *confirm = (const void *)dialog;

    (void)ui;
    *cols = width_of_text(confirm->question, strlen(confirm->question));
    *rows = 1;
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    const struct confirm *confirm = (const void *)dialog;

    (void)ui;
    (void)x;
    (void)y;
    (void)canvas_text(inside.x, inside.y, inside.cols, ROLE_TEXT, confirm->question);
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct confirm *confirm = (void *)dialog;

    if (pressed.code == 'y' || pressed.code == 'Y') {
        void (*yes)(struct ui * ui, const char *uuid) = confirm->yes;
        char uuid[UUID_SIZE];
        memcpy(uuid, confirm->uuid, sizeof uuid);
        ui_set_dialog(ui, NULL);
        yes(ui, uuid);
    } else if (pressed.code == 'n' || pressed.code == 'N' || pressed.code == 'q') {
        ui_set_dialog(ui, NULL);
    }
}

static void destroy(struct dialog *dialog)
{
    free(dialog);
}

static const struct dialog_kind kind = {.size = size, .paint = paint, .key = key, .destroy = destroy};

struct dialog *dialog_confirm(const char *question, const char *uuid,
                              void (*yes)(struct ui *ui, const char *uuid))
{
    struct confirm *confirm = xcalloc(1, sizeof *confirm);

    confirm->dialog.kind = &kind;
    confirm->dialog.hint = "y yes  n no";
    (void)snprintf(confirm->question, sizeof confirm->question, "%s", question);
    (void)snprintf(confirm->uuid, sizeof confirm->uuid, "%s", uuid == NULL ? "" : uuid);
    confirm->yes = yes;
    return &confirm->dialog;
}
