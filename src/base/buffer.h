/*
 * A growing run of bytes, also used as a string builder. `bytes` is always
 * followed by a NUL that `length` does not count, once anything was appended.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>

struct buffer {
    char *bytes;
    size_t length;
    size_t capacity;
};

void buffer_init(struct buffer *buffer);
void buffer_finish(struct buffer *buffer);
/* Empties it and keeps the memory. */
void buffer_clear(struct buffer *buffer);
/* Makes room for `more` further bytes and returns where they go; the caller adds to `length`. */
char *buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_string(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char byte);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first `length` bytes. */
void buffer_consume(struct buffer *buffer, size_t length);
/* Appends an unsigned decimal number; much faster than buffer_printf. */
void buffer_append_number(struct buffer *buffer, unsigned long long number);
/* Gives the bytes to the caller, who frees them, and leaves the buffer empty. */
char *buffer_steal(struct buffer *buffer);

#endif
