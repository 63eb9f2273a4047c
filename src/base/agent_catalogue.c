#include "base/agent_catalogue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static const char *const no_arguments[] = {NULL};
/* Codex's shared background server would belong to one session and serve the others: ending that one would
 * end theirs. */
static const char *const codex_arguments[] = {"--no-daemon", NULL};

static const char *const nothing_scrubbed[] = {NULL};
static const char *const claude_scrubbed[] = {
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",    "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_PROFILE",
    "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX",  NULL};
static const char *const codex_scrubbed[] = {"CODEX_HOME",         "CODEX_SQLITE_HOME", "CODEX_API_KEY",
                                             "CODEX_ACCESS_TOKEN", "OPENAI_API_KEY",    NULL};
static const char *const gemini_scrubbed[] = {"GEMINI_CLI_HOME",      "GEMINI_API_KEY",
                                              "GOOGLE_API_KEY",       "GOOGLE_GENAI_USE_VERTEXAI",
                                              "GOOGLE_CLOUD_PROJECT", NULL};
static const char *const opencode_scrubbed[] = {"OPENCODE_AUTH_CONTENT", "OPENCODE_DB", NULL};

static const struct agent_entry entries[] = {
    {"claude", "Claude Code", "claude", "npm install -g @anthropic-ai/claude-code", no_arguments,
     claude_scrubbed},
    {"codex", "Codex", "codex", "npm install -g @openai/codex", codex_arguments, codex_scrubbed},
    {"gemini", "Gemini CLI", "gemini", "npm install -g @google/gemini-cli", no_arguments, gemini_scrubbed},
    {"opencode", "opencode", "opencode", "npm install -g opencode-ai", no_arguments, opencode_scrubbed},
    {"command", "command", NULL, NULL, no_arguments, nothing_scrubbed},
};

const struct agent_entry *agent_catalogue(size_t *count)
{
    *count = sizeof entries / sizeof entries[0];
    return entries;
}

const struct agent_entry *agent_catalogue_find(const char *name)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (strcmp(entries[i].name, name) == 0)
            return &entries[i];
    }
    return NULL;
}

static int is_executable(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

char *program_path(const char *program)
{
    const char *path = getenv("PATH");

    if (strchr(program, '/') != NULL)
        return is_executable(program) ? xstrdup(program) : NULL;
    for (const char *at = path != NULL ? path : "/usr/local/bin:/usr/bin:/bin"; *program != '\0';) {
        size_t length = strcspn(at, ":");
        char *candidate = xasprintf("%.*s%s%s", (int)length, at, length > 0 ? "/" : "./", program);
        if (is_executable(candidate))
            return candidate;
        free(candidate);
        if (at[length] == '\0')
            break;
        at += length + 1;
    }
    return NULL;
}
