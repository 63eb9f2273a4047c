/* Tool calls, their results, the files they changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/drawing_rows.h"
#include "agent/tool_line.h"
#include "base/json.h"
#include "base/memory.h"

#define RESULT_LINES 8
#define DIFF_LINES 60
#define NAME_COLUMNS 40

struct call *drawing_call(struct drawing *drawing, const char *id)
{
    for (size_t i = 0; id != NULL && i < CALLS; i++) {
        if (drawing->calls[i].id != NULL && strcmp(drawing->calls[i].id, id) == 0)
            return &drawing->calls[i];
    }
    return NULL;
}

static struct call *note_call(struct drawing *drawing, const char *id, const char *name)
{
    struct call *call = &drawing->calls[drawing->next_call++ % CALLS];

    drawing_forget_call(call);
    call->id = xstrdup(id == NULL ? "" : id);
    call->name = xstrdup(name == NULL ? "tool" : name);
    return call;
}

/* Their lists are drawn as such (OBSERVED_TODO). */
static bool shown_as_list(const char *name)
{
    static const char *const names[] = {"TodoWrite", "todowrite", "todo_write", "write_todos", "update_plan"};

    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* The mark and the name; returns their columns. */
static int append_head(const char *name, const char *parent, int cols, struct buffer *out)
{
    int room = cols - 4 - (parent != NULL ? 2 : 0);
    size_t start;

    buffer_append_string(out, "\x1b[34m\xE2\x97\x8F" RESET " " BOLD);
    start = out->length;
    wrap_cut(name, strlen(name), room < NAME_COLUMNS ? room : NAME_COLUMNS, out);
    room = width_of_text(out->bytes + start, out->length - start);
    buffer_append_string(out, RESET);
    return 2 + room;
}

void drawing_tool_call(struct drawing *drawing, const struct observation *made, int cols, struct buffer *out)
{
    struct call *call = note_call(drawing, made->id, made->name);
    struct buffer what, head;
    int width;

    call->hidden = shown_as_list(made->name);
    if (call->hidden)
        return;
    drawing_gap(drawing, made->parent, cols, out);
    buffer_init(&what);
    buffer_init(&head);
    buffer_append_string(&what, made->server ? "(at the vendor) " : "");
    if (made->text != NULL)
        buffer_append_string(&what, made->text);
    else
        tool_line_append(&what, made->input);
    width = append_head(call->name, made->parent, cols, &head);
    if (what.length > 0)
        buffer_append_string(&head, "  ");
    drawing_row(drawing, made->parent, head.bytes, width + 2, "", what.bytes, what.length, cols, out);
    buffer_finish(&what);
    buffer_finish(&head);
    drawing_forget_last(drawing);
    drawing->last_call = xstrdup(call->id);
}

/* Calls without a result. */
static unsigned waiting_calls(const struct drawing *drawing)
{
    unsigned count = 0;

    for (size_t i = 0; i < CALLS; i++)
        count += drawing->calls[i].id != NULL && !drawing->calls[i].hidden;
    return count;
}

static size_t count_lines(const char *words)
{
    size_t count = 0;

    for (; *words != '\0'; count++) {
        words += strcspn(words, "\n");
        words += *words == '\n';
    }
    return count;
}

static void append_more(struct drawing *drawing, const char *parent, size_t count, int cols,
                        struct buffer *out)
{
    char words[64];

    (void)snprintf(words, sizeof words, "\xE2\x80\xA6 %zu more line%s", count, count == 1 ? "" : "s");
    drawing_row(drawing, parent, "    ", 4, DIM, words, strlen(words), cols, out);
}

static void result_lines(struct drawing *drawing, const struct observation *given, const char *words,
                         int cols, struct buffer *out)
{
    const char *colour = given->failed ? RED : DIM;
    size_t count = count_lines(words), shown = count <= RESULT_LINES + 1 ? count : RESULT_LINES;

    for (size_t i = 0; i < shown; i++) {
        size_t length = strcspn(words, "\n");
        drawing_row(drawing, given->parent, i == 0 ? DIM ELBOW RESET : "    ", 4, colour, words, length, cols,
                    out);
        words += length + (words[length] == '\n');
    }
    if (count > shown)
        append_more(drawing, given->parent, count - shown, cols, out);
}

void drawing_tool_result(struct drawing *drawing, const struct observation *given, int cols,
                         struct buffer *out)
{
    struct call *call = drawing_call(drawing, given->id);
    bool below =
        drawing->last_call != NULL && given->id != NULL && strcmp(drawing->last_call, given->id) == 0;
    bool silent = call != NULL && (call->hidden || call->filed) && !given->failed;
    const char *start = given->text == NULL ? "" : given->text;
    char *words;
    size_t length;

    start += strspn(start, "\n");
    length = strlen(start);
    while (length > 0 && strchr(" \n\r\t", start[length - 1]) != NULL)
        length--;
    if (length == 0 && given->failed) {
        start = "failed";
        length = strlen(start);
    }
    if (!silent && length > 0) {
        drawing_close(drawing, cols, out);
        words = xstrndup(start, length);
        if (!below && call != NULL && waiting_calls(drawing) > 1)
            drawing_row(drawing, given->parent, DIM "\xE2\x97\x8B ", 2, "", call->name, strlen(call->name),
                        cols, out);
        result_lines(drawing, given, words, cols, out);
        free(words);
    }
    if (call != NULL)
        drawing_forget_call(call);
    drawing_forget_last(drawing);
}

/* ---- files ---- */

static const char *diff_colour(char sign)
{
    return sign == '+' ? GREEN : sign == '-' ? RED : DIM;
}

static void count_changes(const char *diff, size_t *added, size_t *removed)
{
    *added = *removed = 0;
    while (*diff != '\0') {
        *added += diff[0] == '+' && strncmp(diff, "+++ ", 4) != 0;
        *removed += diff[0] == '-' && strncmp(diff, "--- ", 4) != 0;
        diff += strcspn(diff, "\n");
        diff += *diff == '\n';
    }
}

static bool is_header(const char *diff)
{
    return strncmp(diff, "+++ ", 4) == 0 || strncmp(diff, "--- ", 4) == 0 || strncmp(diff, "diff ", 5) == 0 ||
           strncmp(diff, "index ", 6) == 0 || *diff == '\\';
}

static void diff_lines(struct drawing *drawing, const char *parent, const char *diff, int cols,
                       struct buffer *out)
{
    size_t shown = 0;

    while (*diff != '\0' && shown < DIFF_LINES) {
        size_t length = strcspn(diff, "\n");
        bool hunk = strncmp(diff, "@@", 2) == 0;
        if (!is_header(diff) && !(hunk && shown == 0)) {
            drawing_row(drawing, parent, "    ", 4, diff_colour(*diff), hunk ? "\xE2\x8B\xAE" : diff,
                        hunk ? 3 : length, cols, out);
            shown++;
        }
        diff += length + (diff[length] == '\n');
    }
    if (*diff != '\0')
        append_more(drawing, parent, count_lines(diff), cols, out);
}

void drawing_file(struct drawing *drawing, const struct observation *changed, int cols, struct buffer *out)
{
    const char *diff = json_member_string(changed->input, "diff", "");
    struct call *call = drawing_call(drawing, changed->id);
    size_t added, removed;
    struct buffer head;

    drawing_close(drawing, cols, out);
    if (changed->text == NULL)
        return;
    count_changes(diff, &added, &removed);
    buffer_init(&head);
    buffer_printf(&head, "%s%s%s", changed->outcome == NULL ? "changed" : changed->outcome, " ",
                  changed->text);
    if (*diff != '\0')
        buffer_printf(&head, "  +%zu \xE2\x88\x92%zu", added, removed);
    drawing_row(drawing, changed->parent, DIM ELBOW RESET, 4, BOLD, head.bytes, head.length, cols, out);
    buffer_finish(&head);
    diff_lines(drawing, changed->parent, diff, cols, out);
    if (call != NULL)
        call->filed = true;
}
