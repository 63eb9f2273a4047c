/*
 * The configuration, $XDG_CONFIG_HOME/ganger/config.json: strictly checked. An unknown key, a wrong type or a value out of
 * range is refused with file, line, key and what was expected. A missing file is an empty one.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct config;

/* Reads the file (NULL: the usual place). NULL with an error such as
 * "config.json:12: accounts.work.agent: expected a string". */
struct config *config_load(const char *path, struct error *error);
void config_destroy(struct config *config);
/* The path that config_load reads by default, allocated. */
char *config_path(struct error *error);
/* The JSON Schema that the checks and `ganger config schema` share. Owned by the module. */
const char *config_schema(void);
/* Every value in force, defaults included; owned by the config. */
const json_t *config_show(const struct config *config);

/* agents.NAME: NULL when the file says nothing about that agent. */
const json_t *config_agent(const struct config *config, const char *name);
/* agents.NAME.command as argv, else NULL. */
const json_t *config_accounts(const struct config *config);
const json_t *config_account(const struct config *config, const char *name);

/* A value by dotted path with its default from the schema: timeouts.cancel_grace_s, limits.scrollback_lines,
 * limits.recording_bytes, limits.clipboard, theme, layout, keys.prefix, …. */
double config_number(const struct config *config, const char *path);
const char *config_string(const struct config *config, const char *path);
bool config_bool(const struct config *config, const char *path);
/* keys: an object action -> key name or list of them; may be empty. */
const json_t *config_keys(const struct config *config);

#endif
