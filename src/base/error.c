#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, const char *format, ...)
{
    va_list args;

    if (error == NULL)
        return -1;
    error->code = 0;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return -1;
}

int error_errno(struct error *error, const char *format, ...)
{
    int code = errno;
    va_list args;
    size_t length;

    if (error == NULL)
        return -1;
    error->code = code;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    length = strlen(error->text);
    (void)snprintf(error->text + length, sizeof error->text - length, ": %s", strerror(code));
    return -1;
}
