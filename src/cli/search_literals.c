#include "cli/search_literals.h"

#include <stdlib.h>
#include <string.h>

#include "cli/search_pattern.h"

#define DEPTH_MAX 50

struct parser {
    const char *at;
    bool ignore_case;
    unsigned depth;
    const char *fault;
};

/* What is known of a piece of the expression. */
struct part {
    struct search_literals literals;
    double cost;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

void search_literals_finish(struct search_literals *literals)
{
    for (size_t i = 0; i < literals->count; i++)
        buffer_finish(&literals->items[i]);
    literals->count = 0;
}

/* The length of the shortest: the longer, the fewer lines are asked about. */
static size_t worth(const struct search_literals *literals)
{
    size_t least = literals->count == 0 ? 0 : literals->items[0].length;

    for (size_t i = 1; i < literals->count; i++)
        least = literals->items[i].length < least ? literals->items[i].length : least;
    return least;
}

/* Keeps the better one in `best`; takes the other. */
static void keep_better(struct search_literals *best, struct search_literals *other)
{
    if (worth(other) > worth(best)) {
        search_literals_finish(best);
        *best = *other;
        other->count = 0;
    }
    search_literals_finish(other);
}

/* ---- characters ---- */

/* Past a bracket expression, of which `at` is after the [. */
static void skip_bracket(struct parser *parser)
{
    const char *at = parser->at;

    at += *at == '^';
    at += *at == ']';
    while (*at != '\0' && *at != ']') {
        if (*at == '[' && at[1] != '\0' && strchr(":=.", at[1]) != NULL) {
            char ending[] = {at[1], ']', '\0'};
            const char *found = strstr(at + 2, ending);
            at = found == NULL ? at + 1 : found + 2;
        } else {
            at++;
        }
    }
    parser->at = at + (*at == ']');
}

/* How many bytes the character takes that begins here. */
static size_t character(const char *at)
{
    size_t length = 1;

    while (((unsigned char)at[0] & 0xC0) == 0xC0 && ((unsigned char)at[length] & 0xC0) == 0x80)
        length++;
    return length;
}

/* A character that stands for itself is added to the run; its length there, 0 when it stands for others. */
static size_t take_character(struct parser *parser, struct buffer *run)
{
    const char *at = parser->at;
    bool escaped = at[0] == '\\' && at[1] != '\0';
    size_t length;

    if (*at == '[') {
        parser->at++;
        skip_bracket(parser);
        return 0;
    }
    at += escaped;
    length = character(at);
    parser->at = at + length;
    if (escaped && is_digit(*at) && *at != '0')
        parser->fault = "it refers back (\\1): this is not searched for";
    if (escaped ? is_letter(*at) || is_digit(*at) || strchr("<>`'", *at) != NULL
                : strchr(".^$*+?{", *at) != NULL)
        return 0;
    if (parser->ignore_case && (unsigned char)*at >= 0x80)
        return 0;
    for (size_t i = 0; i < length; i++)
        buffer_append_char(run, parser->ignore_case && is_letter(at[i]) ? (char)(at[i] | 0x20) : at[i]);
    return length;
}

/* ---- repetition ---- */

struct repetition {
    bool any; /* there is one */
    unsigned least;
    double most;
};

static unsigned scan_count(const char **at)
{
    unsigned value = 0;

    for (; is_digit(**at); (*at)++)
        value = value < 100000 ? value * 10 + (unsigned)(**at - '0') : value;
    return value;
}

/* {m}, {m,}, {m,n}, {,n}; anything else is text. */
static bool scan_braces(struct parser *parser, struct repetition *found)
{
    const char *at = parser->at + 1;
    unsigned least = scan_count(&at), most = least;

    if (at == parser->at + 1 && *at != ',')
        return false;
    if (*at == ',') {
        at++;
        most = is_digit(*at) ? scan_count(&at) : least + 1;
    }
    if (*at != '}')
        return false;
    parser->at = at + 1;
    found->least = found->any ? found->least * least : least;
    found->most *= most > 0 ? most : 1;
    found->any = true;
    return true;
}

static struct repetition scan_repetition(struct parser *parser)
{
    struct repetition found = {.least = 1, .most = 1};

    for (;; parser->at++) {
        while (*parser->at == '{' && scan_braces(parser, &found))
            ;
        if (*parser->at == '\0' || strchr("*?+", *parser->at) == NULL)
            return found;
        found.any = true;
        if (*parser->at != '+')
            found.least = 0;
        found.most *= *parser->at == '?' ? 1 : 2;
        found.most = found.most < 1e12 ? found.most : 1e12;
    }
}

/* ---- the expression ---- */

static struct part scan_expression(struct parser *parser);

/* What must be in a match ends here: the run so far is one candidate. */
static void end_run(struct buffer *run, struct search_literals *best)
{
    struct search_literals candidate = {.count = 0};

    if (run->length > 0) {
        candidate.items[0] = *run;
        candidate.count = 1;
        buffer_init(run);
    }
    keep_better(best, &candidate);
}

static void scan_piece(struct parser *parser, struct part *branch, struct buffer *run)
{
    struct part group = {.cost = 1};
    bool is_group = *parser->at == '(';
    struct repetition repetition;
    size_t taken = 0;

    if (is_group) {
        parser->at++;
        if (++parser->depth > DEPTH_MAX)
            parser->fault = "it is nested too deep";
        group = scan_expression(parser);
        parser->depth--;
        parser->at += *parser->at == ')';
        end_run(run, &branch->literals);
    } else {
        taken = take_character(parser, run);
    }
    repetition = scan_repetition(parser);
    branch->cost += group.cost * repetition.most;
    if (repetition.least == 0) {
        run->length -= taken;
        search_literals_finish(&group.literals);
    }
    if (repetition.any || taken == 0)
        end_run(run, &branch->literals);
    keep_better(&branch->literals, &group.literals);
}

static struct part scan_branch(struct parser *parser)
{
    struct part branch = {.cost = 1};
    struct buffer run = {0};

    while (*parser->at != '\0' && *parser->at != '|' && (*parser->at != ')' || parser->depth == 0) &&
           parser->fault == NULL)
        scan_piece(parser, &branch, &run);
    end_run(&run, &branch.literals);
    buffer_finish(&run);
    return branch;
}

/* Branches: one of the texts of each. */
static void join(struct search_literals *all, struct search_literals *more, bool first)
{
    bool fits = (first || all->count > 0) && more->count > 0 && all->count + more->count <= SEARCH_LITERALS;

    if (!fits) {
        search_literals_finish(all);
        search_literals_finish(more);
        return;
    }
    for (size_t i = 0; i < more->count; i++)
        all->items[all->count++] = more->items[i];
    more->count = 0;
}

static struct part scan_expression(struct parser *parser)
{
    struct part all = {.cost = 0};

    for (bool first = true; parser->fault == NULL; first = false) {
        struct part branch = scan_branch(parser);
        all.cost += branch.cost;
        join(&all.literals, &branch.literals, first);
        if (*parser->at != '|')
            break;
        parser->at++;
    }
    return all;
}

int search_literals_find(struct search_literals *literals, const char *expression, bool ignore_case,
                         struct error *error)
{
    struct parser parser = {.at = expression, .ignore_case = ignore_case};
    struct part all;

    if (strlen(expression) > SEARCH_PATTERN_MAX)
        return error_set(error, "it is longer than %d bytes", SEARCH_PATTERN_MAX);
    all = scan_expression(&parser);
    *literals = all.literals;
    if (parser.fault == NULL && all.cost > SEARCH_PATTERN_COST)
        parser.fault = "it repeats too much: its repetitions, multiplied, make more than 10000 characters";
    if (parser.fault == NULL)
        return 0;
    search_literals_finish(literals);
    return error_set(error, "%s", parser.fault);
}
