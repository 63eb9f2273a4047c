/*
 * Copying one file to another place for good: it appears there whole or not at all, mode 0600, with its times, and never in
 * the place of a longer one. Only regular files of this user are copied; no symbolic link below the folders is followed.
 */
#ifndef HOST_FILE_COPY_H
#define HOST_FILE_COPY_H

#include <stdint.h>

#include "base/error.h"

#define FILE_COPY_MAX (INT64_C(4) * 1024 * 1024 * 1024) /* bytes */

/* Copies FROM/name to TO/path; folders of `path` that are missing are made (0700). Returns the number of bytes, or -1 with
 * the error: EEXIST when the file there is longer, EFBIG, EPERM when it is no regular file of this user, or as the system
 * says. The same file in both places is left as it is. */
int64_t file_copy(int from, const char *name, int to, const char *path, struct error *error);
/* The folder of a path below `folder`, opened, its missing steps made (0700) when `make`; -1 with errno. */
int file_copy_parent(int folder, const char *path, int make);

#endif
