#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_finish(struct buffer *buffer)
{
    free(buffer->bytes);
    buffer_init(buffer);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    if (buffer->bytes != NULL)
        buffer->bytes[0] = '\0';
}

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t needed = buffer->length + more + 1;

    if (needed > buffer->capacity) {
        if (needed > SIZE_MAX / 4)
            abort();
        size_t capacity = buffer->capacity == 0 ? 64 : buffer->capacity;
        while (capacity < needed)
            capacity *= 2;
        buffer->bytes = xreallocarray(buffer->bytes, capacity, 1);
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    char *end = buffer_reserve(buffer, length);

    if (length > 0)
        memcpy(end, bytes, length);
    end[length] = '\0';
    buffer->length += length;
}

void buffer_append_string(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char byte)
{
    char *end = buffer_reserve(buffer, 1);

    end[0] = byte;
    end[1] = '\0';
    buffer->length++;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    char *end = buffer_reserve(buffer, 128);
    size_t room = buffer->capacity - buffer->length;
    int length;

    va_start(args, format);
    length = vsnprintf(end, room, format, args);
    va_end(args);
    if (length < 0)
        abort();
    if ((size_t)length >= room) {
        end = buffer_reserve(buffer, (size_t)length);
        va_start(args, format);
        (void)vsnprintf(end, (size_t)length + 1, format, args);
        va_end(args);
    }
    buffer->length += (size_t)length;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    buffer->length -= length;
    if (length > 0)
        memmove(buffer->bytes, buffer->bytes + length, buffer->length + 1);
}

void buffer_append_number(struct buffer *buffer, unsigned long long number)
{
    char digits[24];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_append(buffer, digits + at, sizeof digits - at);
}

char *buffer_steal(struct buffer *buffer)
{
    char *bytes = buffer->bytes == NULL ? xstrdup("") : buffer->bytes;

    buffer_init(buffer);
    return bytes;
}
