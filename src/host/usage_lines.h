/*
 * Lines out of a file that may be growing, or be shortened, meanwhile: read in large pieces, each line handed on once it is
 * whole. A file that ends in ".zst" is decompressed.
 */
#ifndef HOST_USAGE_LINES_H
#define HOST_USAGE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USAGE_LINE_MAX ((size_t)256 * 1024 * 1024) /* longer ones are passed over */

/* A line without its \n. False: enough. */
typedef bool usage_line_taker(void *argument, const char *line, size_t length);

/* Reads from `offset` to the end. Returns where the last whole line ended (of a compressed file: its size), -1 when it cannot
 * be read. */
int64_t usage_lines_read(int file, bool compressed, int64_t offset, usage_line_taker *take, void *argument);

#endif
