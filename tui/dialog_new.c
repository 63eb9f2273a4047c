#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"
#include "rpc/protocol.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/field.h"
#include "tui/ui.h"

#define AGENTS_MAX 8
#define WORDS_MAX 64
#define LABEL_COLS 9

enum row { ROW_AGENT, ROW_NAME, ROW_FOLDER, ROW_TEXT, ROW_COUNT };

struct new_session {
    struct dialog dialog;
    const struct agent_entry *agents[AGENTS_MAX];
    bool installed[AGENTS_MAX];
    size_t count, chosen;
    bool stream; /* its JSON drawn by ganger, not its own interface */
    enum row row;
    struct field fields[ROW_COUNT]; /* that of ROW_AGENT is not used */
};

static bool is_command(const struct new_session *form)
{
    return form->agents[form->chosen]->program == NULL;
}

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    const struct new_session *form = (const void *)dialog;

    (void)ui;
    *cols = 64;
    *rows = (int)form->count + 9;
}

static int paint_agents(const struct new_session *form, struct rectangle inside)
{
    for (size_t i = 0; i < form->count && (int)i < inside.rows; i++) {
        const struct agent_entry *agent = form->agents[i];
        bool chosen = i == form->chosen, here = chosen && form->row == ROW_AGENT;
        enum theme_role ground = here ? ROLE_SELECTED : ROLE_TEXT;
        enum theme_role role = !form->installed[i] ? ROLE_DIM : here ? ROLE_SELECTED : ROLE_TEXT;
        char text[160];
        (void)snprintf(text, sizeof text, "%s %-12s", chosen ? "●" : "○", agent->title);
        if (here)
            canvas_fill(
                (struct rectangle){inside.x + LABEL_COLS, inside.y + (int)i, inside.cols - LABEL_COLS, 1},
                ROLE_SELECTED);
        (void)canvas_text_on(inside.x + LABEL_COLS, inside.y + (int)i, inside.cols - LABEL_COLS, role, ground,
                             text);
        if (agent->program == NULL)
            (void)snprintf(text, sizeof text, "any program");
        else if (form->installed[i] && chosen)
            (void)snprintf(text, sizeof text, "%s",
                           form->stream ? "\xE2\x86\x90 stream: drawn by ganger"
                                        : "its own interface \xE2\x86\x92");
        else if (form->installed[i])
            text[0] = '\0';
        else
            (void)snprintf(text, sizeof text, "not installed: %s", agent->install);
        (void)canvas_text_on(inside.x + LABEL_COLS + 15, inside.y + (int)i, inside.cols - LABEL_COLS - 15,
                             ROLE_DIM, ground, text);
    }
    return (int)form->count;
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    struct new_session *form = (void *)dialog;
    const char *labels[ROW_COUNT] = {"agent", "name", "folder", is_command(form) ? "command" : "prompt"};
    int line = inside.y;

    (void)ui;
    (void)canvas_text(inside.x, line, LABEL_COLS, ROLE_DIM, labels[ROW_AGENT]);
    line += paint_agents(form, inside);
    /* Blank lines are left out where there is no room for them. */
    for (enum row row = ROW_NAME; row < ROW_COUNT; row++) {
        struct rectangle area = {inside.x + LABEL_COLS, 0, inside.cols - LABEL_COLS, 1};
        int left = inside.y + inside.rows - line;
        if (left >= (ROW_COUNT - (int)row) * 2)
            line++;
        left = inside.y + inside.rows - line;
        if (left <= 0)
            break;
        area.y = line;
        if (row == ROW_TEXT)
            area.rows = left;
        (void)canvas_text(inside.x, line, LABEL_COLS, form->row == row ? ROLE_ACCENT : ROLE_DIM, labels[row]);
        field_paint(&form->fields[row], area, form->row == row, x, y);
        line += area.rows;
    }
}

static void started(struct ui *ui, int code, const char *output, const char *problem)
{
    json_t *object = code == 0 ? json_loads(output, 0, NULL) : NULL;
    const char *uuid = json_member_string(object, "id", "");
    struct session *session = crew_find(&ui->crew, uuid);

    if (code != 0) {
        ui_say(ui, true, "%s", problem[0] != '\0' ? problem : "the session could not be started");
    } else {
        ui_say(ui, false, "started %s", json_member_string(object, "name", "the session"));
        if (session != NULL)
            ui_set_focus(ui, session);
        else
            (void)snprintf(ui->waiting_for, sizeof ui->waiting_for, "%s", uuid);
    }
    json_decref(object);
}

/* Splits a command at blanks; quotes hold words together and a backslash takes the next character as it is. */
static size_t split(char *text, const char **words, size_t room)
{
    size_t count = 0;

    for (char *from = text, *to = text; count < room;) {
        char quote = '\0';
        while (*from == ' ' || *from == '\n')
            from++;
        if (*from == '\0')
            break;
        words[count++] = to;
        for (; *from != '\0' && (quote != '\0' || (*from != ' ' && *from != '\n')); from++) {
            if (quote == '\0' && (*from == '\'' || *from == '"'))
                quote = *from;
            else if (quote != '\0' && *from == quote)
                quote = '\0';
            else if (*from == '\\' && quote != '\'' && from[1] != '\0')
                *to++ = *++from;
            else
                *to++ = *from;
        }
        if (*from != '\0')
            from++;
        *to++ = '\0';
    }
    return count;
}

static void start(struct ui *ui, struct new_session *form)
{
    const char *arguments[WORDS_MAX + 16] = {"run", "-d", "--json"};
    const char *name = field_text(&form->fields[ROW_NAME]), *folder = field_text(&form->fields[ROW_FOLDER]);
    char *text = xstrdup(field_text(&form->fields[ROW_TEXT])), *home = NULL;
    size_t count = 3;

    if (folder[0] == '~' && (folder[1] == '/' || folder[1] == '\0') && getenv("HOME") != NULL)
        folder = home = xasprintf("%s%s", getenv("HOME"), folder + 1);
    if (name[0] != '\0') {
        arguments[count++] = "-n";
        arguments[count++] = name;
    }
    if (folder[0] != '\0') {
        arguments[count++] = "-C";
        arguments[count++] = folder;
    }
    if (is_command(form)) {
        arguments[count++] = "--";
        count += split(text, arguments + count, WORDS_MAX);
    } else {
        arguments[count++] = "-a";
        arguments[count++] = form->agents[form->chosen]->name;
        arguments[count++] = "-m";
        arguments[count++] = form->stream ? "stream" : "tui";
        if (text[0] != '\0')
            arguments[count++] = text;
    }
    arguments[count] = NULL;
    ui_say(ui, false, "starting %s…", name[0] != '\0' ? name : form->agents[form->chosen]->title);
    child_run(ui, arguments, started);
    free(home);
    free(text);
    ui_set_dialog(ui, NULL);
}

static void submit(struct ui *ui, struct new_session *form)
{
    const struct agent_entry *agent = form->agents[form->chosen];
    const char *name = field_text(&form->fields[ROW_NAME]), *text = field_text(&form->fields[ROW_TEXT]);

    if (!form->installed[form->chosen])
        ui_say(ui, true, "%s is not installed: %s", agent->title, agent->install);
    else if (name[0] != '\0' && !name_valid(name))
        ui_say(ui, true, "a name is letters, digits, dots, dashes and underscores, 63 at most");
    else if (is_command(form) && strspn(text, " \n") == strlen(text))
        ui_say(ui, true, "which command?");
    else
        start(ui, form);
}

static void choose_agent(struct new_session *form, bool down)
{
    form->chosen = (form->chosen + (down ? 1 : form->count - 1)) % form->count;
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct new_session *form = (void *)dialog;
    bool back = pressed.code == KEYCODE_TAB && (pressed.modifiers & KEY_SHIFT) != 0;
    bool plain = (pressed.modifiers & (KEY_ALT | KEY_SHIFT)) == 0;

    ui_paint(ui, PAINT_STATUS);
    if (pressed.code == KEYCODE_ENTER && plain) {
        submit(ui, form);
        return;
    }
    if (pressed.code == KEYCODE_TAB) {
        form->row = (form->row + (back ? ROW_COUNT - 1u : 1u)) % ROW_COUNT;
        return;
    }
    if (form->row == ROW_AGENT) {
        if (pressed.code == KEYCODE_DOWN || pressed.code == 'j' || pressed.code == ' ')
            choose_agent(form, true);
        else if (pressed.code == KEYCODE_UP || pressed.code == 'k')
            choose_agent(form, false);
        else if (pressed.code == KEYCODE_LEFT || pressed.code == KEYCODE_RIGHT)
            form->stream = pressed.code == KEYCODE_RIGHT;
        return;
    }
    if (form->row != ROW_TEXT && (pressed.code == KEYCODE_DOWN || pressed.code == KEYCODE_UP)) {
        form->row += pressed.code == KEYCODE_DOWN ? 1u : (unsigned)-1;
        return;
    }
    (void)field_key(&form->fields[form->row], pressed);
}

static void paste(struct ui *ui, struct dialog *dialog, const char *text, size_t length)
{
    struct new_session *form = (void *)dialog;

    (void)ui;
    if (form->row != ROW_AGENT)
        field_insert(&form->fields[form->row], text, length);
}

static void destroy(struct dialog *dialog)
{
    struct new_session *form = (void *)dialog;

    for (enum row row = ROW_AGENT; row < ROW_COUNT; row++)
        field_finish(&form->fields[row]);
    free(form);
}

static const struct dialog_kind kind = {
    .size = size, .paint = paint, .key = key, .paste = paste, .destroy = destroy};

/* agents.NAME.command of the configuration may name another program. */
static bool is_installed(const struct ui *ui, const struct agent_entry *agent)
{
    const json_t *command = json_object_get(config_agent(ui->config, agent->name), "command");
    const char *program = json_string_value(json_array_get(command, 0));
    char *path;

    if (agent->program == NULL)
        return true;
    path = program_path(program != NULL ? program : agent->program);
    free(path);
    return path != NULL;
}

struct dialog *dialog_new(struct ui *ui)
{
    struct new_session *form = xcalloc(1, sizeof *form);
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);
    char folder[4096];

    form->dialog.kind = &kind;
    form->dialog.hint = "Enter start  Tab next  Esc";
    (void)snprintf(form->dialog.title, sizeof form->dialog.title, "new session");
    for (size_t i = 0; i < count && form->count < AGENTS_MAX; i++) {
        form->installed[form->count] = is_installed(ui, &entries[i]);
        form->agents[form->count++] = &entries[i];
    }
    while (form->chosen + 1 < form->count && !form->installed[form->chosen])
        form->chosen++;
    if (getcwd(folder, sizeof folder) == NULL)
        folder[0] = '\0';
    field_init(&form->fields[ROW_AGENT], 1, false, NULL);
    field_init(&form->fields[ROW_NAME], NAME_MAX_LENGTH, false, NULL);
    field_init(&form->fields[ROW_FOLDER], sizeof folder - 1, false, folder);
    field_init(&form->fields[ROW_TEXT], RPC_PROMPT_MAX, true, NULL);
    return &form->dialog;
}
