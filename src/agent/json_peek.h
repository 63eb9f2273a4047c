/*
 * A few members out of a line of JSON without parsing all of it: fast, allocates nothing, and safe on any bytes. A view is
 * the text of one value within the line, which the caller keeps.
 */
#ifndef AGENT_JSON_PEEK_H
#define AGENT_JSON_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_view {
    const char *at;
    size_t length; /* 0: there is no such value */
};

/* The value that the text consists of, white space around it left off; none when it is not one whole value. */
struct json_view json_peek(const char *text, size_t length);
/* The elements of an array, or the members of an object, one after the other: begin with an empty `*at`, false at the end or
 * where the text is no JSON. `key` is the member's name as it is written, none in an array; it may be NULL. */
bool json_peek_next(struct json_view container, const char **at, struct json_view *key,
                    struct json_view *value);

struct json_wanted {
    const char *key;
    struct json_view *value;
};

/* Finds the members of an object, the last of a name; those that are missing become none. False, and all none, when the text
 * is not one whole object. */
bool json_peek_members(struct json_view object, const struct json_wanted *wanted, size_t count);
/* The values within nested objects ("message", "usage"); none when one is missing. NULL ends the names. */
struct json_view json_peek_path(struct json_view object, const char *const *names);

bool json_peek_is(struct json_view view, const char *string);
bool json_peek_true(struct json_view view);
/* A count from 0 to JSON_PEEK_MAX; anything else is -1. */
#define JSON_PEEK_MAX INT64_C(1000000000000)
int64_t json_peek_count(struct json_view view);
/* A number, or `fallback`. */
double json_peek_number(struct json_view view, double fallback);
/* A string's bytes between its quotes, as they are written, cut at size - 1 bytes, NUL-terminated. Returns `out`, or NULL when
 * it is no string or an empty one. */
char *json_peek_text(struct json_view view, char *out, size_t size);
/* RFC 3339, or a number of milliseconds or seconds since 1970; 0 when it is neither. */
int64_t json_peek_time(struct json_view view);

#endif
