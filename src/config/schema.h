/*
 * The part of JSON Schema (2020-12) that src/config/schema.json uses, driven by the schema as data: $ref to "#/$defs/NAME",
 * type, enum, minimum, maximum, minLength, minItems, items, properties, additionalProperties, propertyNames (an enum),
 * required, minProperties with maxProperties (both 1: exactly one of the properties) and default.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <jansson.h>

#include "base/buffer.h"
#include "config/key_path.h"

/* Checks a value in its own order. Returns 0, or -1 at the first violation with `path` leading to it and `problem`, such
 * as `expected a string, not a number`, appended. The path keeps pointers into the value. */
int schema_check(const json_t *root, const json_t *value, struct key_path *path, struct buffer *problem);

/* A copy of the value (NULL: nothing) with the defaults of all properties that it leaves out. The caller owns it; NULL
 * when there is neither value nor default. */
json_t *schema_complete(const json_t *root, const json_t *value);

#endif
