#include "agent/drawing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/drawing_rows.h"
#include "base/json.h"
#include "base/memory.h"

struct drawing *drawing_create(void)
{
    struct drawing *drawing = xcalloc(1, sizeof *drawing);

    wrap_init(&drawing->wrap);
    drawing->open = OBSERVED_UNKNOWN;
    drawing->usage.cost_usd = -1;
    return drawing;
}

void drawing_forget_call(struct call *call)
{
    free(call->id);
    free(call->name);
    *call = (struct call){0};
}

void drawing_destroy(struct drawing *drawing)
{
    if (drawing == NULL)
        return;
    wrap_finish(&drawing->wrap);
    for (size_t i = 0; i < CALLS; i++)
        drawing_forget_call(&drawing->calls[i]);
    free(drawing->parent);
    free(drawing->last_call);
    free(drawing);
}

/* ---- rows ---- */

void drawing_close(struct drawing *drawing, int cols, struct buffer *out)
{
    if (drawing->open == OBSERVED_UNKNOWN)
        return;
    wrap_end(&drawing->wrap, cols, out);
    drawing->open = OBSERVED_UNKNOWN;
    drawing->gap = false;
}

static void append_bar(const char *parent, struct buffer *out)
{
    if (parent != NULL)
        buffer_append_string(out, DIM BAR RESET);
}

/* An empty row before what comes, unless there is one. */
void drawing_gap(struct drawing *drawing, const char *parent, int cols, struct buffer *out)
{
    drawing_close(drawing, cols, out);
    if (drawing->begun && !drawing->gap) {
        append_bar(parent, out);
        buffer_append_string(out, "\r\n");
    }
    drawing->begun = drawing->gap = true;
}

void drawing_forget_last(struct drawing *drawing)
{
    free(drawing->last_call);
    drawing->last_call = NULL;
}

/* A row of its own: prefix (with its width) and one cut line in a colour. */
void drawing_row(struct drawing *drawing, const char *parent, const char *prefix, int width,
                 const char *colour, const char *text, size_t length, int cols, struct buffer *out)
{
    int left = cols - width - (parent != NULL ? 2 : 0);

    append_bar(parent, out);
    buffer_append_string(out, prefix);
    buffer_append_string(out, colour);
    wrap_cut(text, length, left > 0 ? left : 0, out);
    buffer_append_string(out, *colour == '\0' ? "\r\n" : RESET "\r\n");
    drawing->begun = true;
    drawing->gap = false;
}

static void line(struct drawing *drawing, const char *parent, const char *prefix, int width,
                 const char *colour, const char *text, int cols, struct buffer *out)
{
    drawing_close(drawing, cols, out);
    drawing_row(drawing, parent, prefix, width, colour, text, strlen(text), cols, out);
    drawing_forget_last(drawing);
}

static struct indent indent_of(const char *parent, const char *first, const char *rest, int width)
{
    struct indent indent = {.width = width + (parent != NULL ? 2 : 0)};
    const char *bar = parent != NULL ? DIM BAR RESET : "";

    (void)snprintf(indent.first, sizeof indent.first, "%s%s", bar, first);
    (void)snprintf(indent.rest, sizeof indent.rest, "%s%s", bar, rest);
    return indent;
}

/* Text of any length, whole, wrapped. */
static void paragraph(struct drawing *drawing, const struct indent *indent, const char *style, bool markdown,
                      const char *text, int cols, struct buffer *out)
{
    wrap_begin(&drawing->wrap, indent, style, markdown);
    wrap_text(&drawing->wrap, text, strlen(text), cols, out);
    wrap_end(&drawing->wrap, cols, out);
    drawing->begun = true;
    drawing->gap = false;
    drawing_forget_last(drawing);
}

/* ---- text ---- */

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void text(struct drawing *drawing, const struct observation *said, int cols, struct buffer *out)
{
    bool thinking = said->kind == OBSERVED_THINKING;

    if (said->text == NULL)
        return;
    if (drawing->open != said->kind || !same(drawing->parent, said->parent) || said->whole) {
        struct indent indent = indent_of(said->parent, "", "", 0);
        drawing_gap(drawing, said->parent, cols, out);
        drawing_forget_last(drawing);
        free(drawing->parent);
        drawing->parent = said->parent == NULL ? NULL : xstrdup(said->parent);
        wrap_begin(&drawing->wrap, &indent, thinking ? "2;3" : "", !thinking);
        drawing->open = said->kind;
        drawing->gap = false;
    }
    wrap_text(&drawing->wrap, said->text, strlen(said->text), cols, out);
    if (said->whole)
        drawing_close(drawing, cols, out);
}

static void prompt(struct drawing *drawing, const char *words, int cols, struct buffer *out)
{
    struct indent indent = indent_of(NULL, "\x1b[1;36m\xE2\x9D\xAF" RESET " ", "  ", 2);

    if (words == NULL)
        return;
    drawing_gap(drawing, NULL, cols, out);
    paragraph(drawing, &indent, "1", false, words, cols, out);
}

/* ---- lists, questions ---- */

static void todo(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    const json_t *item;
    size_t index;

    drawing_gap(drawing, told->parent, cols, out);
    drawing_row(drawing, told->parent, "", 0, BOLD, "To do", 5, cols, out);
    json_array_foreach(told->input, index, item)
    {
        const char *state = json_member_string(item, "state", "pending");
        const char *words = json_member_string(item, "text", "");
        bool done = strcmp(state, "done") == 0, active = strcmp(state, "active") == 0;
        drawing_row(drawing, told->parent,
                    done     ? "  " GREEN "\xE2\x98\x91" RESET " "
                    : active ? "  " YELLOW "\xE2\x96\xB8" RESET " "
                             : "  \xE2\x98\x90 ",
                    4,
                    done     ? DIM
                    : active ? BOLD
                             : "",
                    words, strlen(words), cols, out);
    }
    drawing_forget_last(drawing);
}

static void approval(struct drawing *drawing, const struct observation *asked, int cols, struct buffer *out)
{
    struct indent indent = indent_of(asked->parent, YELLOW "?" RESET " ", "  ", 2);
    bool question = asked->request != NULL && strcmp(asked->request, "question") == 0;
    const json_t *choice;
    char prefix[40];
    size_t index;

    drawing_gap(drawing, asked->parent, cols, out);
    paragraph(drawing, &indent, "33", false, asked->text == NULL ? "May it go on?" : asked->text, cols, out);
    json_array_foreach(asked->choices, index, choice)
    {
        const char *words = json_is_string(choice) ? json_string_value(choice) : "";
        /* A question's text has them already, with more words. */
        if (question)
            break;
        (void)snprintf(prefix, sizeof prefix, "  %zu. ", index + 1);
        drawing_row(drawing, asked->parent, prefix, (int)strlen(prefix), "", words, strlen(words), cols, out);
    }
}

static void resolved(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    const char *outcome = told->outcome == NULL ? "gone" : told->outcome;
    bool denied = strcmp(outcome, "denied") == 0;

    if (strcmp(outcome, "gone") == 0)
        line(drawing, told->parent, "  ", 2, DIM, "no longer asked", cols, out);
    else
        line(drawing, told->parent,
             denied ? "  " RED "\xE2\x9C\x97" RESET " " : "  " GREEN "\xE2\x9C\x93" RESET " ", 4,
             denied ? RED : GREEN, outcome, cols, out);
}

/* ---- the rest ---- */

static void append_time(struct buffer *out, int64_t realtime_ms, const char *before)
{
    time_t seconds = (time_t)(realtime_ms / 1000);
    struct tm local;
    char words[32];

    if (realtime_ms <= 0 || localtime_r(&seconds, &local) == NULL ||
        strftime(words, sizeof words, "%a %H:%M:%S", &local) == 0)
        return;
    buffer_printf(out, "%s%s", before, words);
}

static void retry(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    struct buffer words;

    buffer_init(&words);
    buffer_printf(&words, "retry %d", told->attempt);
    if (told->attempts > 0)
        buffer_printf(&words, " of %d", told->attempts);
    append_time(&words, told->until_ms, " at ");
    if (told->text != NULL)
        buffer_printf(&words, ": %s", told->text);
    line(drawing, told->parent, YELLOW "\xE2\x86\xBB" RESET " ", 2, YELLOW, words.bytes, cols, out);
    buffer_finish(&words);
}

static void limit(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    struct buffer words;

    if (!told->failed || (told->until_ms != 0 && told->until_ms == drawing->limited_until))
        return;
    drawing->limited_until = told->until_ms;
    buffer_init(&words);
    buffer_printf(&words, "%s reached", told->text != NULL ? told->text : "limit");
    append_time(&words, told->until_ms, ", resets ");
    line(drawing, told->parent, YELLOW "!" RESET " ", 2, YELLOW, words.bytes, cols, out);
    buffer_finish(&words);
}

/* "12,345" */
static void append_grouped(struct buffer *out, int64_t number)
{
    char digits[24];
    size_t length;

    (void)snprintf(digits, sizeof digits, "%lld", (long long)number);
    length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buffer_append_char(out, ',');
        buffer_append_char(out, digits[i]);
    }
}

static void append_amount(struct buffer *out, int64_t total, int64_t before, const char *unit)
{
    int64_t amount = total - (before > 0 ? before : 0);

    if (total < 0 || amount <= 0)
        return;
    if (out->length > 0)
        buffer_append_string(out, " \xC2\xB7 ");
    append_grouped(out, amount);
    buffer_printf(out, " %s", unit);
}

static int64_t input_of(const struct observed_usage *usage)
{
    int64_t sum = usage->input_tokens > 0 ? usage->input_tokens : 0;

    sum += usage->cache_read_tokens > 0 ? usage->cache_read_tokens : 0;
    return sum + (usage->cache_write_tokens > 0 ? usage->cache_write_tokens : 0);
}

/* What the turn took: tokens, cost, seconds. */
static void turn_ended(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    const struct observed_usage *usage = &drawing->usage, *before = &drawing->before;
    double cost = usage->cost_usd - (before->cost_usd > 0 ? before->cost_usd : 0);
    bool cancelled = told->outcome != NULL && strcmp(told->outcome, "cancelled") == 0;
    struct buffer words;

    if (cancelled)
        line(drawing, told->parent, "", 0, YELLOW, "interrupted", cols, out);
    buffer_init(&words);
    append_amount(&words, input_of(usage), input_of(before), "tokens in");
    append_amount(&words, usage->output_tokens, before->output_tokens, "out");
    if (usage->cost_usd >= 0 && cost > 0)
        buffer_printf(&words, "%s$%.4f", words.length > 0 ? " \xC2\xB7 " : "", cost);
    if (told->duration_ms >= 50)
        buffer_printf(&words, "%s%.1f s", words.length > 0 ? " \xC2\xB7 " : "",
                      (double)told->duration_ms / 1000);
    if (words.length > 0) {
        drawing_gap(drawing, told->parent, cols, out);
        line(drawing, told->parent, "", 0, DIM, words.bytes, cols, out);
    }
    buffer_finish(&words);
    drawing_close(drawing, cols, out);
    drawing->before = *usage;
}

static void failure(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    struct indent indent = indent_of(told->parent, RED "\xE2\x9C\x97" RESET " ", "  ", 2);

    drawing_gap(drawing, told->parent, cols, out);
    paragraph(drawing, &indent, "31", false, told->text != NULL ? told->text : "the agent failed", cols, out);
}

static void note(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    struct indent indent = indent_of(told->parent, DIM "\xC2\xB7" RESET " ", "  ", 2);
    struct buffer words;

    if (told->text == NULL)
        return;
    buffer_init(&words);
    if (told->name != NULL)
        buffer_printf(&words, "%s: ", told->name);
    buffer_append_string(&words, told->text);
    drawing_close(drawing, cols, out);
    paragraph(drawing, &indent, "2", false, words.bytes, cols, out);
    buffer_finish(&words);
}

/* Drawn when no tool call tells of it. */
static void subagent(struct drawing *drawing, const struct observation *told, int cols, struct buffer *out)
{
    char words[200];

    if (drawing_call(drawing, told->id) != NULL || told->name == NULL)
        return;
    (void)snprintf(words, sizeof words, "%.150s%s", told->name, told->ended ? " has ended" : "");
    line(drawing, told->parent, "\x1b[35m\xE2\x97\x87" RESET " ", 2, told->ended ? DIM : "", words, cols,
         out);
}

void drawing_observe(struct drawing *drawing, const struct observation *observation, int cols,
                     struct buffer *out)
{
    static void (*const draw[])(struct drawing *, const struct observation *, int, struct buffer *) = {
        [OBSERVED_TURN_ENDED] = turn_ended,
        [OBSERVED_TEXT] = text,
        [OBSERVED_THINKING] = text,
        [OBSERVED_TOOL_CALL] = drawing_tool_call,
        [OBSERVED_TOOL_RESULT] = drawing_tool_result,
        [OBSERVED_APPROVAL] = approval,
        [OBSERVED_APPROVAL_RESOLVED] = resolved,
        [OBSERVED_SUBAGENT] = subagent,
        [OBSERVED_RETRY] = retry,
        [OBSERVED_LIMIT] = limit,
        [OBSERVED_ERROR] = failure,
        [OBSERVED_TODO] = todo,
        [OBSERVED_FILE] = drawing_file,
        [OBSERVED_NOTE] = note,
        [OBSERVED_UNKNOWN] = NULL,
    };

    cols = cols < 8 ? 8 : cols;
    if (observation->kind == OBSERVED_USAGE)
        drawing->usage = observation->usage;
    else if (observation->kind == OBSERVED_TURN_STARTED)
        prompt(drawing, observation->text, cols, out);
    else if ((size_t)observation->kind < sizeof draw / sizeof draw[0] && draw[observation->kind] != NULL)
        draw[observation->kind](drawing, observation, cols, out);
}

void drawing_line(struct drawing *drawing, enum drawing_line kind, const char *words, size_t length, int cols,
                  struct buffer *out)
{
    drawing_close(drawing, cols, out);
    drawing_row(drawing, NULL, "", 0, kind == DRAWING_STDERR ? "\x1b[2;31m" : DIM, words, length,
                cols < 8 ? 8 : cols, out);
    drawing_forget_last(drawing);
}
