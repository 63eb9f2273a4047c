/*
 * A process's log file (host.log): one line per message, with the time. Control characters become spaces; what does not
 * fit in 1 KiB is cut. Before log_open messages go to stderr.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/mask.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTE, LOG_LEVEL_DEBUG };

/* Takes the descriptor, opened O_APPEND. */
void log_open(int descriptor);
/* What must not stand in the log; takes a copy. */
void log_mask(const struct mask *mask);
void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_note(...) log_message(LOG_LEVEL_NOTE, __VA_ARGS__)

#endif
