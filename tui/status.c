#include "tui/status.h"

#include <stdio.h>
#include <string.h>

#include "term/width.h"
#include "tui/canvas.h"
#include "tui/scroll.h"
#include "tui/ui.h"

static const char *mode_name(const struct ui *ui)
{
    switch (ui->mode) {
    case MODE_PANE:
        return ui->options.read_only ? " look " : " pane ";
    case MODE_PREFIX:
        return " crew ";
    case MODE_SCROLL:
        return " scroll ";
    case MODE_CREW:
        break;
    }
    return " crew ";
}

/* Pairs of key and word, ended by NULL; the most useful first. */
static void hints(const struct ui *ui, const char **words)
{
    static const char *const crew[] = {"n", "new",  "Enter", "type", "p", "prompt", "c", "cancel",
                                       "z", "zoom", "?",     "help", "q", "detach", NULL};
    static const char *const asks[] = {"a", "approve", "d", "deny", "w", "next waiting", "Enter", "type",
                                       "c", "cancel",  "?", "help", "q", "detach",       NULL};
    static const char *const empty[] = {"n", "new", "?", "help", "q", "leave", NULL};
    static const char *const scroll[] = {"/", "search", "v", "select", "y", "copy", "q", "back", NULL};
    static const char *const prefix[] = {"n",   "new",  "z", "zoom", "1-9", "go",     "[", "scroll",
                                         "Esc", "crew", "?", "help", "q",   "detach", NULL};
    const char *const *chosen = ui->mode == MODE_SCROLL                                   ? scroll
                                : ui->mode == MODE_PREFIX                                 ? prefix
                                : ui->crew.count == 0                                     ? empty
                                : ui->focus != NULL && asked_count(&ui->focus->asked) > 0 ? asks
                                                                                          : crew;

    do
        *words++ = *chosen;
    while (*chosen++ != NULL);
}

/* Draws hints from the right edge leftwards, as many as leave room for `left`. Returns where they begin. */
static int paint_hints(const struct ui *ui, int left)
{
    struct rectangle area = ui->parts.status;
    const char *words[24];
    char prefix[KEY_NAME_SIZE];
    int width = 0, x, count = 0;

    if (ui->mode == MODE_PANE) {
        key_format(keymap_prefix(ui->keymap), prefix);
        words[0] = prefix;
        words[1] = "commands";
        words[2] = NULL;
    } else {
        hints(ui, words);
    }
    for (int i = 0; words[i] != NULL; i += 2) {
        int more =
            width_of_text(words[i], strlen(words[i])) + width_of_text(words[i + 1], strlen(words[i + 1])) + 3;
        if (width + more > area.cols - left - 1)
            break;
        width += more;
        count = i + 2;
    }
    x = area.x + area.cols - width;
    for (int i = 0, at = x; i < count; i += 2) {
        at += canvas_text(at, area.y, area.cols, ROLE_STATUS_KEY, words[i]) + 1;
        at += canvas_text(at, area.y, area.cols, ROLE_STATUS, words[i + 1]) + 2;
    }
    return x;
}

static int count_one(const struct ui *ui, int x, int limit, const char *glyph, enum theme_role role,
                     bool (*counts)(enum phase))
{
    size_t count = 0;
    char text[32];

    for (size_t i = 0; i < ui->crew.count; i++)
        count += counts(ui->crew.sessions[i]->phase);
    if (count == 0)
        return x;
    (void)snprintf(text, sizeof text, "%s %zu", glyph, count);
    if (x + width_of_text(text, strlen(text)) + 2 > limit)
        return x;
    return x + canvas_text_on(x, ui->parts.status.y, limit - x, role, ROLE_STATUS, text) + 2;
}

static bool needs_person(enum phase phase)
{
    return phase == PHASE_APPROVAL;
}

static bool went_wrong(enum phase phase)
{
    return phase == PHASE_FAILED || phase == PHASE_LOST || phase == PHASE_TIMEOUT;
}

static bool waits(enum phase phase)
{
    return phase == PHASE_LIMITED || phase == PHASE_RETRYING;
}

static bool works(enum phase phase)
{
    return phase >= PHASE_CONNECTING && phase <= PHASE_TOOL;
}

static bool rests(enum phase phase)
{
    return phase == PHASE_IDLE;
}

static int paint_counts(const struct ui *ui, int x, int limit)
{
    x = count_one(ui, x, limit, "▲", ROLE_ATTENTION, needs_person);
    x = count_one(ui, x, limit, "✗", ROLE_ERROR, went_wrong);
    x = count_one(ui, x, limit, "◆", ROLE_LIMITED, waits);
    x = count_one(ui, x, limit, "●", ROLE_WORKING, works);
    return count_one(ui, x, limit, "○", ROLE_IDLE, rests);
}

void status_paint(const struct ui *ui)
{
    struct rectangle area = ui->parts.status;
    const char *message = ui->message;
    char place[64], hint[512];
    int x, wanted, hints_at;

    if (area.rows == 0)
        return;
    canvas_fill(area, ROLE_STATUS);
    x = area.x + canvas_text(area.x, area.y, area.cols, ROLE_STATUS_MODE, mode_name(ui)) + 1;
    x = paint_counts(ui, x, area.cols / 2);
    if (ui->mode == MODE_SCROLL && ui->scroll != NULL && message[0] == '\0') {
        scroll_describe(ui, place, sizeof place);
        message = place;
    }
    if (ui->focus != NULL)
        facts_hint_row(ui->focus->facts.hint, area.cols - x - 1, hint, sizeof hint);
    if (message[0] == '\0' && ui->focus != NULL && phase_look(ui->focus->phase)->calls)
        message = hint;
    wanted = width_of_text(message, strlen(message));
    hints_at = paint_hints(ui, x + wanted + 1);
    (void)canvas_text_on(x, area.y, hints_at - x - 1, ui->message_is_error ? ROLE_STATUS_ERROR : ROLE_STATUS,
                         ROLE_STATUS, message);
}
