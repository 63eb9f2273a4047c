#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/rule_set.h"
#include "base/memory.h"
#include "base/utf8.h"

#define BLOCK_LINES 60
#define SECOND_MS 1000
#define FAR "        "

/* ---- lines ---- */

static bool is_blank(const char *line)
{
    return *pattern_skip_frame(line) == '\0';
}

void screen_lines_init(struct screen_lines *screen, const char *text)
{
    char *at;

    screen->text = xstrdup(text == NULL ? "" : text);
    screen->count = 0;
    for (at = screen->text; *at != '\0' && screen->count < SCREEN_LINES_MAX;) {
        size_t length = strcspn(at, "\n");
        bool ended = at[length] == '\n';
        at[length] = '\0';
        screen->lines[screen->count++] = at;
        at += length + (ended ? 1 : 0);
    }
    while (screen->count > 0 && is_blank(screen->lines[screen->count - 1]))
        screen->count--;
}

void screen_lines_finish(struct screen_lines *screen)
{
    free(screen->text);
}

/* The first of the lowest `last` lines that are not blank. */
static int window_start(const struct screen_lines *screen, int last)
{
    int line = screen->count;

    while (line > 0 && last > 0) {
        line--;
        if (!is_blank(screen->lines[line]))
            last--;
    }
    return line;
}

/* The lowest line of [from, to) that one of the patterns matches; -1: none. */
static int lowest(const struct screen_lines *screen, int from, int to, const struct patterns *patterns)
{
    for (int line = to - 1; line >= from; line--) {
        if (patterns_match(patterns, screen->lines[line]))
            return line;
    }
    return -1;
}

/* ---- a rule ---- */

static bool all_match(const struct screen_lines *screen, int from, const struct patterns *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct patterns one = {&all->items[i], 1};
        if (lowest(screen, from, screen->count, &one) < 0)
            return false;
    }
    return true;
}

/* Where the block above `line` begins; -1: there is none in this turn. */
static int block_start(const struct rules *rules, const struct rule *rule, const struct screen_lines *screen,
                       int line)
{
    int least = line > BLOCK_LINES ? line - BLOCK_LINES : 0;

    for (int at = line - 1; at >= least; at--) {
        if (patterns_match(&rule->block, screen->lines[at]))
            return at;
        if (patterns_match(&rules->turn, screen->lines[at]))
            return -1;
    }
    return -1;
}

static bool block_matches(const struct rules *rules, const struct rule *rule,
                          const struct screen_lines *screen, int line)
{
    int start;

    if (rule->block.count == 0 && rule->within.count == 0 && rule->without.count == 0)
        return true;
    start = rule->block.count == 0 ? 0 : block_start(rules, rule, screen, line);
    return start >= 0 && (rule->within.count == 0 || lowest(screen, start, line, &rule->within) >= 0) &&
           lowest(screen, start, line, &rule->without) < 0;
}

/* The rule's line, or -1. */
static int match(const struct rules *rules, const struct rule *rule, const struct screen_lines *screen,
                 struct rules_seen seen)
{
    int from = window_start(screen, rule->last);
    int line = lowest(screen, from, screen->count, &rule->any);

    if (line < 0 || (rule->growing && !seen.growing) || (rule->while_working && !seen.working) ||
        !all_match(screen, from, &rule->all) || lowest(screen, from, screen->count, &rule->none) >= 0 ||
        (rule->same.count > 0 && !patterns_match(&rule->same, screen->lines[line])) ||
        !block_matches(rules, rule, screen, line))
        return -1;
    return line;
}

/* "3s", "2m", "1h 5m" after the text. */
static int64_t read_wait(const char *line, const char *after)
{
    const char *at = strstr(line, after);
    int64_t total = -1;
    char *end;

    if (at == NULL)
        return -1;
    for (at += strlen(after); *at >= '0' && *at <= '9'; at = *end == ' ' ? end + 1 : end) {
        int64_t number = strtol(at, &end, 10);
        int64_t unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : *end == 's' ? 1 : 0;
        if (unit == 0 || number > 100000000)
            break;
        end++;
        total = (total < 0 ? 0 : total) + number * unit * SECOND_MS;
    }
    return total;
}

/* "4:19am", "3:45 PM", "16:05" after the text: minutes since midnight, or -1. */
static int read_clock(const char *line, const char *after)
{
    const char *at = strstr(line, after);
    int hour, minute, length = 0;
    char half;

    if (at == NULL || sscanf(at + strlen(after), "%2d:%2d%n", &hour, &minute, &length) != 2 || length < 4)
        return -1;
    at += strlen(after) + (size_t)length;
    half = (char)tolower((unsigned char)at[strspn(at, " ")]);
    if (half == 'p' && hour < 12)
        hour += 12;
    else if (half == 'a' && hour == 12)
        hour = 0;
    return hour < 0 || hour > 23 || minute < 0 || minute > 59 ? -1 : hour * 60 + minute;
}

static void take_detail(struct rules_match *match, const char *line)
{
    const char *gap;
    size_t length;

    line = pattern_skip_frame(line);
    /* What stands far to the right is another matter. */
    gap = strstr(line, FAR);
    length = gap == NULL ? strlen(line) : (size_t)(gap - line);
    if (length >= sizeof match->detail)
        length = sizeof match->detail - 1;
    memcpy(match->detail, line, length);
    match->detail[length] = '\0';
    match->detail[length - utf8_incomplete_tail(match->detail, length)] = '\0';
}

/* What the rule's line says more exactly. */
static const struct rule *refine(const struct rules *rules, const struct rule *rule,
                                 const struct screen_lines *screen, int line, struct rules_seen seen)
{
    for (size_t i = 0; i < rule->then_count; i++) {
        const struct rule *finer = &rule->then[i];
        if ((!finer->growing || seen.growing) &&
            (finer->same.count == 0 || patterns_match(&finer->same, screen->lines[line])) &&
            block_matches(rules, finer, screen, line))
            return finer;
    }
    return rule;
}

/* What the line itself has of what the refinements want. */
static uint32_t same_bits(const struct rule *rule, const char *line)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < rule->then_count && i < 32; i++) {
        if (rule->then[i].same.count > 0 && patterns_match(&rule->then[i].same, line))
            bits |= 1u << i;
    }
    return bits;
}

static void take_line(struct rules_match *match, const struct rule *rule, const char *line)
{
    match->same = same_bits(rule, line);
    match->wait_ms = rule->wait == NULL ? -1 : read_wait(line, rule->wait);
    match->clock = rule->clock == NULL ? -1 : read_clock(line, rule->clock);
    take_detail(match, line);
}

bool rules_screen_again(const struct rules *rules, const char *line, struct rules_match *match)
{
    const struct rule *rule = match->phase == PHASE_COUNT ? NULL : &rules->screen[match->rule];

    if (rule == NULL || !patterns_match(&rule->any, line) || patterns_match(&rule->none, line) ||
        rule->all.count > 0 || same_bits(rule, line) != match->same)
        return false;
    take_line(match, rule, line);
    return true;
}

struct rules_match rules_screen(const struct rules *rules, const char *text, struct rules_seen seen)
{
    struct rules_match found = {.phase = PHASE_COUNT, .line = -1, .wait_ms = -1, .clock = -1};
    struct screen_lines screen;

    if (rules->screen_count == 0)
        return found;
    screen_lines_init(&screen, text);
    for (size_t i = 0; i < rules->screen_count && found.phase == PHASE_COUNT; i++) {
        const struct rule *rule = &rules->screen[i], *finer;
        int line = match(rules, rule, &screen, seen);
        if (line < 0)
            continue;
        finer = refine(rules, rule, &screen, line, seen);
        found.phase = finer->phase;
        found.coarse = finer->coarse;
        found.kind = rule->kind;
        found.line = line;
        found.rule = i;
        take_line(&found, rule, screen.lines[line]);
    }
    screen_lines_finish(&screen);
    return found;
}

/* ---- the rest ---- */

#define SPINNER_LINES 1
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

uint32_t rules_text_hash(const char *screen, int line)
{
    uint32_t hash = FNV_START;
    int at = 0;

    for (const char *text = screen; *text != '\0' && at < line - SPINNER_LINES; text++) {
        at += *text == '\n';
        /* Where the lines stand, and blanks, do not count. */
        if (*text != ' ' && *text != '\n')
            hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
    }
    return hash;
}

static bool on_screen(const struct patterns *patterns, const char *text)
{
    struct screen_lines screen;
    bool found;

    screen_lines_init(&screen, text);
    found = lowest(&screen, 0, screen.count, patterns) >= 0;
    screen_lines_finish(&screen);
    return found;
}

bool rules_know_screen(const struct rules *rules)
{
    return rules->screen_count > 0;
}

bool rules_know_box(const struct rules *rules)
{
    return rules->ready.count > 0;
}

bool rules_ready(const struct rules *rules, const char *screen)
{
    return rules->ready.count == 0 || on_screen(&rules->ready, screen);
}

bool rules_identify(const struct rules *rules, const char *title, const char *screen)
{
    return patterns_match(&rules->identify_titles, title) ||
           (rules->identify_screen.count > 0 && on_screen(&rules->identify_screen, screen));
}
