/*
 * What a JSON Schema cannot say about a configuration: variables, and accounts (config/accounts.h).
 */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include <jansson.h>

#include "base/buffer.h"
#include "config/key_path.h"

/* For a configuration that keeps to the schema. Returns 0 or -1, with path and problem as schema_check fills them. */
int rules_check(const json_t *root, struct key_path *path, struct buffer *problem);

#endif
