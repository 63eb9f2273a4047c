/*
 * UTF-8 as Unicode defines it (RFC 3629): no overlong forms, no surrogates,
 * nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFDu

/*
 * Decodes the code point at the start of `bytes` (length > 0). Returns the
 * number of bytes it takes (1 to 4) and sets *code; 0 when the bytes are a
 * valid beginning that needs more; or the negative length of the maximal
 * invalid part (Unicode chapter 3, best practice), to be shown as one U+FFFD.
 */
int utf8_decode(const char *bytes, size_t length, uint32_t *code);

/* Writes 1 to 4 bytes and returns how many. `code` must be a scalar value. */
int utf8_encode(uint32_t code, char out[4]);

/* Marks that turn the direction of writing: with them a line can read otherwise than the bytes it stands for. */
static inline bool utf8_reorders(uint32_t code)
{
    return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

bool utf8_valid(const char *bytes, size_t length);

/* How many bytes at the end of `bytes` are an unfinished but so far valid sequence (0 to 3). */
size_t utf8_incomplete_tail(const char *bytes, size_t length);

#endif
