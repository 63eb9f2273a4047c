/*
 * Checks of the accounts of a configuration: their names, and that no two of one agent share a directory, which would make
 * them log each other out. Directories are the same when they are written differently, or lead to one place by symbolic links.
 */
#ifndef CONFIG_ACCOUNTS_H
#define CONFIG_ACCOUNTS_H

#include <jansson.h>

#include "base/buffer.h"
#include "config/key_path.h"

/* For a configuration that keeps to the schema. Returns 0 or -1, with path and problem as schema_check fills them. */
int accounts_check(const json_t *root, struct key_path *path, struct buffer *problem);

#endif
