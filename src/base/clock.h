/*
 * Time. Wall-clock times are milliseconds since 1970-01-01 UTC; deadlines and
 * durations use the monotonic clock, in nanoseconds.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_realtime_ms(void);
int64_t clock_monotonic_ns(void);

/* Replaces both clocks, for tests; NULL restores the real one. */
void clock_inject(int64_t (*realtime_ms)(void), int64_t (*monotonic_ns)(void));

/* RFC 3339 in UTC with milliseconds, "2026-11-21T03:58:11.042Z", is 24 bytes and a NUL. */
#define CLOCK_RFC3339_SIZE 25
void clock_format_rfc3339(int64_t realtime_ms, char out[CLOCK_RFC3339_SIZE]);
/* Parses the same form (fraction optional). Returns 0, or -1 when the text is something else. */
int clock_parse_rfc3339(const char *text, int64_t *realtime_ms);

/* "42s", "3m05s", "2h07m": at most 7 columns, for people. */
void clock_format_duration(int64_t seconds, char *out, size_t size);
/* The same of milliseconds; below a second with tenths: "0.9s", "<0.1s". */
void clock_format_duration_ms(int64_t ms, char *out, size_t size);

#endif
