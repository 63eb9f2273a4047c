/*
 * The pieces of JSON that a frame consists of, read by hand. Each function reads one piece at `at` and moves past it;
 * false when there is something else (or a value out of range).
 */
#ifndef RPC_FRAME_SCAN_H
#define RPC_FRAME_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct scan {
    char *at;
    char *end;
    bool changing; /* strings are decoded in place; they were checked before */
};

#define SCAN(scan, literal) scan_literal((scan), (literal), sizeof(literal) - 1)

static inline bool scan_literal(struct scan *scan, const char *literal, size_t length)
{
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, literal, length) != 0)
        return false;
    scan->at += length;
    return true;
}

/* True and past it when the next byte is `byte`. */
static inline bool scan_byte(struct scan *scan, char byte)
{
    if (scan->at == scan->end || *scan->at != byte)
        return false;
    scan->at++;
    return true;
}

/* A decimal integer from `low` to `high`. */
static inline bool scan_number(struct scan *scan, int64_t low, int64_t high, int64_t *number)
{
    bool negative = scan_byte(scan, '-');
    const char *first = scan->at;
    int64_t value = 0;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && scan->at - first < 18)
        value = value * 10 + (*scan->at++ - '0');
    if (scan->at == first || (scan->at - first > 1 && *first == '0'))
        return false;
    *number = negative ? -value : value;
    return *number >= low && *number <= high;
}

/* true or false, also 1 or 0. */
bool scan_bool(struct scan *scan, bool *value);
/*
 * A quoted string of valid UTF-8 without control characters, escaped or not. Decoded only when `changing`; then `text`
 * is also followed by a NUL. *points is the number of code points (0 when changing).
 */
bool scan_string(struct scan *scan, char **text, size_t *length, size_t *points);

#endif
