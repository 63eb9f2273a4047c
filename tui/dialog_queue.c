/* The prompts that wait in a session: moved, edited, removed. What is shown is what the host told last; the chosen prompt is
 * known by its id, so that a queue that moves on does not move the choice. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"
#include "rpc/protocol.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/field.h"
#include "tui/text_line.h"
#include "tui/ui.h"

#define ID_SIZE 80
#define ROWS_LEAST 6
#define ROWS_MOST 16
#define NOTE_COLS 10
#define EDIT_ROWS 8

enum queue_mode { QUEUE_LIST, QUEUE_EDIT, QUEUE_REMOVE };

struct queue {
    struct dialog dialog;
    char uuid[UUID_SIZE];
    char id[ID_SIZE]; /* of the chosen prompt; "" when there is none */
    size_t place;     /* where it was last: what is there is chosen when it has gone */
    enum queue_mode mode;
    struct field field;
};

static const char *const hints[] = {
    [QUEUE_LIST] = "e edit  x delete  K J move  n l priority  Esc",
    [QUEUE_EDIT] = "Enter keep  Alt+Enter line  Esc",
    [QUEUE_REMOVE] = "y yes  n no",
};

/* ---- the prompts ---- */

/* NULL when the session has gone. */
static const json_t *list_of(const struct ui *ui, const struct queue *queue)
{
    const struct session *session = crew_find(&ui->crew, queue->uuid);

    return session == NULL ? NULL : session->facts.queue;
}

static const char *member(const json_t *prompt, const char *key)
{
    return json_member_string(prompt, key, "");
}

/* Chooses the prompt at a place, or the last; returns it, or NULL when there is none. */
static const json_t *choose(struct queue *queue, const json_t *list, size_t place)
{
    size_t count = json_array_size(list);
    const json_t *prompt;

    queue->place = count == 0 ? 0 : place < count ? place : count - 1;
    prompt = json_array_get(list, queue->place);
    (void)snprintf(queue->id, sizeof queue->id, "%s", member(prompt, "id"));
    return prompt;
}

static const json_t *find(const json_t *list, const char *id, size_t *place)
{
    size_t index;
    json_t *prompt;

    json_array_foreach(list, index, prompt)
    {
        if (strcmp(member(prompt, "id"), id) != 0)
            continue;
        *place = index;
        return prompt;
    }
    return NULL;
}

/* The chosen prompt: looked up anew each time, for the queue changes by itself. */
static const json_t *chosen(const struct ui *ui, struct queue *queue)
{
    const json_t *list = list_of(ui, queue), *prompt = find(list, queue->id, &queue->place);

    return prompt != NULL ? prompt : choose(queue, list, queue->place);
}

/* ---- asking the host ---- */

static void take(struct session *session, const json_t *result)
{
    const json_t *list = json_object_get(result, "queue");

    if (json_is_array(list) && facts_take_queue(&session->facts, list))
        ui_session_changed(session->ui, session);
    ui_paint(session->ui, PAINT_PANEL | PAINT_STATUS);
}

static void refreshed(struct session *session, const json_t *result, const char *error)
{
    if (error == NULL)
        take(session, result);
}

/* The queue is looked at again after a refusal: the prompt may have gone. */
static void answered(struct session *session, const json_t *result, const char *error)
{
    if (error == NULL) {
        take(session, result);
        return;
    }
    ui_say(session->ui, true, "%s: %s", session->name, error);
    (void)session_call(session, "session.get", NULL, refreshed);
}

static void ask_host(struct ui *ui, const struct queue *queue, const char *action, const char *key,
                     json_t *value)
{
    struct session *session = crew_find(&ui->crew, queue->uuid);
    json_t *params = json_pack("{ss ss}", "id", queue->id, "action", action);

    if (key != NULL)
        (void)json_object_set_new(params, key, value);
    if (session == NULL || !session_call(session, "session.queue", params, answered))
        ui_say(ui, true, "there is no connection to the session's host");
    if (session == NULL)
        json_decref(params);
}

/* ---- painting ---- */

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    const struct queue *queue = (const void *)dialog;
    int count = (int)json_array_size(list_of(ui, queue));

    *cols = 72;
    *rows = queue->mode == QUEUE_EDIT ? EDIT_ROWS
            : count < ROWS_LEAST      ? ROWS_LEAST
            : count > ROWS_MOST       ? ROWS_MOST
                                      : count;
}

static void paint_prompt(const json_t *prompt, struct rectangle row, bool next, enum theme_role ground)
{
    const char *state = member(prompt, "state"),
               *note = strcmp(state, "queued") == 0 ? member(prompt, "priority") : state;
    char *text = text_line(member(prompt, "text"));

    canvas_fill(row, ground);
    (void)canvas_text_on(row.x, row.y, 1, ROLE_ACCENT, ground, next ? "→" : " ");
    (void)canvas_text_on(row.x + 2, row.y, row.cols - 2 - NOTE_COLS - 1, ground, ground, text);
    canvas_text_right(row.x + row.cols - NOTE_COLS, row.y, NOTE_COLS,
                      strcmp(state, "uncertain") == 0 ? ROLE_ATTENTION : ROLE_DIM, ground, note);
    free(text);
}

static void paint_list(const struct ui *ui, struct queue *queue, struct rectangle inside)
{
    const struct session *session = crew_find(&ui->crew, queue->uuid);
    const json_t *list = list_of(ui, queue);
    int count = (int)json_array_size(list), first;

    (void)chosen(ui, queue);
    if (queue->mode == QUEUE_REMOVE && inside.rows > 1) {
        inside.rows--;
        (void)canvas_text(inside.x, inside.y + inside.rows, inside.cols, ROLE_ATTENTION,
                          "Delete this prompt?");
    }
    if (count == 0) {
        (void)canvas_text(inside.x, inside.y, inside.cols, ROLE_DIM,
                          session == NULL ? "the session has gone" : "no prompt waits: p adds one");
        return;
    }
    first = layout_clip(count, inside.rows, (int)queue->place, 0);
    for (int i = 0; i < inside.rows && first + i < count; i++)
        paint_prompt(json_array_get(list, (size_t)(first + i)),
                     (struct rectangle){inside.x, inside.y + i, inside.cols, 1},
                     (size_t)(first + i) == facts_next(&session->facts),
                     (size_t)(first + i) == queue->place ? ROLE_SELECTED : ROLE_TEXT);
}

static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    struct queue *queue = (void *)dialog;

    if (queue->mode == QUEUE_EDIT)
        field_paint(&queue->field, inside, true, x, y);
    else
        paint_list(ui, queue, inside);
}

/* ---- keys ---- */

static void set_mode(struct queue *queue, enum queue_mode mode)
{
    queue->mode = mode;
    queue->dialog.hint = hints[mode];
}

static void begin_edit(struct queue *queue, const json_t *prompt)
{
    field_finish(&queue->field);
    field_init(&queue->field, RPC_PROMPT_MAX, true, member(prompt, "text"));
    set_mode(queue, QUEUE_EDIT);
}

/* The prompt may have gone while it was edited: then the host says so. */
static void edit_key(struct ui *ui, struct queue *queue, struct key pressed)
{
    if (pressed.code != KEYCODE_ENTER || (pressed.modifiers & (KEY_ALT | KEY_SHIFT)) != 0) {
        (void)field_key(&queue->field, pressed);
        return;
    }
    if (queue->field.text.length == 0) {
        ui_say(ui, false, "a prompt has at least a word: x in the list deletes it");
        return;
    }
    ask_host(ui, queue, "edit", "text", json_string_or_null(field_text(&queue->field)));
    set_mode(queue, QUEUE_LIST);
}

static void move_by(struct ui *ui, const struct queue *queue, int step)
{
    int count = (int)json_array_size(list_of(ui, queue)), to = (int)queue->place + step;

    if (to >= 0 && to < count)
        ask_host(ui, queue, "move", "to", json_integer(to));
}

static void list_key(struct ui *ui, struct queue *queue, struct key pressed)
{
    const json_t *prompt = chosen(ui, queue);

    if (pressed.code == 'q')
        ui_set_dialog(ui, NULL);
    else if (prompt == NULL)
        return;
    else if (pressed.code == KEYCODE_DOWN || pressed.code == 'j')
        (void)choose(queue, list_of(ui, queue), queue->place + 1);
    else if ((pressed.code == KEYCODE_UP || pressed.code == 'k') && queue->place > 0)
        (void)choose(queue, list_of(ui, queue), queue->place - 1);
    else if (pressed.code == 'K' || pressed.code == 'J')
        move_by(ui, queue, pressed.code == 'K' ? -1 : 1);
    else if (pressed.code == KEYCODE_ENTER || pressed.code == 'e')
        begin_edit(queue, prompt);
    else if (pressed.code == 'n' || pressed.code == 'l')
        ask_host(ui, queue, "move", "priority", json_string(pressed.code == 'n' ? "next" : "later"));
    else if (pressed.code == 'x' || pressed.code == KEYCODE_DELETE)
        set_mode(queue, QUEUE_REMOVE);
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct queue *queue = (void *)dialog;

    ui_paint(ui, PAINT_ALL);
    if (queue->mode == QUEUE_EDIT) {
        edit_key(ui, queue, pressed);
    } else if (queue->mode == QUEUE_LIST) {
        list_key(ui, queue, pressed);
    } else {
        if (pressed.code == 'y' || pressed.code == 'Y')
            ask_host(ui, queue, "remove", NULL, NULL);
        set_mode(queue, QUEUE_LIST);
    }
}

static bool back(struct ui *ui, struct dialog *dialog)
{
    struct queue *queue = (void *)dialog;

    if (queue->mode == QUEUE_LIST)
        return false;
    set_mode(queue, QUEUE_LIST);
    ui_paint(ui, PAINT_ALL);
    return true;
}

static void paste(struct ui *ui, struct dialog *dialog, const char *text, size_t length)
{
    struct queue *queue = (void *)dialog;

    (void)ui;
    if (queue->mode == QUEUE_EDIT)
        field_insert(&queue->field, text, length);
}

static void destroy(struct dialog *dialog)
{
    struct queue *queue = (void *)dialog;

    field_finish(&queue->field);
    free(queue);
}

static const struct dialog_kind kind = {
    .size = size, .paint = paint, .key = key, .paste = paste, .back = back, .destroy = destroy};

struct dialog *dialog_queue(const struct session *session)
{
    struct queue *queue = xcalloc(1, sizeof *queue);

    queue->dialog.kind = &kind;
    (void)snprintf(queue->dialog.title, sizeof queue->dialog.title, "prompts of %.40s", session->name);
    (void)snprintf(queue->uuid, sizeof queue->uuid, "%s", session->uuid);
    field_init(&queue->field, RPC_PROMPT_MAX, true, NULL);
    set_mode(queue, QUEUE_LIST);
    (void)choose(queue, session->facts.queue, 0);
    return &queue->dialog;
}
