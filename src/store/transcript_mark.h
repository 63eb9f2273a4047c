/*
 * DIR/.transcript: how far transcript.log is valid, and which line of the attempt's scrollback comes next. Written by the
 * host after each addition, so that a restarted host goes on exactly there and a reader knows what is not in the file
 * yet.
 */
#ifndef STORE_TRANSCRIPT_MARK_H
#define STORE_TRANSCRIPT_MARK_H

#include <stdbool.h>
#include <stdint.h>

struct transcript_mark {
    uint32_t attempt;
    uint64_t next_line; /* of the attempt's scrollback */
    uint64_t length;    /* bytes of transcript.log */
};

/* False when there is none, or a damaged one. */
bool transcript_mark_read(int session_dir, struct transcript_mark *mark);
/* Returns 0, or -1 with errno. */
int transcript_mark_write(int session_dir, const struct transcript_mark *mark);
/* The file, to make it durable. A descriptor or -1. */
int transcript_mark_open(int session_dir);

#endif
