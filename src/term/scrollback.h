/*
 * Lines that left the top of the screen, packed (linepack.h) into chunks of 64 KiB. Lines are logical: the last one
 * is open while its rest is still on the screen. Old lines go when there are more than the limit, or more bytes than
 * 1 KiB a line of the limit on average.
 */
#ifndef TERM_SCROLLBACK_H
#define TERM_SCROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mask.h"
#include "term/linepack.h"

struct scrollback;

struct scrollback *scrollback_create(size_t limit);
void scrollback_destroy(struct scrollback *scrollback);

uint64_t scrollback_first(const struct scrollback *scrollback);
/* Counts the open line. */
uint64_t scrollback_end(const struct scrollback *scrollback);
bool scrollback_is_open(const struct scrollback *scrollback);

/* A row leaves the screen: its first `count` cells; `wrapped` leaves the line open. */
void scrollback_push(struct scrollback *scrollback, const struct cell *cells, int count, bool wrapped,
                     const struct intern *intern);
/* The last line goes back to the screen: appends its cells and forgets it. False when there is none. */
bool scrollback_pop(struct scrollback *scrollback, struct intern *intern, struct cells *out);
/* The line's bytes, valid until the next call of any function here. */
bool scrollback_line(const struct scrollback *scrollback, uint64_t number, struct packed_line *line);
/* Line numbers go on rising. */
void scrollback_clear(struct scrollback *scrollback);
/* Compresses all full chunks; a later line read decompresses into one buffer for all terminals. */
void scrollback_compact(struct scrollback *scrollback);
size_t scrollback_memory(const struct scrollback *scrollback);

/* With the mask's secrets masked, or NULL. */
void scrollback_save(const struct scrollback *scrollback, const struct mask *mask, struct buffer *out);
/* Reads what was saved, from *at on. NULL when it is damaged. */
struct scrollback *scrollback_load(size_t limit, const char **at, const char *end);

#endif
