/*
 * The configuration, $XDG_CONFIG_HOME/ganger/config.json: strictly checked against src/config/schema.json. An unknown key,
 * a wrong type or a value out of range is refused with file, line, key and what was expected; who had loaded it before
 * keeps what is in force. The keys and their defaults are described in ganger-config(5).
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct config;

/* Reads the file. NULL: the one of config_path, which is empty when missing; any other must be there. Returns NULL with an
 * error such as "/home/me/.config/ganger/config.json:12: accounts.work.agent: expected a string, not 3". */
struct config *config_load(const char *path, struct error *error);
void config_destroy(struct config *config);
/* The path that config_load reads by default, allocated. */
char *config_path(struct error *error);
/* The JSON Schema that the checks and `ganger config schema` share. Owned by the module. */
const char *config_schema(void);
/* Every value in force, defaults included, for people to read: environment values that look like secrets are shown as
 * "(hidden)". Owned by the config. */
const json_t *config_show(const struct config *config);
/* Whether the values of an environment variable are likely to be secret, by its name. */
bool config_looks_secret(const char *name);

/* agents.NAME with its defaults; NULL when the file says nothing about that agent. */
const json_t *config_agent(const struct config *config, const char *name);
/* accounts: an object by name, maybe empty. */
const json_t *config_accounts(const struct config *config);
/* accounts.NAME, or NULL. */
const json_t *config_account(const struct config *config, const char *name);

/* The value at a dotted path, its default included: "retry.rate_limit.delays_s"; NULL when there is neither. */
const json_t *config_value(const struct config *config, const char *path);
/* The same for one type; a path that has no value of that type is a mistake of the caller's and aborts:
 * timeouts.cancel_grace_s, limits.scrollback_lines, limits.recording_bytes, limits.clipboard, theme, layout, keys.prefix… */
double config_number(const struct config *config, const char *path);
const char *config_string(const struct config *config, const char *path);
bool config_bool(const struct config *config, const char *path);
/* keys: an object action -> key name or list of them; has at least "prefix". */
const json_t *config_keys(const struct config *config);

#endif
