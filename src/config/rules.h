/*
 * What a JSON Schema cannot say about a configuration: names, variables, and that no two accounts share a login.
 */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include <jansson.h>

#include "base/buffer.h"
#include "config/key_path.h"

/* For a configuration that keeps to the schema. Returns 0 or -1, with path and problem as schema_check fills them. */
int rules_check(const json_t *root, struct key_path *path, struct buffer *problem);

/* The variable that names the folder in which an agent keeps its login, or NULL. */
const char *rules_login_variable(const char *agent);

#endif
