/*
 * What a terminal showed as text, in pieces: transcript.log, and recordings as text. Lines that left the screen are written,
 * and come back when the screen becomes wider or higher; the program may then draw others in their place. The newest lines
 * that were written are therefore remembered by a hash: one that leaves again as it was is not written again, another is,
 * with all that follow.
 */
#ifndef TERM_TRANSCRIPT_LINES_H
#define TERM_TRANSCRIPT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "term/terminal.h"

#define TRANSCRIPT_HASHES 512 /* more than a screen has rows */

/* All zero at a terminal's beginning. */
struct transcript_lines {
    uint64_t next;  /* scrollback line that is written next */
    uint64_t again; /* the lines from here to `next` are on the screen again; `next`: none are */
    uint64_t hashes[TRANSCRIPT_HASHES];
};

/* Notes that the line was written, with this text without a line feed. */
void transcript_lines_note(struct transcript_lines *lines, uint64_t number, const char *text, size_t length);
/* The terminal's size has changed. */
void transcript_lines_resized(struct transcript_lines *lines, const struct terminal *terminal);
/* How many whole lines wait to be written. The newest stays: it may go on. */
uint64_t transcript_lines_waiting(const struct transcript_lines *lines, const struct terminal *terminal);
/* Appends the lines that wait to `out`. With `last` also the rest and the screen. */
void transcript_lines_take(struct transcript_lines *lines, const struct terminal *terminal, bool last,
                           struct buffer *out);
/* The screen as text, lines whole, without those before line `next` that were written. */
void transcript_lines_screen(const struct transcript_lines *lines, const struct terminal *terminal,
                             uint64_t next, struct buffer *out);

#endif
