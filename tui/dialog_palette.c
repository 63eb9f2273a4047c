#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/field.h"
#include "tui/ui.h"

#define ENTRIES_MAX 256
#define SEARCH_BYTES 64
#define NAME_COLS 18

struct palette {
    struct dialog dialog;
    struct field search;
    size_t chosen;
};

/* An action, or a session to focus. */
struct entry {
    const struct action *action;
    struct session *session;
};

/* Every word of the search occurs in the text, in any case. */
static bool fits(const char *search, const char *text)
{
    while (*search != '\0') {
        size_t length = strcspn(search, " ");
        char word[SEARCH_BYTES + 1];
        (void)snprintf(word, sizeof word, "%.*s", (int)length, search);
        if (length > 0 && strcasestr(text, word) == NULL)
            return false;
        search += length;
        while (*search == ' ')
            search++;
    }
    return true;
}

static size_t entries_of(struct ui *ui, const struct palette *palette, struct entry *entries)
{
    size_t count, used = 0;
    const struct action *actions = actions_all(&count);
    const char *search = field_text(&palette->search);

    for (size_t i = 0; i < count && used < ENTRIES_MAX; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, "%s %s", actions[i].name, actions[i].summary);
        if (strncmp(actions[i].name, "focus-", 6) != 0 || isalpha((unsigned char)actions[i].name[6])) {
            if (fits(search, text))
                entries[used++] = (struct entry){.action = &actions[i]};
        }
    }
    for (size_t i = 0; i < ui->crew.count && used < ENTRIES_MAX; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, "go to %s", ui->crew.sessions[i]->name);
        if (fits(search, text))
            entries[used++] = (struct entry){.session = ui->crew.sessions[i]};
    }
    return used;
}

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    (void)ui;
    (void)dialog;
    *cols = 64;
    *rows = 16;
}

static void paint_entry(const struct ui *ui, const struct entry *entry, struct rectangle area, bool chosen)
{
    enum theme_role ground = chosen ? ROLE_SELECTED : ROLE_TEXT;
    char keys[64] = "", text[128];

    if (chosen)
        canvas_fill(area, ROLE_SELECTED);
    if (entry->action != NULL) {
        keymap_describe(ui->keymap, entry->action, keys, sizeof keys);
        (void)canvas_text_on(area.x, area.y, NAME_COLS - 1, ground, ground, entry->action->name);
        (void)canvas_text_on(area.x + NAME_COLS, area.y, area.cols - NAME_COLS - 12, ROLE_DIM, ground,
                             entry->action->summary);
        canvas_text_right(area.x + area.cols - 11, area.y, 11, ROLE_ACCENT, ground, keys);
        return;
    }
    (void)snprintf(text, sizeof text, "go to %s", entry->session->name);
    (void)canvas_text_on(area.x, area.y, area.cols - 12, ground, ground, text);
    canvas_text_right(area.x + area.cols - 11, area.y, 11, phase_look(entry->session->phase)->role, ground,
                      phase_look(entry->session->phase)->name);
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    struct palette *palette = (void *)dialog;
    struct entry entries[ENTRIES_MAX];
    size_t count = entries_of(ui, palette, entries), first = 0;
    int room = inside.rows - 2;

    field_paint(&palette->search, (struct rectangle){inside.x, inside.y, inside.cols, 1}, true, x, y);
    if (palette->chosen >= count)
        palette->chosen = count > 0 ? count - 1 : 0;
    if (room > 0 && palette->chosen >= (size_t)room)
        first = palette->chosen - (size_t)room + 1;
    for (int i = 0; i < room && first + (size_t)i < count; i++)
        paint_entry(ui, &entries[first + (size_t)i],
                    (struct rectangle){inside.x, inside.y + 2 + i, inside.cols, 1},
                    first + (size_t)i == palette->chosen);
    if (count == 0 && room > 0)
        (void)canvas_text(inside.x, inside.y + 2, inside.cols, ROLE_DIM, "nothing fits");
}

static void choose(struct ui *ui, const struct palette *palette)
{
    struct entry entries[ENTRIES_MAX];
    size_t count = entries_of(ui, palette, entries);
    struct entry entry;

    if (palette->chosen >= count)
        return;
    entry = entries[palette->chosen];
    ui_set_dialog(ui, NULL);
    if (entry.session != NULL)
        ui_set_focus(ui, entry.session);
    else
        entry.action->run(ui, entry.action->argument);
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct palette *palette = (void *)dialog;

    ui_paint(ui, PAINT_STATUS);
    if (pressed.code == KEYCODE_ENTER) {
        choose(ui, palette);
    } else if (pressed.code == KEYCODE_DOWN || (pressed.code == 'n' && pressed.modifiers == KEY_CTRL)) {
        palette->chosen++;
    } else if (pressed.code == KEYCODE_UP || (pressed.code == 'p' && pressed.modifiers == KEY_CTRL)) {
        palette->chosen -= palette->chosen > 0;
    } else if (field_key(&palette->search, pressed)) {
        palette->chosen = 0;
    }
}

static void paste(struct ui *ui, struct dialog *dialog, const char *text, size_t length)
{
    struct palette *palette = (void *)dialog;

    (void)ui;
    field_insert(&palette->search, text, length);
}

static void destroy(struct dialog *dialog)
{
    struct palette *palette = (void *)dialog;

    field_finish(&palette->search);
    free(palette);
}

static const struct dialog_kind kind = {
    .size = size, .paint = paint, .key = key, .paste = paste, .destroy = destroy};

struct dialog *dialog_palette(void)
{
    struct palette *palette = xcalloc(1, sizeof *palette);

    palette->dialog.kind = &kind;
    palette->dialog.hint = "Enter run  arrows choose  Esc";
    (void)snprintf(palette->dialog.title, sizeof palette->dialog.title, "commands");
    field_init(&palette->search, SEARCH_BYTES, false, NULL);
    return &palette->dialog;
}
