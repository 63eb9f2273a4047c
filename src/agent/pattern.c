#include "agent/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const char *pattern_skip_frame(const char *line)
{
    static const char *const frames[] = {"│", "┃", "▎", "|"};

    for (;;) {
        size_t i = 0;
        while (*line == ' ')
            line++;
        while (i < sizeof frames / sizeof frames[0] && strncmp(line, frames[i], strlen(frames[i])) != 0)
            i++;
        if (i == sizeof frames / sizeof frames[0])
            return line;
        line += strlen(frames[i]);
    }
}

static char *compile(struct pattern *pattern, const char *text, size_t length)
{
    char problem[128];
    int code;

    pattern->type = PATTERN_REGEX;
    pattern->text = xstrndup(text + 1, length - 2);
    code = regcomp(&pattern->regex, pattern->text, REG_EXTENDED | REG_NOSUB);
    if (code == 0)
        return NULL;
    (void)regerror(code, &pattern->regex, problem, sizeof problem);
    free(pattern->text);
    return xstrdup(problem);
}

char *patterns_add(struct patterns *patterns, const char *text)
{
    size_t length = strlen(text);
    struct pattern *pattern;
    char *problem = NULL;

    if (length == 0)
        return xstrdup("an empty pattern matches everything");
    patterns->items = xreallocarray(patterns->items, patterns->count + 1, sizeof *patterns->items);
    pattern = &patterns->items[patterns->count];
    if (length > 2 && text[0] == '/' && text[length - 1] == '/') {
        problem = compile(pattern, text, length);
    } else {
        pattern->type = text[0] == '^' ? PATTERN_PREFIX : PATTERN_WITHIN;
        pattern->text = xstrdup(text[0] == '^' ? text + 1 : text);
    }
    if (problem != NULL)
        return problem;
    pattern->length = strlen(pattern->text);
    patterns->count++;
    return NULL;
}

void patterns_finish(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (patterns->items[i].type == PATTERN_REGEX)
            regfree(&patterns->items[i].regex);
        free(patterns->items[i].text);
    }
    free(patterns->items);
    *patterns = (struct patterns){0};
}

bool pattern_matches(const struct pattern *pattern, const char *line)
{
    if (pattern->type == PATTERN_WITHIN)
        return strstr(line, pattern->text) != NULL;
    if (pattern->type == PATTERN_PREFIX)
        return strncmp(pattern_skip_frame(line), pattern->text, pattern->length) == 0;
    return regexec(&pattern->regex, line, 0, NULL, 0) == 0;
}

bool patterns_match(const struct patterns *patterns, const char *line)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (pattern_matches(&patterns->items[i], line))
            return true;
    }
    return false;
}
