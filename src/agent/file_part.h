/*
 * A part of a file that others may be writing or shortening.
 */
#ifndef AGENT_FILE_PART_H
#define AGENT_FILE_PART_H

#include <stddef.h>
#include <stdint.h>

/* At most `most` bytes from `offset` on, fewer at the end; allocated, NUL-terminated, with their number in `length`. NULL when
 * the file cannot be read. */
char *file_part_read(const char *path, int64_t offset, size_t most, size_t *length);

#endif
