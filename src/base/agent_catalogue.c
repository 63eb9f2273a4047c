#include "base/agent_catalogue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/agent_data.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"

static const char *const no_arguments[] = {NULL};
/* Codex's shared background server would belong to one session and serve the others: ending that one would
 * end theirs. */
static const char *const codex_arguments[] = {"--no-daemon", NULL};

static const struct agent_entry entries[] = {
    {.name = "claude",
     .title = "Claude Code",
     .program = "claude",
     .install = "npm install -g @anthropic-ai/claude-code",
     .arguments = no_arguments},
    {.name = "codex",
     .title = "Codex",
     .program = "codex",
     .install = "npm install -g @openai/codex",
     .arguments = codex_arguments},
    {.name = "gemini",
     .title = "Gemini CLI",
     .program = "gemini",
     .install = "npm install -g @google/gemini-cli",
     .arguments = no_arguments},
    {.name = "opencode",
     .title = "opencode",
     .program = "opencode",
     .install = "npm install -g opencode-ai",
     .arguments = no_arguments},
    {.name = "command", .title = "command", .arguments = no_arguments},
};

/* Agents that are data only, read once and kept for the life of the program. */
#define DATA_ENTRIES_MAX 64
#define DATA_FILE_MAX (1024 * 1024)

static struct agent_entry data_entries[DATA_ENTRIES_MAX];
static size_t data_count;
static json_t *user_files; /* kept */

/* A list's texts from the first on, kept for ever; they point into it. */
static const char *const *texts_of(const json_t *list, size_t first)
{
    size_t count = json_array_size(list), kept = 0;
    const char **texts = xcalloc(count + 1, sizeof *texts);

    for (size_t i = first; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text != NULL)
            texts[kept++] = text;
    }
    return texts;
}

/* What the agent's file says of its directory and login. */
static void describe_login(struct agent_entry *entry, const json_t *file)
{
    const json_t *home = json_object_get(file, "home");

    entry->scrubbed = texts_of(json_object_get(file, "scrubbed"), 0);
    entry->home =
        (struct agent_home){json_member_string(home, "variable", NULL),
                            json_member_string(home, "default", ""), json_member_string(home, "below", "")};
    entry->login = json_object_get(file, "login");
}

static const struct agent_entry *add_data(const json_t *file)
{
    const json_t *command = json_object_get(file, "command");
    const char *program = json_string_value(json_array_get(command, 0));
    struct agent_entry *entry;

    if (program == NULL || data_count == DATA_ENTRIES_MAX)
        return NULL;
    entry = &data_entries[data_count++];
    *entry = (struct agent_entry){
        .name = json_member_string(file, "agent", ""),
        .title = json_member_string(file, "title", json_member_string(file, "agent", "")),
        .program = program,
        .install = json_member_string(file, "install", NULL),
        .arguments = texts_of(command, 1)};
    describe_login(entry, file);
    return entry;
}

/* The user's own file; what is wrong with it is said by who reads its rules. */
static const struct agent_entry *add_user_data(const char *name)
{
    char *path = agent_data_user_path(name), *text = NULL;
    struct error error;
    size_t length;
    json_t *file = NULL;

    if (path != NULL && path_read_file(path, DATA_FILE_MAX, &text, &length, &error) == 0)
        file = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    free(path);
    if (!json_is_array(user_files))
        user_files = json_array();
    /* The entry points into it. */
    if (!json_is_object(file) || json_array_append_new(user_files, file) < 0)
        return NULL;
    json_object_set_new(file, "agent", json_string(name));
    return add_data(file);
}

const struct agent_entry *agent_catalogue(size_t *count)
{
    static struct agent_entry all[DATA_ENTRIES_MAX];
    static size_t total;
    const size_t coded = sizeof entries / sizeof entries[0];
    const char *name;

    for (size_t i = 0; total == 0 && i < coded; i++) {
        size_t place = i + 1 < coded ? i : DATA_ENTRIES_MAX - 1;
        all[place] = entries[i];
        describe_login(&all[place], agent_data(entries[i].name));
    }
    if (total == 0) {
        total = coded - 1;
        for (size_t i = 0; (name = agent_data_name(i)) != NULL && total + 1 < DATA_ENTRIES_MAX; i++) {
            const struct agent_entry *entry = add_data(agent_data(name));
            if (entry != NULL)
                all[total++] = *entry;
        }
        all[total++] = all[DATA_ENTRIES_MAX - 1];
    }
    *count = total;
    return all;
}

const struct agent_entry *agent_catalogue_find(const char *name)
{
    size_t count;
    const struct agent_entry *all = agent_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    }
    for (size_t i = 0; i < data_count; i++) {
        if (strcmp(data_entries[i].name, name) == 0)
            return &data_entries[i];
    }
    return add_user_data(name);
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
