/*
 * The file that an export writes: there whole or not at all. It is written beside its place as NAME.tmp-PID and renamed at the
 * end; a signal that ends the program removes it. Devices, pipes and standard output are written as they are.
 */
#ifndef REPLAY_EXPORT_FILE_H
#define REPLAY_EXPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct export_file;

/* "-" is standard output. A file that exists is refused unless `force`. NULL and the error. At most one at a time. */
struct export_file *export_file_create(const char *path, bool force, struct error *error);
/* Returns 0, or -1 with the error; what follows after an error is ignored, and finishing fails. */
int export_file_write(struct export_file *file, const void *bytes, size_t length, struct error *error);
/* Puts the file in its place and frees. Returns 0, or -1 and nothing is left. */
int export_file_finish(struct export_file *file, struct error *error);
/* Leaves nothing, and frees. NULL is fine. */
void export_file_discard(struct export_file *file);

#endif
