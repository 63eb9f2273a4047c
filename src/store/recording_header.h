/*
 * The header of an asciicast: the first line of version 2 and 3, the object around the events of version 1. Read leniently:
 * members of other types are as if they were missing, text may be invalid UTF-8.
 */
#ifndef STORE_RECORDING_HEADER_H
#define STORE_RECORDING_HEADER_H

#include <stdbool.h>
#include <stdint.h>

struct recording_header {
    int version;     /* 0: none is said */
    int cols, rows;  /* 1 to 1000 */
    char *title;     /* allocated, or NULL; likewise: */
    char *term;      /* TERM */
    int64_t started; /* Unix time, 0 when it is not said */
    /* Of a further part of an attempt. */
    bool is_part;
    unsigned part;
    uint64_t offset;
    double start_s;
    bool screen;
    /* Version 1: in the scanned text, the value of "stdout"; else NULL. */
    char *events;
};

#define RECORDING_SECONDS_MAX 1e9 /* a time beyond that is none */

void recording_header_init(struct recording_header *header);
void recording_header_finish(struct recording_header *header);
/* Scans the NUL-terminated text, which is changed in place. Returns whether it is a JSON object. */
bool recording_header_scan(struct recording_header *header, char *text);

#endif
