/*
 * Gemini CLI reads settings of several scopes and joins their hooks. Ours stand in the lowest, the system's defaults: a
 * file of the session's folder that begins with what the defaults were. It takes them only from a path that nobody but root
 * can write (else it warns on its screen), so that hooks are for those who work as root, in a container, say. BeforeModel and AfterModel are left out, since
 * Gemini waits for a process of each at every piece of an answer, and PreCompress, which comes with every turn.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/driver.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"

#define VARIABLE "GEMINI_CLI_SYSTEM_DEFAULTS_PATH"
#define SYSTEM_VARIABLE "GEMINI_CLI_SYSTEM_SETTINGS_PATH"
#define SYSTEM_FOLDER "/etc/gemini-cli"
#define DEFAULTS "system-defaults.json"
#define FILE_NAME "gemini-defaults.json"
#define TIMEOUT_MS 5000
#define SIZE_LIMIT (1024 * 1024)

static const char *const events[] = {"SessionStart", "SessionEnd", "BeforeAgent", "AfterAgent",
                                     "BeforeTool",   "AfterTool",  "Notification"};

/* As Gemini sees it: the folder and all above it are root's alone. */
static bool is_secure(const char *folder)
{
    char path[PATH_MAX], *slash;
    struct stat status;

    if (geteuid() != 0 || strlen(folder) >= sizeof path)
        return false;
    (void)strlcpy(path, folder, sizeof path);
    for (;;) {
        if (lstat(path, &status) < 0 || !S_ISDIR(status.st_mode) || status.st_uid != 0 ||
            (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return false;
        if (strcmp(path, "/") == 0)
            return true;
        slash = strrchr(path, '/');
        if (slash == NULL)
            return false;
        slash[slash == path] = '\0';
    }
}

/* The file that Gemini would read, as it finds it. Allocated. */
static char *defaults_path(const struct agent_side *side)
{
    const char *given = side->variable(side->argument, VARIABLE);
    const char *system = side->variable(side->argument, SYSTEM_VARIABLE), *slash;

    if (given != NULL && *given != '\0')
        return xstrdup(given);
    slash = system == NULL ? NULL : strrchr(system, '/');
    if (slash != NULL)
        return xasprintf("%.*s/%s", (int)(slash - system), system, DEFAULTS);
    return path_join(SYSTEM_FOLDER, DEFAULTS);
}

/* An empty object when there are none; NULL when they cannot be understood. */
static json_t *read_defaults(const struct agent_side *side)
{
    char *path = defaults_path(side), *text = NULL;
    json_t *settings = NULL;
    size_t length;

    if (access(path, F_OK) < 0)
        settings = json_object();
    else if (path_read_file(path, SIZE_LIMIT, &text, &length, NULL) == 0)
        settings = json_loadb(text, length, 0, NULL);
    if (!json_is_object(settings)) {
        log_warning("the settings %s are not plain JSON: the hooks of gemini are not used", path);
        json_decref(settings);
        settings = NULL;
    }
    free(text);
    free(path);
    return settings;
}

static json_t *our_hook(const struct agent_side *side)
{
    const char *token = side->variable(side->argument, "GANGER_TOKEN");
    json_t *hook = json_pack("{ss ss ss si}", "name", "ganger", "type", "command", "command", side->hook,
                             "timeout", TIMEOUT_MS);

    /* Gemini may be told to keep variables with such names from what it runs. */
    if (token != NULL)
        json_object_set_new(hook, "env", json_pack("{ss}", "GANGER_TOKEN", token));
    return json_pack("{ss s[o]}", "matcher", "*", "hooks", hook);
}

static bool add_hooks(json_t *settings, const struct agent_side *side)
{
    json_t *hooks = json_object_get(settings, "hooks");

    if (hooks == NULL) {
        hooks = json_object();
        json_object_set_new(settings, "hooks", hooks);
    }
    if (!json_is_object(hooks))
        return false;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        json_t *list = json_object_get(hooks, events[i]);
        if (list == NULL) {
            list = json_array();
            json_object_set_new(hooks, events[i], list);
        }
        if (!json_is_array(list))
            return false;
        json_array_append_new(list, our_hook(side));
    }
    return true;
}

static bool write_settings(const struct agent_side *side, const json_t *settings)
{
    int folder = open(side->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *text = json_dumps(settings, JSON_INDENT(1));
    struct error error = {0};
    bool written =
        folder >= 0 && text != NULL && path_write_atomic(folder, FILE_NAME, text, strlen(text), &error) == 0;

    if (!written)
        log_warning("cannot write %s/%s: the hooks of gemini are not used: %s", side->folder, FILE_NAME,
                    error.text);
    free(text);
    if (folder >= 0)
        close(folder);
    return written;
}

void gemini_inject(const struct agent_side *side)
{
    json_t *settings;
    char *variable;

    if (!is_secure(side->folder))
        return;
    settings = read_defaults(side);
    if (settings != NULL && add_hooks(settings, side) && write_settings(side, settings)) {
        variable = xasprintf("%s=%s/%s", VARIABLE, side->folder, FILE_NAME);
        arguments_add(side->set, variable);
        free(variable);
    }
    json_decref(settings);
}
