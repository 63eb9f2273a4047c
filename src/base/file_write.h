/*
 * Writing all of some bytes, whatever signals and short writes come between. Returns 0, or -1 with errno when a part of them could
 * not be written; what was written before stays.
 */
#ifndef BASE_FILE_WRITE_H
#define BASE_FILE_WRITE_H

#include <stddef.h>
#include <sys/types.h>

int file_write(int file, const void *bytes, size_t length);
int file_write_at(int file, const void *bytes, size_t length, off_t offset);

#endif
