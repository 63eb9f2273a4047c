#include "host/secrets.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/host.h"

#define VALUE_MAX (64 * 1024)
#define ENVIRON_MAX (4 * 1024 * 1024)

extern char **environ;

/* ---- which ---- */

static bool is_key_of_agent(const char *name)
{
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        const char *const *scrubbed = entries[i].scrubbed;
        for (; scrubbed != NULL && *scrubbed != NULL; scrubbed++) {
            if (strcmp(*scrubbed, name) == 0)
                return config_looks_secret(name);
        }
    }
    return false;
}

static bool is_from_elsewhere(const json_t *entry, const char *name)
{
    return json_is_object(json_object_get(json_object_get(entry, "env"), name));
}

/* Whether the configuration sets the variable, for the agent or one of its accounts, from a file or a command. */
static bool is_configured(const struct host *host, const char *name)
{
    const char *account;
    json_t *entry;

    if (is_from_elsewhere(config_agent(host->config, host->driver->name), name))
        return true;
    json_object_foreach((json_t *)(uintptr_t)config_accounts(host->config), account, entry)
    {
        if (strcmp(json_member_string(entry, "agent", ""), host->driver->name) == 0 &&
            is_from_elsewhere(entry, name))
            return true;
    }
    return false;
}

static bool is_file(const char *value)
{
    return value[0] == '/' && access(value, F_OK) == 0;
}

/* Returns whether it was not known. */
static bool add(struct host *host, const char *value)
{
    if (strlen(value) < MASK_SHORTEST || is_file(value))
        return false;
    if (host->mask == NULL)
        host->mask = mask_create();
    return mask_add(host->mask, value, strlen(value));
}

static void publish(struct host *host, bool changed)
{
    if (!changed)
        return;
    recorder_mask(host->recorder, mask_copy(host->mask));
    log_mask(host->mask);
}

/* ---- from where ---- */

static bool add_variable(struct host *host, const char *variable, bool inherited)
{
    size_t length = strcspn(variable, "=");
    char *name;
    bool wanted;

    if (variable[length] == '\0')
        return false;
    name = xstrndup(variable, length);
    wanted = is_key_of_agent(name) || is_configured(host, name) || (!inherited && config_looks_secret(name));
    free(name);
    return wanted && add(host, variable + length + 1);
}

static bool add_file(struct host *host, const char *path)
{
    size_t length;
    bool changed;
    char *text;

    if (path_read_file(path, VALUE_MAX, &text, &length, NULL) < 0)
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    changed = add(host, text);
    explicit_bzero(text, length);
    free(text);
    return changed;
}

/* What the configuration says as text or keeps in a file. */
static bool add_configured(struct host *host, const json_t *entry)
{
    const char *name, *file;
    bool changed = false;
    json_t *value;

    json_object_foreach(json_object_get(entry, "env"), name, value)
    {
        file = json_member_string(value, "file", NULL);
        if (json_is_string(value) && config_looks_secret(name))
            changed = add(host, json_string_value(value)) || changed;
        else if (file != NULL)
            changed = add_file(host, file) || changed;
    }
    return changed;
}

void secrets_init(struct host *host)
{
    bool changed = add_configured(host, config_agent(host->config, host->driver->name));
    const char *name;
    json_t *account;

    json_object_foreach((json_t *)(uintptr_t)config_accounts(host->config), name, account)
    {
        if (strcmp(json_member_string(account, "agent", ""), host->driver->name) == 0)
            changed = add_configured(host, account) || changed;
    }
    for (char **variable = environ; *variable != NULL; variable++)
        changed = add_variable(host, *variable, true) || changed;
    publish(host, changed);
}

void secrets_finish(struct host *host)
{
    log_mask(NULL);
    mask_destroy(host->mask);
    host->mask = NULL;
}

void secrets_learn(struct host *host, char *const *variables, size_t count)
{
    bool changed = false;

    for (size_t i = 0; i < count; i++)
        changed = add_variable(host, variables[i], false) || changed;
    publish(host, changed);
}

void secrets_recover(struct host *host, pid_t agent)
{
    bool changed = false;
    char path[64], *text;
    size_t length;

    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)agent);
    if (path_read_file(path, ENVIRON_MAX, &text, &length, NULL) < 0)
        return;
    for (size_t at = 0; at < length; at += strlen(text + at) + 1)
        changed = add_variable(host, text + at, true) || changed;
    publish(host, changed);
    explicit_bzero(text, length);
    free(text);
}
