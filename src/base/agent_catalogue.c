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

static const struct agent_entry entries[] = {
    {"claude", "Claude Code", "claude", "npm install -g @anthropic-ai/claude-code", no_arguments},
    {"codex", "Codex", "codex", "npm install -g @openai/codex", codex_arguments},
    {"gemini", "Gemini CLI", "gemini", "npm install -g @google/gemini-cli", no_arguments},
    {"opencode", "opencode", "opencode", "npm install -g opencode-ai", no_arguments},
    {"command", "command", NULL, NULL, no_arguments},
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
