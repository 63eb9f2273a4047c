#include "host/ignore.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define PATTERNS_MAX 4096
#define PATTERN_BYTES 1024

struct pattern {
    char *text;    /* segments, each ended by NUL */
    size_t count;  /* of segments */
    bool included; /* by a ! */
    bool folder;   /* folders only */
    bool anchored; /* else the last component of the path is what matches */
};

struct ignore {
    struct pattern *patterns;
    size_t count;
};

/* ---- one component of a path ---- */

/* 1, 0, or -1 when there is no such class. */
static int class_holds(const char *name, size_t length, int byte)
{
    static const struct {
        const char *name;
        int (*holds)(int);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
                   {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
                   {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strlen(classes[i].name) == length && strncmp(classes[i].name, name, length) == 0)
            return classes[i].holds(byte) != 0;
    }
    return -1;
}

/* One byte of a set, after a backslash if need be; advances *at. */
static unsigned char set_byte(const char **at)
{
    if (**at == '\\' && (*at)[1] != '\0')
        ++*at;
    return (unsigned char)*(*at)++;
}

/*
 * `set` stands after the bracket. Returns what follows the closing one and sets *matches; NULL when the set is not one.
 */
static const char *match_set(const char *set, unsigned char byte, bool *matches)
{
    bool negated = *set == '!' || *set == '^', held = false;
    const char *at = set + negated;

    for (bool first = true; *at != ']' || first; first = false) {
        const char *end;
        unsigned char low, high;
        if (*at == '\0')
            return NULL;
        end = at[0] == '[' && at[1] == ':' ? strchr(at + 2, ']') : NULL;
        if (end != NULL && end > at + 2 && end[-1] == ':') {
            int holds = class_holds(at + 2, (size_t)(end - at - 3), byte);
            if (holds < 0)
                return NULL;
            held = held || holds > 0;
            at = end + 1;
            continue;
        }
        low = high = set_byte(&at);
        if (at[0] == '-' && at[1] != ']' && at[1] != '\0') {
            at++;
            high = set_byte(&at);
        }
        held = held || (byte >= low && byte <= high);
    }
    *matches = held != negated;
    return at + 1;
}

/* One byte of the name against what stands at *at, which is no star; advances *at. */
static bool match_byte(const char **at, unsigned char byte)
{
    bool matches = false;

    if (**at == '?') {
        ++*at;
        return true;
    }
    if (**at == '[') {
        *at = match_set(*at + 1, byte, &matches);
        return *at != NULL && matches;
    }
    if (**at == '\\')
        ++*at;
    return **at != '\0' && (unsigned char)*(*at)++ == byte;
}

/* Only the last star needs to be tried with more bytes: what a star before it took is no loss. */
static bool match_segment(const char *pattern, const char *name, size_t length)
{
    const char *at = pattern, *star = NULL;
    size_t i = 0, retry = 0;

    while (i < length) {
        const char *next = at;
        if (*at == '*') {
            star = ++at;
            retry = i;
        } else if (*at != '\0' && match_byte(&next, (unsigned char)name[i])) {
            at = next;
            i++;
        } else if (star != NULL) {
            at = star;
            i = ++retry;
        } else {
            return false;
        }
    }
    while (*at == '*')
        at++;
    return *at == '\0';
}

/* ---- whole paths ---- */

static bool is_any_depth(const char *segment)
{
    return segment[0] == '*' && segment[1] == '*' && segment[strspn(segment, "*")] == '\0';
}

static const char *next_segment(const char *segment)
{
    return segment + strlen(segment) + 1;
}

/* The same over components, where ** is the star; at the end it takes at least one component. */
static bool match_path(const struct pattern *pattern, const char *path)
{
    const char *segment = pattern->text, *star = NULL, *retry = NULL;
    size_t left = pattern->count, star_left = 0;

    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (left > 0 && is_any_depth(segment)) {
            if (left == 1)
                return true;
            star = segment = next_segment(segment);
            star_left = --left;
            retry = path;
        } else if (left > 0 && match_segment(segment, path, length)) {
            segment = next_segment(segment);
            left--;
            path += length + (path[length] == '/');
        } else if (star != NULL) {
            retry += strcspn(retry, "/");
            if (*retry == '\0')
                return false;
            path = ++retry;
            segment = star;
            left = star_left;
        } else {
            return false;
        }
    }
    return left == 0;
}

static bool matches(const struct pattern *pattern, const char *path, bool is_folder)
{
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;

    if (pattern->folder && !is_folder)
        return false;
    if (!pattern->anchored)
        return match_segment(pattern->text, name, strlen(name));
    return match_path(pattern, path);
}

enum ignore_verdict ignore_match(const struct ignore *ignore, const char *path, bool is_folder)
{
    if (ignore == NULL || *path == '\0')
        return IGNORE_UNDECIDED;
    for (size_t i = ignore->count; i-- > 0;) {
        if (matches(&ignore->patterns[i], path, is_folder))
            return ignore->patterns[i].included ? IGNORE_INCLUDED : IGNORE_IGNORED;
    }
    return IGNORE_UNDECIDED;
}

/* ---- reading ---- */

/* Spaces at the end go, unless a backslash keeps one. */
static size_t without_spaces(const char *line, size_t length)
{
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\\' && i + 1 < length)
            kept = ++i + 1;
        else if (line[i] != ' ')
            kept = i + 1;
    }
    return kept;
}

/* Where the component at `at` ends: a slash within brackets is none; NULL when a bracket is not closed. */
static const char *segment_end(const char *at)
{
    bool unused;

    while (at != NULL && *at != '\0' && *at != '/') {
        if (*at == '[')
            at = match_set(at + 1, 0, &unused);
        else if (at[0] == '\\' && at[1] != '\0' && at[1] != '/')
            at += 2;
        else
            at++;
    }
    return at;
}

/* Cuts the text at its slashes. False when nothing can match it. */
static bool cut(struct pattern *pattern)
{
    for (char *at = pattern->text;;) {
        const char *end = segment_end(at);
        if (end == NULL || end == at)
            return false;
        pattern->count++;
        at += end - at;
        if (*at == '\0')
            return true;
        if (at[-1] == '\\') {
            /* An escaped slash is a slash. */
            memmove(at - 1, at, strlen(at) + 1);
            at--;
        }
        *at++ = '\0';
    }
}

static void add(struct ignore *ignore, const char *line, size_t length)
{
    struct pattern pattern = {0};

    if (length > PATTERN_BYTES || ignore->count == PATTERNS_MAX || memchr(line, '\0', length) != NULL)
        return;
    if (length > 0 && *line == '!') {
        pattern.included = true;
        line++;
        length--;
    }
    if (length > 0 && line[length - 1] == '/') {
        pattern.folder = true;
        length--;
    }
    pattern.anchored = memchr(line, '/', length) != NULL;
    if (length > 0 && *line == '/') {
        line++;
        length--;
    }
    pattern.text = xmalloc(length + 1);
    memcpy(pattern.text, line, length);
    pattern.text[length] = '\0';
    if (!cut(&pattern)) {
        free(pattern.text);
        return;
    }
    ignore->patterns = xreallocarray(ignore->patterns, ignore->count + 1, sizeof *ignore->patterns);
    ignore->patterns[ignore->count++] = pattern;
}

struct ignore *ignore_parse(const char *text, size_t length)
{
    struct ignore *ignore = xcalloc(1, sizeof *ignore);
    const char *end = text + length;

    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    while (text < end) {
        const char *line = text, *newline = memchr(text, '\n', (size_t)(end - text));
        size_t size = (size_t)((newline == NULL ? end : newline) - line);
        text = newline == NULL ? end : newline + 1;
        if (newline != NULL && size > 0 && line[size - 1] == '\r')
            size--;
        size = without_spaces(line, size);
        if (size > 0 && *line != '#')
            add(ignore, line, size);
    }
    if (ignore->count > 0)
        return ignore;
    ignore_destroy(ignore);
    return NULL;
}

void ignore_destroy(struct ignore *ignore)
{
    if (ignore == NULL)
        return;
    for (size_t i = 0; i < ignore->count; i++)
        free(ignore->patterns[i].text);
    free(ignore->patterns);
    free(ignore);
}
