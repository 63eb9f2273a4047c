/*
 * SHA-256 (FIPS 180-4), for short texts.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>

#define SHA256_HEX_SIZE 65

/* The digest in lower-case hexadecimal digits, NUL-terminated. */
void sha256_hex(const void *bytes, size_t length, char hex[SHA256_HEX_SIZE]);

#endif
