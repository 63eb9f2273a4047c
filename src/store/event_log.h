/*
 * events.jsonl: one event a line, `seq` rising by one. Appending happens in the writer thread; reading anywhere.
 */
#ifndef STORE_EVENT_LOG_H
#define STORE_EVENT_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct event_log_end {
    uint64_t seq;    /* of the last whole line; 0 when there is none */
    uint64_t offset; /* "off" of that line: the last stream byte that caused it, 0 when it has none */
    uint32_t attempt;
};

/* Opens DIR/events.jsonl for appending, cut after the last whole line, and tells where it ends. */
int event_log_open(int session_dir, struct event_log_end *end, struct error *error);

/* Calls `line` for each stored event with seq > since, in order, until it returns nonzero. Returns 0 or -1. Seeks by
 * bisection, so that asking for the last few of many costs little. */
int event_log_read(int session_dir, uint64_t since,
                   int (*line)(void *argument, uint64_t seq, const char *text, size_t length), void *argument,
                   struct error *error);

#endif
