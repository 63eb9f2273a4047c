#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static int descriptor = STDERR_FILENO;

void log_open(int file)
{
    descriptor = file;
}

void log_message(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "note", "debug"};
    char line[1024], time[CLOCK_RFC3339_SIZE];
    int used;
    size_t length;
    va_list args;

    clock_format_rfc3339(clock_realtime_ms(), time);
    used = snprintf(line, sizeof line, "%s %s: ", time, names[level]);
    length = used < 0 ? 0 : (size_t)used;
    va_start(args, format);
    used = vsnprintf(line + length, sizeof line - length - 1, format, args);
    va_end(args);
    if (used > 0)
        length += (size_t)used < sizeof line - length - 1 ? (size_t)used : sizeof line - length - 2;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    }
    line[length++] = '\n';
    /* A log that cannot be written (full disk) must not stop anything. */
    if (write(descriptor, line, length) < 0)
        return;
}
