#include "runner/account.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "runner/command.h"

#define VALUE_MAX (64 * 1024)
#define COMMAND_MS 10000

extern char **environ;

/* ---- values ---- */

static void erase(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static char *first_line(char *text)
{
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static char *value_of_command(const char *name, const json_t *command, struct error *error)
{
    size_t count = json_array_size(command);
    const char **argv = xcalloc(count + 1, sizeof *argv);
    struct command_run run = {.argv = argv, .limit = VALUE_MAX};
    char *value = NULL;

    for (size_t i = 0; i < count; i++)
        argv[i] = json_string_value(json_array_get(command, i));
    if (count == 0 || argv[0] == NULL) {
        free(argv);
        (void)error_set(error, "%s: its command is empty", name);
        return NULL;
    }
    command_run_all(&run, 1, COMMAND_MS);
    if (run.problem != 0) {
        errno = run.problem;
        (void)error_errno(error, "%s: cannot run %s", name, argv[0]);
    } else if (run.exit != 0) {
        (void)error_set(error, "%s: %s failed with exit code %d", name, argv[0], run.exit);
    } else {
        value = first_line(xstrndup(run.output.bytes != NULL ? run.output.bytes : "", run.output.length));
    }
    command_run_finish(&run);
    free(argv);
    return value;
}

/* Text, {"file"} or {"command"}. Allocated. */
static char *value_of(const char *name, const json_t *value, struct error *error)
{
    const char *file = json_member_string(value, "file", NULL);
    struct error reading = {0};
    size_t length;
    char *text;

    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (file == NULL)
        return value_of_command(name, json_object_get(value, "command"), error);
    if (path_read_file(file, VALUE_MAX, &text, &length, &reading) == 0)
        return first_line(text);
    (void)error_set(error, "%s: %s", name, reading.text);
    if (error != NULL)
        error->code = reading.code;
    return NULL;
}

/* ---- the lists ---- */

static void add(char ***list, size_t *count, char *text)
{
    *list = xreallocarray(*list, *count + 2, sizeof **list);
    (*list)[(*count)++] = text;
    (*list)[*count] = NULL;
}

static const char *home_directory(const struct account_environment *environment)
{
    const char *home = account_environment_value(environment, "HOME");

    return home != NULL && *home == '/' ? home : "/";
}

static bool begins_at_home(const char *path)
{
    return path[0] == '~' && (path[1] == '/' || path[1] == '\0');
}

static void set(struct account_environment *environment, const struct agent_entry *agent, const char *name,
                const char *value)
{
    bool at_home =
        agent->home.variable != NULL && strcmp(agent->home.variable, name) == 0 && begins_at_home(value);

    add(&environment->set, &environment->set_count,
        at_home ? xasprintf("%s=%s%s", name, home_directory(environment), value + 1)
                : xasprintf("%s=%s", name, value));
}

/* `text_only`: values from files and commands are left out. */
static int set_all(struct account_environment *environment, const struct agent_entry *agent,
                   const json_t *values, bool text_only, struct error *error)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)values, name, value)
    {
        char *text;
        if (text_only && !json_is_string(value))
            continue;
        text = value_of(name, value, error);
        if (text == NULL)
            return -1;
        set(environment, agent, name, text);
        erase(text);
    }
    return 0;
}

static int gather(struct account_environment *environment, const struct config *config, const char *agent,
                  const char *account, bool text_only, struct error *error)
{
    const struct agent_entry *entry = agent_catalogue_find(agent);
    const json_t *login = account == NULL ? NULL : config_account(config, account);

    *environment =
        (struct account_environment){.set = xcalloc(1, sizeof(char *)), .unset = xcalloc(1, sizeof(char *))};
    if (entry == NULL)
        return error_set(error, "there is no agent %s", agent);
    for (size_t i = 0; account != NULL && entry->scrubbed[i] != NULL; i++)
        add(&environment->unset, &environment->unset_count, xstrdup(entry->scrubbed[i]));
    if (set_all(environment, entry, json_object_get(config_agent(config, agent), "env"), text_only, error) <
        0)
        return -1;
    return set_all(environment, entry, json_object_get(login, "env"), text_only, error);
}

int account_environment_init(struct account_environment *environment, const struct config *config,
                             const char *agent, const char *account, struct error *error)
{
    return gather(environment, config, agent, account, false, error);
}

void account_environment_finish(struct account_environment *environment)
{
    account_environ_free(environment->set);
    account_environ_free(environment->unset);
    *environment = (struct account_environment){0};
}

/* The value in "NAME=VALUE" when it is that name's, else NULL. */
static const char *value_in(const char *entry, const char *name)
{
    size_t length = strlen(name);

    return strncmp(entry, name, length) == 0 && entry[length] == '=' ? entry + length + 1 : NULL;
}

static const char *set_value(const struct account_environment *environment, const char *name)
{
    const char *value = NULL;

    for (size_t i = environment->set_count; i > 0 && value == NULL; i--)
        value = value_in(environment->set[i - 1], name);
    return value;
}

static bool is_unset(const struct account_environment *environment, const char *name, size_t length)
{
    for (size_t i = 0; i < environment->unset_count; i++) {
        if (strncmp(environment->unset[i], name, length) == 0 && environment->unset[i][length] == '\0')
            return true;
    }
    return false;
}

const char *account_environment_value(const struct account_environment *environment, const char *name)
{
    const char *value = set_value(environment, name);

    if (value != NULL)
        return value;
    return is_unset(environment, name, strlen(name)) ? NULL : getenv(name);
}

char **account_environ(const struct account_environment *environment)
{
    char **copy = xcalloc(1, sizeof *copy);
    size_t count = 0;

    for (char **entry = environ; *entry != NULL; entry++) {
        size_t length = strcspn(*entry, "=");
        char *name = xstrndup(*entry, length);
        if (!is_unset(environment, name, length) && set_value(environment, name) == NULL)
            add(&copy, &count, xstrdup(*entry));
        free(name);
    }
    for (size_t i = 0; i < environment->set_count; i++) {
        char *name = xstrndup(environment->set[i], strcspn(environment->set[i], "="));
        if (set_value(environment, name) == environment->set[i] + strlen(name) + 1)
            add(&copy, &count, xstrdup(environment->set[i]));
        free(name);
    }
    return copy;
}

void account_environ_free(char **environ_copy)
{
    for (char **entry = environ_copy; entry != NULL && *entry != NULL; entry++)
        erase(*entry);
    free(environ_copy);
}

/* ---- directories ---- */

static void trim_slashes(char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
}

char *account_directory(const struct account_environment *environment, const char *agent)
{
    const struct agent_entry *entry = agent_catalogue_find(agent);
    const char *value;
    char *base, *directory;

    if (entry == NULL || entry->home.variable == NULL)
        return NULL;
    value = account_environment_value(environment, entry->home.variable);
    base = value != NULL && *value != '\0'
               ? xstrdup(value)
               : xasprintf("%s/%s", home_directory(environment), entry->home.otherwise);
    trim_slashes(base);
    directory = *entry->home.below == '\0' ? xstrdup(base) : path_join(base, entry->home.below);
    free(base);
    return directory;
}

/* The text as one word of a shell. */
static void append_word(struct buffer *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%";

    if (*text != '\0' && text[strspn(text, plain)] == '\0') {
        buffer_append_string(out, text);
        return;
    }
    buffer_append_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buffer_append_string(out, "'\\''");
        else
            buffer_append_char(out, *text);
    }
    buffer_append_char(out, '\'');
}

char *account_login_command(const char *agent, const char *directory)
{
    const struct agent_entry *entry = agent_catalogue_find(agent);
    struct buffer out = {0};
    size_t index;
    json_t *word;

    if (entry != NULL && entry->home.variable != NULL && directory != NULL) {
        buffer_printf(&out, "%s=", entry->home.variable);
        append_word(&out, directory);
        buffer_append_char(&out, ' ');
    }
    append_word(&out, entry != NULL && entry->program != NULL ? entry->program : agent);
    json_array_foreach(json_object_get(entry == NULL ? NULL : entry->login, "command"), index, word)
    {
        buffer_append_char(&out, ' ');
        append_word(&out, json_is_string(word) ? json_string_value(word) : "");
    }
    return buffer_steal(&out);
}

int account_check(const struct account_environment *environment, const char *agent, const char *account,
                  struct error *error)
{
    const struct agent_entry *entry = agent_catalogue_find(agent);
    const char *directory = entry == NULL || entry->home.variable == NULL || account == NULL
                                ? NULL
                                : set_value(environment, entry->home.variable);
    struct buffer quoted = {0};
    struct stat status;
    char *command;
    int problem;

    if (directory == NULL)
        return 0;
    problem = stat(directory, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    if (problem == 0 && access(directory, R_OK | W_OK | X_OK) < 0)
        problem = errno;
    if (problem == 0)
        return 0;
    command = account_login_command(agent, directory);
    append_word(&quoted, directory);
    if (problem == ENOENT)
        (void)error_set(error, "account %s: there is no directory %s: `mkdir -p %s && %s` makes the login",
                        account, directory, quoted.bytes, command);
    else
        (void)error_set(error, "account %s: the directory %s cannot be used: %s", account, directory,
                        strerror(problem));
    if (error != NULL)
        error->code = problem;
    buffer_finish(&quoted);
    free(command);
    return -1;
}

int account_check_named(const struct config *config, const char *agent, const char *account,
                        struct error *error)
{
    struct account_environment environment;
    int result = gather(&environment, config, agent, account, true, error);

    if (result == 0)
        result = account_check(&environment, agent, account, error);
    account_environment_finish(&environment);
    return result;
}
