#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/ui.h"

#define KEY_COLS 14
#define COLUMN_COLS 54

struct help {
    struct dialog dialog;
    int first; /* line */
};

struct line {
    const char *group; /* heading, or NULL */
    const struct action *action;
};

/* One line stands for all the numbers, as long as their keys are the numbers. */
static bool is_one_of_many(const struct action *action, const char *keys)
{
    return strncmp(action->name, "focus-", 6) == 0 && action->argument > 1 &&
           strcmp(action->name + 6, keys) == 0;
}

/* Headings, and actions that have a key. */
static size_t lines_of(const struct ui *ui, struct line *lines, size_t room)
{
    size_t count, used = 0;
    const struct action *actions = actions_all(&count);
    const char *group = "";

    for (size_t i = 0; i < count && used + 2 < room; i++) {
        char keys[64];
        keymap_describe(ui->keymap, &actions[i], keys, sizeof keys);
        if (keys[0] == '\0' || is_one_of_many(&actions[i], keys))
            continue;
        if (strcmp(group, actions[i].group) != 0) {
            if (used > 0)
                lines[used++] = (struct line){NULL, NULL};
            lines[used++] = (struct line){actions[i].group, NULL};
        }
        group = actions[i].group;
        lines[used++] = (struct line){NULL, &actions[i]};
    }
    return used;
}

#define LINES_MAX 128

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    struct line lines[LINES_MAX];

    (void)dialog;
    *cols = KEY_COLS + COLUMN_COLS;
    *rows = (int)lines_of(ui, lines, LINES_MAX) + 2;
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    struct help *help = (void *)dialog;
    struct line lines[LINES_MAX];
    int count = (int)lines_of(ui, lines, LINES_MAX);
    char text[160], prefix[KEY_NAME_SIZE];

    (void)x;
    (void)y;
    key_format(keymap_prefix(ui->keymap), prefix);
    (void)snprintf(text, sizeof text, "in a pane: %s, then one of these; %s twice types it", prefix, prefix);
    (void)canvas_text(inside.x, inside.y, inside.cols, ROLE_DIM, text);
    inside.y += 2;
    inside.rows -= 2;
    if (help->first > count - inside.rows)
        help->first = count - inside.rows;
    if (help->first < 0)
        help->first = 0;
    for (int i = 0; i < inside.rows && help->first + i < count; i++) {
        const struct line *line = &lines[help->first + i];
        if (line->group != NULL)
            (void)canvas_text(inside.x, inside.y + i, inside.cols, ROLE_STRONG, line->group);
        if (line->action == NULL)
            continue;
        keymap_describe(ui->keymap, line->action, text, sizeof text);
        (void)canvas_text(inside.x + 1, inside.y + i, KEY_COLS - 2, ROLE_ACCENT, text);
        (void)canvas_text(inside.x + KEY_COLS, inside.y + i, inside.cols - KEY_COLS, ROLE_TEXT,
                          line->action->summary);
    }
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct help *help = (void *)dialog;

    if (pressed.code == KEYCODE_DOWN || pressed.code == 'j')
        help->first++;
    else if (pressed.code == KEYCODE_UP || pressed.code == 'k')
        help->first--;
    else if (pressed.code == KEYCODE_PAGE_DOWN || pressed.code == ' ')
        help->first += 10;
    else if (pressed.code == KEYCODE_PAGE_UP)
        help->first -= 10;
    else {
        ui_set_dialog(ui, NULL);
        return;
    }
    ui_paint(ui, PAINT_STATUS);
}

static void destroy(struct dialog *dialog)
{
    free(dialog);
}

static const struct dialog_kind kind = {.size = size, .paint = paint, .key = key, .destroy = destroy};

struct dialog *dialog_help(void)
{
    struct help *help = xcalloc(1, sizeof *help);

    help->dialog.kind = &kind;
    help->dialog.hint = "arrows scroll  any key closes";
    (void)snprintf(help->dialog.title, sizeof help->dialog.title, "keys");
    return &help->dialog;
}
