/*
 * Allocation that cannot fail: each function aborts the process when memory is
 * exhausted. Sizes that come from outside are bounded by the caller first.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
/* Resizes to count * size bytes; aborts on overflow. */
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t max);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
