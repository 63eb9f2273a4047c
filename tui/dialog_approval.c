/*
 * What a session asks, in full, and the answer to it. The dialog belongs to one request: when that is not pending any more it
 * says so, and the next key closes it, whatever else is asked by then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "rpc/request.h"
#include "term/width.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/field.h"
#include "tui/outer.h"
#include "tui/ui.h"
#include "tui/wrapped.h"

#define COLS_MAX 100
#define COLS_LEAST 66
#define MARGIN 4 /* of the box around the inside */
#define TEXT_MAX 4096
#define NUMBER_COLS 3
#define FIXED_ROWS 3 /* head, a blank line, keys */

/* What is shown: brought up to date whenever it is measured. */
struct question {
    char uuid[UUID_SIZE], id[ASKED_ID_SIZE];
    json_t *request;        /* as it was last seen */
    bool over;              /* no longer pending */
    struct wrapped text;    /* what is asked, and below it the choices when they are many */
    struct wrapped choices; /* else: one line or more for each */
};

struct approval {
    struct dialog dialog;
    struct question *question;
    bool denies; /* what Enter does */
    bool typing;
    int first, page; /* line at the top, lines shown */
    struct field field;
};

/* ---- the request ---- */

/* A host that was started again may give an id again: the time tells the two apart. */
static bool is_same(const json_t *request, const json_t *found)
{
    return found != NULL &&
           strcmp(json_member_string(request, "since", ""), json_member_string(found, "since", "")) == 0;
}

static void update(const struct ui *ui, struct question *question)
{
    const struct session *session = crew_find(&ui->crew, question->uuid);
    const json_t *found = session == NULL ? NULL : asked_find(&session->asked, question->id);

    if (!is_same(question->request, found)) {
        question->over = true;
        return;
    }
    if (!question->over && found != question->request) {
        json_decref(question->request);
        question->request = json_deep_copy(found);
    }
}

static const char *text_of(const struct question *question, const char *key)
{
    return json_member_string(question->request, key, "");
}

static const json_t *choices_of(const struct question *question)
{
    return json_object_get(question->request, "choices");
}

static int choice_count(const struct question *question)
{
    return (int)json_array_size(choices_of(question));
}

static bool is_question(const struct question *question)
{
    return strcmp(text_of(question, "kind"), "question") == 0;
}

/* ---- drawing ---- */

static int widest(const struct question *question)
{
    int cols = COLS_LEAST;
    size_t index;
    json_t *choice;

    for (const char *line = text_of(question, "input"); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        int width = width_of_text(line, length);
        cols = width > cols ? width : cols;
        line += length + (line[length] == '\n');
    }
    json_array_foreach(choices_of(question), index, choice)
    {
        int width = width_of_text(json_string_value(choice), json_string_length(choice)) + 3;
        cols = width > cols ? width : cols;
    }
    return cols < COLS_MAX ? cols : COLS_MAX;
}

/* One choice a line, with its number when they stand below the text. */
static void append_choices(const struct question *question, bool numbered, struct buffer *out)
{
    size_t index;
    json_t *choice;

    json_array_foreach(choices_of(question), index, choice)
    {
        const char *text = json_string_value(choice);
        if (numbered)
            buffer_printf(out, "%zu  ", index + 1);
        for (; text != NULL && *text != '\0'; text++)
            buffer_append_char(out, *text == '\n' ? ' ' : *text);
        buffer_append_char(out, '\n');
    }
}

static const char *string_of(struct buffer *buffer)
{
    *buffer_reserve(buffer, 1) = '\0';
    return buffer->bytes;
}

static void wrap(struct question *question, int cols, int rows)
{
    struct buffer text = {0}, choices = {0};

    append_choices(question, false, &choices);
    wrapped_set(&question->choices, string_of(&choices), cols - NUMBER_COLS);
    buffer_append_string(&text, text_of(question, "input"));
    if ((int)question->choices.count > (rows - FIXED_ROWS + 1) * 5 / 8) {
        wrapped_set(&question->choices, "", cols);
        buffer_append_string(&text, "\n\n");
        append_choices(question, true, &text);
    }
    wrapped_set(&question->text, string_of(&text), cols);
    buffer_finish(&text);
    buffer_finish(&choices);
}

static void size(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows)
{
    const struct approval *approval = (const void *)dialog;
    struct question *question = approval->question;
    int room = outer_cols() - MARGIN;

    update(ui, question);
    *cols = widest(question);
    *cols = *cols < room ? *cols : room;
    wrap(question, *cols, outer_rows() - 2);
    *rows =
        FIXED_ROWS + (int)(question->text.count + question->choices.count) + (question->choices.count > 0);
}

/* "Bash · permission · 12s", and on the right which lines are shown or which request of several. */
static void paint_head(const struct ui *ui, const struct approval *approval, struct rectangle row)
{
    const struct question *question = approval->question;
    const struct session *session = crew_find(&ui->crew, question->uuid);
    char left[160], right[64] = "", elapsed[24] = "";
    int64_t since;
    int count = (int)question->text.count, width;

    if (clock_parse_rfc3339(text_of(question, "since"), &since) == 0)
        clock_format_duration((clock_realtime_ms() - since) / 1000, elapsed, sizeof elapsed);
    (void)snprintf(left, sizeof left, "%.80s%s%.20s%s%s", text_of(question, "tool"),
                   *text_of(question, "tool") == '\0' ? "" : " · ", text_of(question, "kind"),
                   elapsed[0] == '\0' ? "" : " · ", elapsed);
    if (session != NULL && !question->over && asked_count(&session->asked) > 1)
        (void)snprintf(right, sizeof right, "%zu of %zu", asked_place(&session->asked, question->id),
                       asked_count(&session->asked));
    if (count > approval->page && approval->page > 0)
        (void)snprintf(right + strlen(right), sizeof right - strlen(right), "%slines %d-%d of %d",
                       right[0] == '\0' ? "" : " · ", approval->first + 1, approval->first + approval->page,
                       count);
    width = width_of_text(right, strlen(right));
    (void)canvas_text(row.x, row.y, row.cols - width - 1, ROLE_STRONG, left);
    canvas_text_right(row.x, row.y, row.cols, ROLE_DIM, ROLE_TEXT, right);
}

static void paint_line(const struct wrapped *text, int number, int x, int y, int cols)
{
    const struct wrapped_line *line = &text->lines[number];
    char *part = xasprintf("%.*s", (int)line->length, text->text + line->start);

    (void)canvas_text(x, y, cols, ROLE_TEXT, part);
    free(part);
}

static void paint_text(struct approval *approval, struct rectangle area)
{
    const struct wrapped *text = &approval->question->text;
    int most = (int)text->count - area.rows;

    approval->page = area.rows;
    approval->first = approval->first > most ? most : approval->first;
    approval->first = approval->first < 0 ? 0 : approval->first;
    for (int i = 0; i < area.rows && approval->first + i < (int)text->count; i++)
        paint_line(text, approval->first + i, area.x, area.y + i, area.cols);
}

static void paint_choices(const struct wrapped *choices, struct rectangle area)
{
    for (int i = 0, choice = 0; i < (int)choices->count && i < area.rows; i++) {
        size_t start = choices->lines[i].start;
        if (start == 0 || choices->text[start - 1] == '\n') {
            char number[16];
            (void)snprintf(number, sizeof number, "%d", ++choice);
            (void)canvas_text(area.x, area.y + i, NUMBER_COLS - 1, ROLE_ACCENT, number);
        }
        paint_line(choices, i, area.x + NUMBER_COLS, area.y + i, area.cols - NUMBER_COLS);
    }
}

/* Pairs of keys and words, as many as fit. */
static void paint_keys(const struct ui *ui, const struct approval *approval, struct rectangle row)
{
    const struct question *question = approval->question;
    const struct session *session = crew_find(&ui->crew, question->uuid);
    bool several = session != NULL && asked_count(&session->asked) > 1;
    char digits[16];
    const char *const words[][2] = {
        {approval->denies ? "d, Enter" : "a, Enter", approval->denies ? "deny" : "approve"},
        {approval->denies ? "a" : "d", approval->denies ? "approve" : "deny"},
        {several ? "Tab" : "", "next"},
        {choice_count(question) > 0 ? digits : "", "choose"},
        {"t", is_question(question) && !approval->denies ? "answer in words" : "deny with words"},
        {"Esc", "close"}};
    int x = row.x;

    (void)snprintf(digits, sizeof digits, "1-%d", choice_count(question) < 9 ? choice_count(question) : 9);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        int wanted = (int)strlen(words[i][0]) + 1 + (int)strlen(words[i][1]);
        if (words[i][0][0] == '\0' || x + wanted > row.x + row.cols)
            continue;
        x += canvas_text(x, row.y, row.cols, ROLE_ACCENT, words[i][0]) + 1;
        x += canvas_text(x, row.y, row.cols, ROLE_DIM, words[i][1]) + 2;
    }
}

static void paint_foot(struct ui *ui, const struct approval *approval, struct rectangle row, int *x, int *y)
{
    const struct question *question = approval->question;
    const struct session *session = crew_find(&ui->crew, question->uuid);

    if (question->over) {
        char text[128];
        (void)snprintf(text, sizeof text, "%s; any key closes",
                       session == NULL ? "the session is gone"
                                       : asked_outcome(&session->asked, question->id));
        (void)canvas_text(row.x, row.y, row.cols, ROLE_ATTENTION, text);
    } else if (approval->typing) {
        int used = canvas_text(row.x, row.y, row.cols, ROLE_ACCENT,
                               is_question(question) && !approval->denies ? "answer: " : "deny, and say: ");
        row.x += used;
        row.cols -= used;
        field_paint(&approval->field, row, true, x, y);
    } else {
        paint_keys(ui, approval, row);
    }
}

/* The text gets what the choices leave: three rows of eight at least. */
static void paint(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y)
{
    struct approval *approval = (void *)dialog;
    struct rectangle row = {inside.x, inside.y, inside.cols, 1}, part = inside;
    int choices = (int)approval->question->choices.count, room = inside.rows - 2, text;

    if (room < 1)
        return;
    choices = choices > room ? room : choices;
    text = (int)approval->question->text.count;
    text = text > room - choices ? room - choices : text;
    part.y = inside.y + 1;
    part.rows = text;
    paint_text(approval, part);
    paint_head(ui, approval, row);
    part.y = text + choices < room ? part.y + text + 1 : part.y + text;
    part.rows = choices;
    paint_choices(&approval->question->choices, part);
    row.y = inside.y + inside.rows - 1;
    paint_foot(ui, approval, row, x, y);
}

/* ---- answering ---- */

static void answered(struct session *session, const json_t *result, const char *error)
{
    if (result != NULL)
        ui_say(session->ui, false, "%s: %s", session->name, session->asked.said);
    else
        ui_say(session->ui, true, "%s: not answered: %s", session->name, error);
}

/* Sends and closes. `choice` 0: none; `text` NULL: none. */
static void answer(struct ui *ui, struct approval *approval, const char *decision, int choice,
                   const char *text)
{
    const struct question *question = approval->question;
    struct session *session = crew_find(&ui->crew, question->uuid);
    json_t *params = json_pack("{s:s, s:s}", "id", question->id, "decision", decision);
    char *brief = request_brief(question->request);

    if (choice > 0)
        (void)json_object_set_new(params, "choice", json_integer(choice));
    if (text != NULL)
        (void)json_object_set_new(params, "text", json_string(text));
    (void)snprintf(session->asked.said, sizeof session->asked.said, "%s: %s",
                   strcmp(decision, "approve") == 0 ? "approved"
                   : strcmp(decision, "deny") == 0  ? "denied"
                                                    : "answered",
                   brief);
    free(brief);
    if (session_call(session, "session.approve", params, answered))
        ui_say(ui, false, "%s: answering…", session->name);
    else
        ui_say(ui, true, "%s: not answered: there is no connection to its host", session->name);
    ui_set_dialog(ui, NULL);
}

static void approve(struct ui *ui, struct approval *approval)
{
    /* A question has no yes: its first choice is what its own dialog has the cursor on. */
    if (is_question(approval->question) && choice_count(approval->question) > 0)
        answer(ui, approval, "choice", 1, NULL);
    else
        answer(ui, approval, "approve", 0, NULL);
}

static void choose(struct ui *ui, struct approval *approval, int choice)
{
    if (choice > choice_count(approval->question))
        ui_say(ui, true, "there is no choice %d", choice);
    else
        answer(ui, approval, "choice", choice, NULL);
}

static void type(struct ui *ui, struct approval *approval, struct key pressed)
{
    char *text;

    if (pressed.code != KEYCODE_ENTER) {
        (void)field_key(&approval->field, pressed);
        return;
    }
    if (approval->field.text.length == 0)
        return;
    text = xstrdup(field_text(&approval->field));
    answer(ui, approval, is_question(approval->question) && !approval->denies ? "text" : "deny", 0, text);
    free(text);
}

/* ---- keys ---- */

static void show_next(struct ui *ui, struct approval *approval)
{
    struct question *question = approval->question;
    const struct session *session = crew_find(&ui->crew, question->uuid);
    const json_t *next = asked_after(&session->asked, question->id);

    json_decref(question->request);
    question->request = json_deep_copy(next);
    (void)snprintf(question->id, sizeof question->id, "%s", json_member_string(next, "id", ""));
    approval->first = 0;
    ui_paint(ui, PAINT_ALL);
}

static bool scroll_text(struct approval *approval, struct key pressed)
{
    switch (pressed.code) {
    case KEYCODE_DOWN:
    case 'j':
        approval->first++;
        return true;
    case KEYCODE_UP:
    case 'k':
        approval->first--;
        return true;
    case KEYCODE_PAGE_DOWN:
    case ' ':
        approval->first += approval->page > 1 ? approval->page - 1 : 1;
        return true;
    case KEYCODE_PAGE_UP:
        approval->first -= approval->page > 1 ? approval->page - 1 : 1;
        return true;
    case KEYCODE_HOME:
        approval->first = 0;
        return true;
    case KEYCODE_END:
        approval->first = (int)approval->question->text.count;
        return true;
    default:
        return false;
    }
}

/* May destroy the dialog. */
static void command(struct ui *ui, struct approval *approval, struct key pressed)
{
    bool enter = pressed.code == KEYCODE_ENTER;

    if (pressed.code == 'd' || (enter && approval->denies))
        answer(ui, approval, "deny", 0, NULL);
    else if (pressed.code == 'a' || enter)
        approve(ui, approval);
    else if (pressed.code >= '1' && pressed.code <= '9')
        choose(ui, approval, (int)pressed.code - '0');
    else if (pressed.code == 't')
        approval->typing = true;
    else if (pressed.code == KEYCODE_TAB)
        show_next(ui, approval);
}

static void key(struct ui *ui, struct dialog *dialog, struct key pressed)
{
    struct approval *approval = (void *)dialog;

    update(ui, approval->question);
    ui_paint(ui, PAINT_STATUS | PAINT_PANEL);
    if (approval->question->over)
        ui_set_dialog(ui, NULL);
    else if (approval->typing)
        type(ui, approval, pressed);
    else if ((pressed.modifiers & (KEY_CTRL | KEY_ALT | KEY_SUPER)) == 0 && !scroll_text(approval, pressed))
        command(ui, approval, pressed);
}

static void paste(struct ui *ui, struct dialog *dialog, const char *text, size_t length)
{
    struct approval *approval = (void *)dialog;

    (void)ui;
    if (approval->typing)
        field_insert(&approval->field, text, length);
}

static void destroy(struct dialog *dialog)
{
    struct approval *approval = (void *)dialog;

    json_decref(approval->question->request);
    wrapped_finish(&approval->question->text);
    wrapped_finish(&approval->question->choices);
    free(approval->question);
    field_finish(&approval->field);
    free(approval);
}

static const struct dialog_kind kind = {
    .size = size, .paint = paint, .key = key, .paste = paste, .destroy = destroy};

struct dialog *dialog_approval(const struct session *session, bool denies)
{
    struct approval *approval = xcalloc(1, sizeof *approval);
    struct question *question = approval->question = xcalloc(1, sizeof *question);

    approval->dialog.kind = &kind;
    approval->denies = denies;
    (void)snprintf(approval->dialog.title, sizeof approval->dialog.title, "%.40s asks", session->name);
    field_init(&approval->field, TEXT_MAX, false, NULL);
    question->request = json_deep_copy(asked_after(&session->asked, NULL));
    (void)snprintf(question->uuid, sizeof question->uuid, "%s", session->uuid);
    (void)snprintf(question->id, sizeof question->id, "%s", text_of(question, "id"));
    return &approval->dialog;
}
