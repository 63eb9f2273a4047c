#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tui/dialog.h"
#include "tui/field.h"
#include "tui/ui.h"

#define LINE_BYTES 256

struct line {
    struct dialog dialog;
    struct field field;
    void (*done)(struct ui *ui, const char *text);
};

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    (void)ui;
    (void)dialog;
    *cols = 40;
    *rows = 1;
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    const struct line *line = (const void *)dialog;

    (void)ui;
    inside.rows = 1;
    field_paint(&line->field, inside, true, x, y);
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct line *line = (void *)dialog;

    if (pressed.code == KEYCODE_ENTER) {
        char *text = xstrdup(field_text(&line->field));
        void (*done)(struct ui * ui, const char *text) = line->done;
        ui_set_dialog(ui, NULL);
        done(ui, text);
        free(text);
        return;
    }
    (void)field_key(&line->field, pressed);
    ui_paint(ui, PAINT_STATUS);
}

static void paste(struct ui *ui, struct dialog *dialog, const char *text, size_t length)
{
    struct line *line = (void *)dialog;

    (void)ui;
    field_insert(&line->field, text, length);
}

static void destroy(struct dialog *dialog)
{
    struct line *line = (void *)dialog;

    field_finish(&line->field);
    free(line);
}

static const struct dialog_kind kind = {
    .size = size, .paint = paint, .key = key, .paste = paste, .destroy = destroy};

struct dialog *dialog_line(const char *title, const char *text, void (*done)(struct ui *ui, const char *text))
{
    struct line *line = xcalloc(1, sizeof *line);

    line->dialog.kind = &kind;
    line->dialog.hint = "Enter";
    (void)snprintf(line->dialog.title, sizeof line->dialog.title, "%s", title);
    field_init(&line->field, LINE_BYTES, false, text);
    line->done = done;
    return &line->dialog;
}
