/*
 * transcript.log: the lines that left the top of an attempt's screen, as plain text, and at its end the last
 * screen. The file .transcript beside it says how far it is valid, so that a restarted host goes on exactly
 * there.
 */
#ifndef HOST_TRANSCRIPT_H
#define HOST_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "term/transcript_lines.h"

/* The scrollback line of the attempt with which the transcript goes on; 0 for another attempt. */
uint64_t transcript_position(int session_dir, uint32_t attempt);

/* Goes on behind the file's last line, which are lines before `next`; the newest are read back. */
void transcript_resume(struct transcript_lines *lines, int session_dir, uint64_t next,
                       const struct terminal *terminal);

/* The file, for the writer thread. */
struct transcript_file {
    int session_dir;
    int text;        /* descriptor, or -1 */
    uint64_t length; /* bytes that are valid */
};

/* Returns 0, or -1 with errno. */
int transcript_open(struct transcript_file *file, int session_dir);
void transcript_close(struct transcript_file *file);
/* Appends at the valid end and notes the next line. Returns 0, or -1 with errno. */
int transcript_append(struct transcript_file *file, const char *text, size_t length, uint32_t attempt,
                      uint64_t next_line);

#endif
