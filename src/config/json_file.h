/*
 * JSON files that people write, strictly checked: the configuration and crew files.
 */
#ifndef CONFIG_JSON_FILE_H
#define CONFIG_JSON_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "config/key_path.h"

#define JSON_FILE_MAX (1024 * 1024) /* bytes */

/* What a schema cannot say. Gets values that keep to it; returns 0 or -1, with path and problem as schema_check fills them. */
typedef int json_file_rules(const json_t *values, struct key_path *path, struct buffer *problem);

/*
 * The values of the file, without defaults; the caller owns them. A file of white space alone is an empty object, and so is one
 * that is missing when it is optional. NULL with an error such as "/home/me/ganger.json:12: sessions.api.agent: expected a string,
 * not 3"; its code is ENOENT and so on when the file cannot be read, else 0.
 */
json_t *json_file_read(const char *file, bool optional, const json_t *schema, json_file_rules *rules,
                       struct error *error);

#endif
