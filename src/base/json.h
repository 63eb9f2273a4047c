/*
 * Small additions to jansson, and a hand-written string escaper for the hot paths.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends a quoted JSON string. Invalid UTF-8 becomes U+FFFD; control characters are escaped. */
void json_append_quoted(struct buffer *out, const char *bytes, size_t length);
/* Appends the value on one line (no newline at the end). */
void json_append_value(struct buffer *out, const json_t *value);

/* Members of an object, with a value for when they are missing or of another type. The string belongs to the
 * object. */
const char *json_member_string(const json_t *object, const char *key, const char *fallback);
int64_t json_member_integer(const json_t *object, const char *key, int64_t fallback);
double json_member_number(const json_t *object, const char *key, double fallback);
int json_member_bool(const json_t *object, const char *key, int fallback);

/* A string, or JSON null when `text` is NULL; invalid UTF-8 is replaced. */
json_t *json_string_or_null(const char *text);
/* RFC 3339 text, or null when the time is 0. */
json_t *json_time_or_null(int64_t realtime_ms);

/* Base64 (RFC 4648, with padding). Decoding returns the length or -1. `out` of decode needs length / 4 * 3
 * bytes. */
void base64_append(struct buffer *out, const void *bytes, size_t length);
long base64_decode(const char *text, size_t length, char *out);

#endif
