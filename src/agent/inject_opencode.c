/*
 * opencode loads plugins from the list "plugin" of its configuration, which OPENCODE_CONFIG_CONTENT adds to: files of the
 * person stay as they are, and lists of all sources are joined.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/driver.h"
#include "base/buffer.h"
#include "base/embed.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"

EMBED(opencode_plugin, "src/agent/opencode_plugin.js");

#define VARIABLE "OPENCODE_CONFIG_CONTENT"
#define PLUGIN "ganger-opencode.js"

static bool write_plugin(const char *folder)
{
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct error error;
    int result;

    if (directory < 0)
        return false;
    result = path_write_atomic(directory, PLUGIN, opencode_plugin, strlen(opencode_plugin), &error);
    if (result < 0)
        log_warning("opencode will not report: %s", error.text);
    close(directory);
    return result == 0;
}

/* "file:///folder/ganger-opencode.js", allocated. */
static char *plugin_url(const char *folder)
{
    struct buffer url;

    buffer_init(&url);
    buffer_append_string(&url, "file://");
    for (const char *at = folder; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at) || strchr("/-._~", *at) != NULL)
            buffer_append_char(&url, *at);
        else
            buffer_printf(&url, "%%%02X", (unsigned)(unsigned char)*at);
    }
    buffer_append_string(&url, "/" PLUGIN);
    return buffer_steal(&url);
}

/* What the variable says already with one plugin more; NULL when it is nothing that can be added to. */
static json_t *add_plugin(const char *content, const char *url)
{
    json_t *config = content == NULL || *content == '\0' ? json_object() : json_loads(content, 0, NULL);
    json_t *plugins = json_object_get(config, "plugin");

    if (!json_is_object(config) || (plugins != NULL && !json_is_array(plugins))) {
        json_decref(config);
        return NULL;
    }
    if (plugins == NULL) {
        plugins = json_array();
        json_object_set_new(config, "plugin", plugins);
    }
    json_array_append_new(plugins, json_string(url));
    return config;
}

void opencode_inject(const struct agent_side *side)
{
    char *url = plugin_url(side->folder), *text, *entry;
    json_t *config = add_plugin(side->variable(side->argument, VARIABLE), url);

    free(url);
    if (config == NULL)
        log_warning(VARIABLE " is no JSON object: opencode will not report");
    if (config == NULL || !write_plugin(side->folder)) {
        json_decref(config);
        return;
    }
    text = json_dumps(config, JSON_COMPACT);
    entry = xasprintf("%s=%s", VARIABLE, text);
    arguments_add(side->set, entry);
    free(entry);
    free(text);
    json_decref(config);
}
