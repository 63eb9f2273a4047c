/*
 * Claude Code takes hooks with --settings, where they join the user's own. They run beside the agent's work ("async"), so
 * that nothing waits for them. MessageDisplay is left out: it starts a process for every tenth of a second of an answer.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "base/json.h"
#include "base/memory.h"

#define TIMEOUT_S 10

static const char *const events[] = {
    "SessionStart",       "SessionEnd",        "UserPromptSubmit", "PreToolUse",   "PostToolUse",
    "PostToolUseFailure", "PermissionRequest", "PermissionDenied", "Notification", "Stop",
    "StopFailure",        "SubagentStart",     "SubagentStop",     "PreCompact",   "PostCompact",
    "Elicitation",        "ElicitationResult",
};

/* Adds our hook to each list of "hooks", made when missing; false when what is there has another form. */
static bool add_hooks(json_t *settings, const char *command)
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
        json_array_append_new(list, json_pack("{s[{ss ss si sb}]}", "hooks", "type", "command", "command",
                                              command, "timeout", TIMEOUT_S, "async", 1));
    }
    return true;
}

/* The user's own --settings: where its value begins within an argument, or NULL. */
static char **find_settings(struct arguments *argv, size_t *skip)
{
    for (size_t i = 1; i < argv->count; i++) {
        *skip = 0;
        if (strcmp(argv->items[i], "--settings") == 0 && i + 1 < argv->count)
            return &argv->items[i + 1];
        *skip = strlen("--settings=");
        if (strncmp(argv->items[i], "--settings=", *skip) == 0)
            return &argv->items[i];
    }
    return NULL;
}

/* Inline settings are joined with ours; a file is the user's, and stays as it is. */
static void join(char **argument, size_t skip, const char *command)
{
    json_t *settings = json_loads(*argument + skip, 0, NULL);
    char *text, *joined;

    if (json_is_object(settings) && add_hooks(settings, command) &&
        (text = json_dumps(settings, JSON_COMPACT)) != NULL) {
        joined = xasprintf("%.*s%s", (int)skip, *argument, text);
        free(text);
        free(*argument);
        *argument = joined;
    }
    json_decref(settings);
}

void claude_inject(const struct agent_side *side)
{
    json_t *settings;
    size_t skip;
    char **given = find_settings(side->argv, &skip), *text;

    if (given != NULL) {
        join(given, skip, side->hook);
        return;
    }
    settings = json_object();
    if (add_hooks(settings, side->hook) && (text = json_dumps(settings, JSON_COMPACT)) != NULL) {
        arguments_add(side->argv, "--settings");
        arguments_add(side->argv, text);
        free(text);
    }
    json_decref(settings);
}
