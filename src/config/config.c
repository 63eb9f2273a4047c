#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/json_file.h"
#include "config/rules.h"
#include "config/schema.h"

EMBED(schema_text, "src/config/schema.json");

struct config {
    json_t *values; /* with the defaults */
    json_t *shown;
};

const char *config_schema(void)
{
    return schema_text;
}

char *config_path(struct error *error)
{
    char *folder = path_config_dir(error), *path;

    if (folder == NULL)
        return NULL;
    path = path_join(folder, "config.json");
    free(folder);
    return path;
}

/* ---- showing ---- */

bool config_looks_secret(const char *name)
{
    static const char *const parts[] = {"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "AUTH"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcasestr(name, parts[i]) != NULL)
            return true;
    }
    return false;
}

static void hide_secrets(json_t *entries)
{
    const char *name, *variable;
    json_t *entry, *value;

    json_object_foreach(entries, name, entry)
    {
        json_t *env = json_object_get(entry, "env");
        json_object_foreach(env, variable, value)
        {
            if (json_is_string(value) && config_looks_secret(variable))
                json_object_set_new(env, variable, json_string("(hidden)"));
        }
    }
}

/* ---- the interface ---- */

struct config *config_load(const char *path, struct error *error)
{
    json_t *schema = json_loads(schema_text, 0, NULL), *values = NULL;
    char *file = path != NULL ? xstrdup(path) : config_path(error);
    struct config *config = NULL;

    if (schema == NULL)
        abort();
    if (file != NULL)
        values = json_file_read(file, path == NULL, schema, rules_check, error);
    if (values != NULL) {
        config = xcalloc(1, sizeof *config);
        config->values = schema_complete(schema, values);
        config->shown = json_deep_copy(config->values);
        hide_secrets(json_object_get(config->shown, "agents"));
        hide_secrets(json_object_get(config->shown, "accounts"));
    }
    json_decref(values);
    json_decref(schema);
    free(file);
    return config;
}

void config_destroy(struct config *config)
{
    if (config == NULL)
        return;
    json_decref(config->values);
    json_decref(config->shown);
    free(config);
}

const json_t *config_show(const struct config *config)
{
    return config->shown;
}

const json_t *config_agent(const struct config *config, const char *name)
{
    return json_object_get(json_object_get(config->values, "agents"), name);
}

const json_t *config_accounts(const struct config *config)
{
    return json_object_get(config->values, "accounts");
}

const json_t *config_account(const struct config *config, const char *name)
{
    return json_object_get(config_accounts(config), name);
}

const json_t *config_value(const struct config *config, const char *path)
{
    const json_t *value = config->values;
    char key[64];

    while (value != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        value = json_object_get(value, key);
        path += length + (path[length] == '.');
    }
    return value;
}

static const json_t *needed(const struct config *config, const char *path, bool right)
{
    if (!right) {
        (void)fprintf(stderr, "ganger: the configuration has no such value: %s\n", path);
        abort();
    }
    return config_value(config, path);
}

double config_number(const struct config *config, const char *path)
{
    return json_number_value(needed(config, path, json_is_number(config_value(config, path))));
}

const char *config_string(const struct config *config, const char *path)
{
    return json_string_value(needed(config, path, json_is_string(config_value(config, path))));
}

bool config_bool(const struct config *config, const char *path)
{
    return json_is_true(needed(config, path, json_is_boolean(config_value(config, path))));
}

const json_t *config_keys(const struct config *config)
{
    return json_object_get(config->values, "keys");
}
