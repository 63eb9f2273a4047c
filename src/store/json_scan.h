/*
 * The few pieces of JSON that recordings and event logs are made of, read by hand: fast, in place, and independent of
 * the locale. Each function moves *at past what it read and returns false when something else is there.
 */
#ifndef STORE_JSON_SCAN_H
#define STORE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* White space, if any, then this character. */
bool json_scan_char(char **at, char expected);
/* A number; NaN never comes out, what is too large for a double becomes the largest. */
bool json_scan_number(char **at, double *number);
/*
 * A string, decoded in place: *text has *length bytes. Escapes are resolved, a lone surrogate becomes U+FFFD; other bytes
 * stay as they are. The text must be NUL-terminated; a NUL inside the string ends the reading in failure.
 */
bool json_scan_string(char **at, char **text, size_t *length);

#endif
