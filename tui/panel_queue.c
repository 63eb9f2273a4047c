#include "tui/panel_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tui/canvas.h"
#include "tui/session.h"
#include "tui/text_line.h"

#define PROMPTS_MOST 5

int panel_queue_rows(const struct session *session)
{
    size_t count = session == NULL ? 0 : json_array_size(session->facts.queue);

    return count == 0 ? 0 : 1 + (int)(count < PROMPTS_MOST ? count : PROMPTS_MOST);
}

/* What there is to say of it besides its place. */
static const char *note_of(const json_t *prompt)
{
    const char *state = json_member_string(prompt, "state", "queued"),
               *priority = json_member_string(prompt, "priority", "later");

    if (strcmp(state, "queued") != 0)
        return state;
    return strcmp(priority, "later") != 0 ? priority : "";
}

static void paint_prompt(const json_t *prompt, struct rectangle row, bool next)
{
    bool uncertain = strcmp(json_member_string(prompt, "state", ""), "uncertain") == 0;
    const char *note = note_of(prompt);
    int note_cols = note[0] == '\0' ? 0 : (int)strlen(note) + 1;
    char *text = text_line(json_member_string(prompt, "text", ""));

    (void)canvas_text(row.x, row.y, 1, next ? ROLE_ACCENT : ROLE_ATTENTION,
                      next        ? "→"
                      : uncertain ? "?"
                                  : " ");
    (void)canvas_text(row.x + 2, row.y, row.cols - 2 - note_cols, next ? ROLE_TEXT : ROLE_DIM, text);
    if (note_cols > 0)
        canvas_text_right(row.x + row.cols - note_cols, row.y, note_cols,
                          uncertain ? ROLE_ATTENTION : ROLE_DIM, ROLE_TEXT, note);
    free(text);
}

void panel_queue_paint(const struct session *session, struct rectangle area)
{
    size_t count = json_array_size(session->facts.queue), next = facts_next(&session->facts),
           shown = area.rows > 1 ? (size_t)area.rows - 1 : 0;
    char text[64];

    (void)snprintf(text, sizeof text, "%zu prompt%s", count, count == 1 ? " waits" : "s wait");
    (void)canvas_text(area.x, area.y, area.cols, ROLE_DIM, text);
    if (shown < count) {
        (void)snprintf(text, sizeof text, "%zu more", count - shown);
        canvas_text_right(area.x + area.cols - 9, area.y, 9, ROLE_DIM, ROLE_TEXT, text);
    }
    for (size_t i = 0; i < shown && i < count; i++)
        paint_prompt(json_array_get(session->facts.queue, i),
                     (struct rectangle){area.x, area.y + 1 + (int)i, area.cols, 1}, i == next);
}
