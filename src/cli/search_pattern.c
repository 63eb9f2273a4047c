#include "cli/search_pattern.h"

#include <locale.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "cli/search_literals.h"

/* A text to look for, by its rarest byte. */
struct literal {
    const char *bytes;
    size_t length, rarest;
};

#define ASKED 2048    /* lines of which the answer is kept: interfaces draw the same ones again and again */
#define ASKED_MAX 118 /* bytes of such a line */

struct asked {
    unsigned char length; /* 0: free */
    bool found;
    char text[ASKED_MAX];
};

struct search_pattern {
    struct asked *asked;
    struct search_literals texts;
    struct literal literals[SEARCH_LITERALS];
    bool ignore_case, exact; /* exact: a literal is all there is to it */
    bool has_matching, has_finding, has_plain;
    regex_t matching, finding; /* without and with places */
    regex_t plain;             /* for lines of ASCII, in the C locale: several times as fast */
    struct buffer lower;
};

/* ---- making ---- */

/* How often a byte is met in text, roughly. */
static int commonness(char byte)
{
    static const char rising[] =
        "~`^|\\{}@#$%&+<>?!;*[]QXZJKVYUHWGBFLMRDNPOICTESA_'\"():=,/0987654321-.zqxjkvbpygwfmucdhlrsnioate ";
    const char *found = byte == '\0' ? NULL : strchr(rising, byte);

    return found == NULL ? 0 : (int)(found - rising);
}

static struct literal literal_of(const struct buffer *text)
{
    struct literal literal = {.bytes = text->bytes, .length = text->length};

    for (size_t i = 1; i < text->length; i++) {
        if (commonness(text->bytes[i]) < commonness(text->bytes[literal.rarest]))
            literal.rarest = i;
    }
    return literal;
}

/* The same text as an expression. */
static char *escaped(const char *text)
{
    struct buffer out = {0};

    buffer_append_string(&out, "");
    for (; *text != '\0'; text++) {
        if (strchr(".[]\\()*+?{}|^$", *text) != NULL)
            buffer_append_char(&out, '\\');
        buffer_append_char(&out, *text);
    }
    return buffer_steal(&out);
}

static bool is_ascii(const char *text, size_t length)
{
    unsigned char all = 0;

    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

static void compile_plain(struct search_pattern *pattern, const char *expression, int flags)
{
    locale_t plain =
        is_ascii(expression, strlen(expression)) ? newlocale(LC_ALL_MASK, "C", (locale_t)0) : (locale_t)0;
    locale_t usual;

    if (plain == (locale_t)0)
        return;
    usual = uselocale(plain);
    pattern->has_plain = regcomp(&pattern->plain, expression, flags | REG_NOSUB) == 0;
    (void)uselocale(usual);
    freelocale(plain);
}

static int compile(struct search_pattern *pattern, const char *expression, struct error *error)
{
    int flags = REG_EXTENDED | (pattern->ignore_case ? REG_ICASE : 0);
    int fault = regcomp(&pattern->matching, expression, flags | REG_NOSUB);
    char text[200];

    pattern->has_matching = fault == 0;
    if (fault == 0) {
        fault = regcomp(&pattern->finding, expression, flags);
        pattern->has_finding = fault == 0;
    }
    if (fault == 0) {
        compile_plain(pattern, expression, flags);
        return 0;
    }
    (void)regerror(fault, pattern->has_matching ? &pattern->finding : &pattern->matching, text, sizeof text);
    return error_set(error, "%s", text);
}

struct search_pattern *search_pattern_create(const char *text, bool fixed, bool ignore_case,
                                             struct error *error)
{
    struct search_pattern *pattern = xcalloc(1, sizeof *pattern);
    char *expression = fixed ? escaped(text) : xstrdup(text);
    int result = 0;

    pattern->asked = xcalloc(ASKED, sizeof *pattern->asked);
    pattern->ignore_case = ignore_case;
    pattern->exact = fixed && !ignore_case;
    if (*text == '\0')
        result = error_set(error, "it is empty");
    if (result == 0)
        result = search_literals_find(&pattern->texts, expression, ignore_case, error);
    for (size_t i = 0; i < pattern->texts.count; i++)
        pattern->literals[i] = literal_of(&pattern->texts.items[i]);
    if (result == 0)
        result = compile(pattern, expression, error);
    free(expression);
    if (result == 0)
        return pattern;
    search_pattern_destroy(pattern);
    return NULL;
}

void search_pattern_destroy(struct search_pattern *pattern)
{
    if (pattern == NULL)
        return;
    if (pattern->has_matching)
        regfree(&pattern->matching);
    if (pattern->has_finding)
        regfree(&pattern->finding);
    if (pattern->has_plain)
        regfree(&pattern->plain);
    search_literals_finish(&pattern->texts);
    buffer_finish(&pattern->lower);
    free(pattern->asked);
    free(pattern);
}

/* ---- matching ---- */

static const char *find_literal(const struct literal *literal, const char *line, size_t length)
{
    const char *at = line + literal->rarest, *end;

    if (length < literal->length)
        return NULL;
    end = line + length - literal->length + literal->rarest + 1;
    while ((at = memchr(at, literal->bytes[literal->rarest], (size_t)(end - at))) != NULL) {
        if (memcmp(at - literal->rarest, literal->bytes, literal->length) == 0)
            return at - literal->rarest;
        at++;
    }
    return NULL;
}

static bool may_match(struct search_pattern *pattern, const char *line, size_t length)
{
    if (pattern->texts.count == 0)
        return true;
    if (pattern->ignore_case) {
        char *lower = buffer_reserve(&pattern->lower, length);
        for (size_t i = 0; i < length; i++)
            lower[i] = line[i] >= 'A' && line[i] <= 'Z' ? (char)(line[i] | 0x20) : line[i];
        line = lower;
    }
    for (size_t i = 0; i < pattern->texts.count; i++) {
        if (find_literal(&pattern->literals[i], line, length) != NULL)
            return true;
    }
    return false;
}

static bool ask(struct search_pattern *pattern, const char *line, size_t length)
{
    const regex_t *expression =
        pattern->has_plain && is_ascii(line, length) ? &pattern->plain : &pattern->matching;

    return regexec(expression, line, 0, NULL, 0) == 0;
}

/* Where the answer for a line is kept; NULL for a long one. */
static struct asked *place(struct search_pattern *pattern, const char *line, size_t length)
{
    uint32_t hash = 2166136261u;

    if (length == 0 || length > ASKED_MAX)
        return NULL;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)line[i]) * 16777619u;
    return &pattern->asked[(hash ^ hash >> 16) % ASKED];
}

bool search_pattern_matches(struct search_pattern *pattern, const char *line, size_t length)
{
    struct asked *asked;

    if (!may_match(pattern, line, length))
        return false;
    if (pattern->exact)
        return true;
    asked = place(pattern, line, length);
    if (asked == NULL)
        return ask(pattern, line, length);
    if (asked->length != length || memcmp(asked->text, line, length) != 0) {
        asked->found = ask(pattern, line, length);
        asked->length = (unsigned char)length;
        memcpy(asked->text, line, length);
    }
    return asked->found;
}

bool search_pattern_find(struct search_pattern *pattern, const char *line, size_t from, size_t *start,
                         size_t *end)
{
    regmatch_t match;

    if (regexec(&pattern->finding, line + from, 1, &match, from > 0 ? REG_NOTBOL : 0) != 0)
        return false;
    *start = from + (size_t)match.rm_so;
    *end = from + (size_t)match.rm_eo;
    return true;
}
