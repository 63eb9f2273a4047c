/*
 * The hits of `ganger search` in one part of a recording. What an interface draws again and again is one hit.
 */
#ifndef CLI_SEARCH_SCAN_H
#define CLI_SEARCH_SCAN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/search_pattern.h"

struct search_hit {
    double seconds;  /* into the attempt, when the line was first there */
    int64_t time_ms; /* 0: the recording does not say */
    unsigned times;  /* so often */
    char *text;      /* NUL-terminated */
    size_t length;
};

struct search_scan {
    int session_dir;
    unsigned attempt, part;
    unsigned previous, next; /* the parts before and after it; 0: none */
    struct search_pattern *pattern;
    int64_t since_ms;        /* only hits from then on; 0: all */
    const atomic_bool *stop; /* looked at now and then */
    void (*hit)(void *argument, const struct search_hit *hit);
    /* Something of the recording is missing. */
    void (*gap)(void *argument, const char *text);
    void *argument;
};

/* Calls `hit` for each, in order. A line that goes on in the next part is a hit of this one. Returns 0 or -1. */
int search_scan_run(const struct search_scan *scan, struct error *error);

#endif
