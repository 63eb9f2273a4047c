#include "agent/driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void arguments_init(struct arguments *arguments)
{
    arguments->items = xcalloc(1, sizeof *arguments->items);
    arguments->count = 0;
}

void arguments_finish(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
    free(arguments->items);
    *arguments = (struct arguments){0};
}

void arguments_add(struct arguments *arguments, const char *text)
{
    arguments->items = xreallocarray(arguments->items, arguments->count + 2, sizeof *arguments->items);
    arguments->items[arguments->count++] = xstrdup(text);
    arguments->items[arguments->count] = NULL;
}

static void add_two(struct arguments *out, const char *option, const char *value)
{
    arguments_add(out, option);
    arguments_add(out, value);
}

/* A prompt as the last argument; "--" keeps one that begins with a dash from being read as an option. */
static void add_last(struct arguments *out, const char *prompt)
{
    if (prompt == NULL)
        return;
    if (prompt[0] == '-')
        arguments_add(out, "--");
    arguments_add(out, prompt);
}

static void claude_arguments(const struct agent_start *start, struct arguments *out)
{
    if (start->resume_id != NULL && *start->resume_id != '\0')
        add_two(out, "--resume", start->resume_id);
    else if (start->resume_id != NULL)
        arguments_add(out, "--continue");
    else if (start->session_id != NULL)
        add_two(out, "--session-id", start->session_id);
    add_last(out, start->prompt);
}

static void codex_arguments(const struct agent_start *start, struct arguments *out)
{
    if (start->resume_id != NULL)
        add_two(out, "resume", *start->resume_id != '\0' ? start->resume_id : "--last");
    add_last(out, start->prompt);
}

static void gemini_arguments(const struct agent_start *start, struct arguments *out)
{
    if (start->resume_id != NULL)
        add_two(out, "--resume", *start->resume_id != '\0' ? start->resume_id : "latest");
    else if (start->session_id != NULL)
        add_two(out, "--session-id", start->session_id);
    if (start->prompt != NULL)
        arguments_add(out, "--prompt-interactive");
    if (start->prompt != NULL)
        arguments_add(out, start->prompt);
}

static void opencode_arguments(const struct agent_start *start, struct arguments *out)
{
    if (start->resume_id != NULL && *start->resume_id != '\0')
        add_two(out, "--session", start->resume_id);
    else if (start->resume_id != NULL)
        arguments_add(out, "--continue");
    if (start->prompt != NULL)
        add_two(out, "--prompt", start->prompt);
}

static void command_arguments(const struct agent_start *start, struct arguments *out)
{
    (void)start;
    (void)out;
}

static const char *const claude_scrubbed[] = {
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",    "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_PROFILE",
    "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX",  NULL};
static const char *const codex_scrubbed[] = {"CODEX_HOME",         "CODEX_SQLITE_HOME", "CODEX_API_KEY",
                                             "CODEX_ACCESS_TOKEN", "OPENAI_API_KEY",    NULL};
static const char *const gemini_scrubbed[] = {"GEMINI_CLI_HOME",      "GEMINI_API_KEY",
                                              "GOOGLE_API_KEY",       "GOOGLE_GENAI_USE_VERTEXAI",
                                              "GOOGLE_CLOUD_PROJECT", NULL};
static const char *const opencode_scrubbed[] = {"OPENCODE_AUTH_CONTENT", "OPENCODE_DB", NULL};
static const char *const nothing_scrubbed[] = {NULL};

static const struct agent_driver drivers[] = {
    {"claude", true, true, 0, "Escape", claude_scrubbed, claude_arguments},
    {"codex", false, true, 120, "Escape", codex_scrubbed, codex_arguments},
    {"gemini", true, true, 60, "Escape", gemini_scrubbed, gemini_arguments},
    {"opencode", false, true, 60, "Escape Escape", opencode_scrubbed, opencode_arguments},
    {"command", false, false, 0, "C-c", nothing_scrubbed, command_arguments},
};

const struct agent_driver *agent_driver_find(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
        if (strcmp(drivers[i].name, name) == 0)
            return &drivers[i];
    }
    return NULL;
}
