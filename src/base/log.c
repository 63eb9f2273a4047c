#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static int descriptor = STDERR_FILENO;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static struct mask *masked;

void log_open(int file)
{
    descriptor = file;
}

void log_mask(const struct mask *mask)
{
    struct mask *copy = mask_copy(mask), *before;

    pthread_mutex_lock(&mutex);
    before = masked;
    masked = copy;
    pthread_mutex_unlock(&mutex);
    mask_destroy(before);
}

/* The line may have been cut within a secret. */
static void hide_secrets(char *line, size_t length, bool cut)
{
    size_t rest;

    pthread_mutex_lock(&mutex);
    rest = cut ? mask_pending(masked, line, length) : 0;
    (void)mask_text(masked, line, length);
    pthread_mutex_unlock(&mutex);
    memset(line + length - rest, '*', rest);
}

void log_message(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "note", "debug"};
    char line[1024], time[CLOCK_RFC3339_SIZE];
    int used;
    size_t length;
    bool cut;
    va_list args;

    clock_format_rfc3339(clock_realtime_ms(), time);
    used = snprintf(line, sizeof line, "%s %s: ", time, names[level]);
    length = used < 0 ? 0 : (size_t)used;
    va_start(args, format);
    used = vsnprintf(line + length, sizeof line - length - 1, format, args);
    va_end(args);
    if (used > 0)
        length += (size_t)used < sizeof line - length - 1 ? (size_t)used : sizeof line - length - 2;
    cut = length == sizeof line - 2;
    hide_secrets(line, length, cut);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    }
    line[length++] = '\n';
    /* A log that cannot be written (full disk) must not stop anything. */
    if (write(descriptor, line, length) < 0)
        return;
}
