#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/rule_set.h"
#include "base/buffer.h"
#include "base/memory.h"

#define REGION_LINES 60
#define ROW_GAP 8 /* blanks after which a row of choices is over */

/* ---- pieces ---- */

/* The marker before the chosen line, "❯ 1. Yes", and its length; 0: there is none. */
static size_t marker_length(const char *text)
{
    static const char *const markers[] = {"❯", "›", "●", "▶", ">"};

    for (size_t i = 0; i < sizeof markers / sizeof markers[0]; i++) {
        size_t length = strlen(markers[i]);
        if (strncmp(text, markers[i], length) == 0 && (text[length] == ' ' || (text[length] & 0x80) != 0))
            return length;
    }
    return 0;
}

static const char *skip_marker(const char *text, bool *marked)
{
    size_t length = marker_length(text);

    *marked = length > 0;
    text += length;
    while (*text != '\0' && (*text == ' ' || (*text & 0x80) != 0) && length > 0 &&
           !isalnum((unsigned char)*text))
        text++;
    return text;
}

/* The text without the frame at its end. */
static char *trimmed(const char *text)
{
    static const char *const frames[] = {"│", "┃", "|", "█"};
    char *copy = xstrdup(text);
    size_t length = strlen(copy);
    bool cut = true;

    while (cut && length > 0) {
        cut = copy[length - 1] == ' ';
        length -= cut ? 1 : 0;
        for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
            size_t frame = strlen(frames[i]);
            if (length >= frame && strncmp(copy + length - frame, frames[i], frame) == 0) {
                length -= frame;
                cut = true;
            }
        }
    }
    copy[length] = '\0';
    return copy;
}

/* A line of a frame: nothing to read. */
static bool is_rule_line(const char *line)
{
    static const char *const parts[] = {"─", "╌", "╭", "╮", "╰", "╯", "━", "┈", "═"};

    line = pattern_skip_frame(line);
    if (*line == '\0')
        return false;
    while (*line != '\0') {
        size_t i = 0;
        while (i < sizeof parts / sizeof parts[0] && strncmp(line, parts[i], strlen(parts[i])) != 0)
            i++;
        if (i < sizeof parts / sizeof parts[0])
            line += strlen(parts[i]);
        else if (*pattern_skip_frame(line) == '\0')
            return true;
        else
            return false;
    }
    return true;
}

/* ---- reading choices ---- */

struct reading {
    struct rules_question *question;
    const struct rule_question *rule;
    int marked; /* choice under the cursor, 0: unknown */
};

/* The key that a choice names, "(y)" or "(esc)", as a key name; NULL: it names none. The letter goes into `key`. */
static const char *shortcut(const char *text, char key[8])
{
    size_t length = strlen(text);

    if (length > 5 && strcmp(text + length - 5, "(esc)") == 0)
        return "Escape";
    if (length < 3 || text[length - 1] != ')' || text[length - 3] != '(' ||
        !isalnum((unsigned char)text[length - 2]))
        return NULL;
    key[0] = text[length - 2];
    key[1] = '\0';
    return key;
}

static void add_choice(struct reading *reading, const char *text, bool marked)
{
    struct rules_question *question = reading->question;

    if (question->choice_count == RULES_CHOICES_MAX || *text == '\0')
        return;
    question->choices[question->choice_count++] = trimmed(text);
    if (marked)
        reading->marked = question->choice_count;
}

/* Keys that bring the cursor from the marked choice to another one, and Enter. */
static char *arrow_keys(const struct reading *reading, int choice, const char *forwards,
                        const char *backwards)
{
    int from = reading->marked == 0 ? 1 : reading->marked;
    struct buffer keys;

    buffer_init(&keys);
    for (int i = from; i < choice; i++)
        buffer_printf(&keys, "%s ", forwards);
    for (int i = choice; i < from; i++)
        buffer_printf(&keys, "%s ", backwards);
    buffer_append_string(&keys, "Enter");
    return buffer_steal(&keys);
}

static void find_keys(struct reading *reading)
{
    struct rules_question *question = reading->question;

    for (int i = 0; i < question->choice_count; i++) {
        char letter[8];
        const char *key = NULL;
        if (reading->rule->choices == CHOICES_LETTERS)
            key = shortcut(question->choices[i], letter);
        /* The digit of the choice that is marked already chooses nothing. */
        if (reading->rule->choices == CHOICES_DIGITS && i < 9)
            question->keys[i] = reading->marked == i + 1 ? xstrdup("Enter") : xasprintf("%d", i + 1);
        else if (key != NULL)
            question->keys[i] = xstrdup(key);
        else if (reading->rule->choices == CHOICES_ROW)
            question->keys[i] = arrow_keys(reading, i + 1, "Right", "Left");
        else
            question->keys[i] = arrow_keys(reading, i + 1, "Down", "Up");
    }
}

/* "Allow once   Allow always   Reject             enter confirm" */
static void read_row(struct reading *reading, const char *line)
{
    line = pattern_skip_frame(line);
    while (*line != '\0' && reading->question->choice_count < RULES_CHOICES_MAX) {
        const char *end = strstr(line, "  ");
        size_t length = end == NULL ? strlen(line) : (size_t)(end - line), gap;
        char *text = xstrndup(line, length);
        add_choice(reading, text, false);
        free(text);
        gap = strspn(line + length, " ");
        if (gap >= ROW_GAP)
            return;
        line += length + gap;
    }
}

/* "❯ 1. Yes": the number and where its text begins; 0: no such line. */
static int numbered(const char *line, const char **text, bool *marked)
{
    char *end;
    long number;

    line = skip_marker(pattern_skip_frame(line), marked);
    while (*line == ' ')
        line++;
    if (!isdigit((unsigned char)*line))
        return 0;
    number = strtol(line, &end, 10);
    if (number < 1 || number > 99 || end[0] != '.' || end[1] != ' ')
        return 0;
    *text = end + 2 + strspn(end + 2, " ");
    return (int)number;
}

/* The last list that counts from 1 in [from, to). Returns its first line, or -1. */
static int find_list(const struct screen_lines *screen, int from, int to)
{
    const char *text;
    bool marked;

    for (int line = to - 1; line >= from; line--) {
        if (numbered(screen->lines[line], &text, &marked) == 1)
            return line;
    }
    return -1;
}

/* Blanks and frames before the text of a line, in bytes. */
static size_t indentation(const char *line)
{
    return (size_t)(pattern_skip_frame(line) - line);
}

/* A line below a choice that goes on with it. */
static void go_on(struct rules_question *question, const char *line, size_t column)
{
    char **choice = &question->choices[question->choice_count - 1], *text, *whole;

    if (indentation(line) < column)
        return;
    text = trimmed(pattern_skip_frame(line));
    whole = *text == '\0' ? NULL : xasprintf("%s %s", *choice, text);
    free(text);
    if (whole == NULL)
        return;
    free(*choice);
    *choice = whole;
}

static void read_list(struct reading *reading, const struct screen_lines *screen, int first)
{
    size_t column = 0;
    bool open = false; /* the last line belongs to a choice */

    for (int line = first; line < screen->count; line++) {
        const char *text;
        bool marked;
        if (numbered(screen->lines[line], &text, &marked) == reading->question->choice_count + 1) {
            /* The marker is as wide as a blank, but longer. */
            column = indentation(screen->lines[line]) + (marked ? 5 : 3);
            add_choice(reading, text, marked);
            open = true;
        } else if (*pattern_skip_frame(screen->lines[line]) == '\0') {
            open = false;
        } else if (open && reading->question->choice_count > 0) {
            go_on(reading->question, screen->lines[line], column);
        }
    }
}

/* Lines around the marked one, without numbers. Returns the first, or -1. */
static int read_marked(struct reading *reading, const struct screen_lines *screen, int from, int to)
{
    int at = to - 1, first;
    bool marked = false;

    while (at >= from && (skip_marker(pattern_skip_frame(screen->lines[at]), &marked), !marked))
        at--;
    if (at < from)
        return -1;
    for (first = at; first > from && *pattern_skip_frame(screen->lines[first - 1]) != '\0';)
        first--;
    for (int line = first; line < screen->count && *pattern_skip_frame(screen->lines[line]) != '\0'; line++)
        add_choice(reading, skip_marker(pattern_skip_frame(screen->lines[line]), &marked), line == at);
    return first;
}

/* ---- the whole ---- */

static int region_top(const struct rule_question *rule, const struct screen_lines *screen, int line)
{
    int least = line > REGION_LINES ? line - REGION_LINES : 0, skip = rule->skip, found = -1;

    for (int at = line - 1; at >= least; at--) {
        if (!patterns_match(&rule->top, screen->lines[at]))
            continue;
        found = at;
        if (skip-- == 0)
            break;
    }
    return found < 0 ? least : found + 1;
}

static void read_input(struct rules_question *question, const struct screen_lines *screen, int from, int to)
{
    struct buffer text;
    bool gap = false;

    buffer_init(&text);
    for (int line = from; line < to; line++) {
        char *part;
        if (is_rule_line(screen->lines[line]))
            continue;
        part = trimmed(pattern_skip_frame(screen->lines[line]));
        if (*part == '\0') {
            gap = text.length > 0;
        } else {
            buffer_append_string(&text, gap ? "\n" : "");
            buffer_append_string(&text, text.length > 0 ? "\n" : "");
            buffer_append_string(&text, part);
            gap = false;
        }
        free(part);
    }
    question->input = text.length == 0 ? NULL : buffer_steal(&text);
    if (question->input == NULL)
        buffer_finish(&text);
}

static void read_tool(struct rules_question *question, const struct rule_question *rule)
{
    for (size_t i = 0; i < rule->tool_count && question->input != NULL && question->tool == NULL; i++) {
        if (strstr(question->input, rule->tools[i].text) != NULL)
            question->tool = xstrdup(rule->tools[i].name);
    }
}

static int find_choice(const struct rules_question *question, const struct patterns *patterns)
{
    for (size_t p = 0; p < patterns->count; p++) {
        for (int i = 0; i < question->choice_count; i++) {
            if (pattern_matches(&patterns->items[p], question->choices[i]))
                return i + 1;
        }
    }
    return 0;
}

static void read_dialog(const struct rule_question *rule, const struct screen_lines *screen, int line,
                        struct rules_question *question)
{
    struct reading reading = {.question = question, .rule = rule};
    int top = region_top(rule, screen, line), first = find_list(screen, top, screen->count);

    if (rule->choices == CHOICES_ROW) {
        read_row(&reading, screen->lines[line]);
        first = line;
    } else if (first >= 0) {
        read_list(&reading, screen, first);
    } else {
        first = read_marked(&reading, screen, top, screen->count);
    }
    read_input(question, screen, top, first < 0 ? line : first);
    read_tool(question, rule);
    find_keys(&reading);
    question->approve = find_choice(question, &rule->approve);
    question->deny = find_choice(question, &rule->deny);
    question->deny_keys = rule->deny_keys == NULL ? NULL : xstrdup(rule->deny_keys);
}

int rules_question(const struct rules *rules, const struct rules_match *match, const char *text,
                   struct rules_question *question)
{
    const struct rule_question *rule;
    struct screen_lines screen;

    *question = (struct rules_question){0};
    if (match->phase != PHASE_APPROVAL || match->rule >= rules->screen_count)
        return -1;
    rule = rules->screen[match->rule].question;
    if (rule == NULL)
        return -1;
    screen_lines_init(&screen, text);
    if (match->line < screen.count)
        read_dialog(rule, &screen, match->line, question);
    screen_lines_finish(&screen);
    return 0;
}

void rules_question_finish(struct rules_question *question)
{
    free(question->tool);
    free(question->input);
    free(question->deny_keys);
    for (int i = 0; i < question->choice_count; i++) {
        free(question->choices[i]);
        free(question->keys[i]);
    }
    *question = (struct rules_question){0};
}
