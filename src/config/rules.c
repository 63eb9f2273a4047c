#include "config/rules.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/name.h"

static const struct {
    const char *agent, *variable;
} logins[] = {
    {"claude", "CLAUDE_CONFIG_DIR"},
    {"codex", "CODEX_HOME"},
    {"gemini", "GEMINI_CLI_HOME"},
    {"opencode", "XDG_DATA_HOME"},
};

const char *rules_login_variable(const char *agent)
{
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        if (strcmp(logins[i].agent, agent) == 0)
            return logins[i].variable;
    }
    return NULL;
}

static int check_variables(const json_t *entry, struct key_path *path, struct buffer *problem)
{
    const json_t *env = json_object_get(entry, "env");
    const char *name;
    json_t *value;

    key_path_push_key(path, "env");
    json_object_foreach((json_t *)(uintptr_t)env, name, value)
    {
        (void)value;
        key_path_push_key(path, name);
        if (*name == '\0' || strchr(name, '=') != NULL) {
            buffer_append_string(problem, "expected the name of an environment variable");
            return -1;
        }
        if (strncmp(name, "GANGER_", 7) == 0) {
            buffer_append_string(problem,
                                 "expected another variable: those that begin with GANGER_ are ganger's own");
            return -1;
        }
        key_path_pop(path);
    }
    key_path_pop(path);
    return 0;
}

/* Every entry of agents or accounts. */
static int check_all_variables(const json_t *root, const char *section, struct key_path *path,
                               struct buffer *problem)
{
    const char *name;
    json_t *entry;

    key_path_push_key(path, section);
    json_object_foreach(json_object_get(root, section), name, entry)
    {
        key_path_push_key(path, name);
        if (check_variables(entry, path, problem) < 0)
            return -1;
        key_path_pop(path);
    }
    key_path_pop(path);
    return 0;
}

/* Appends a path without doubled and trailing slashes and without "." steps. */
static void append_plain_path(struct buffer *out, const char *path)
{
    for (const char *at = path; *at != '\0';) {
        size_t length = strcspn(at, "/");
        if (length > 0 && !(length == 1 && at[0] == '.')) {
            buffer_append_char(out, '/');
            buffer_append(out, at, length);
        }
        at += length + (at[length] == '/');
    }
}

static bool same_folder(const char *a, const char *b)
{
    struct buffer first = {0}, second = {0};
    bool same;

    append_plain_path(&first, a);
    append_plain_path(&second, b);
    same = first.length == second.length &&
           (first.length == 0 || memcmp(first.bytes, second.bytes, first.length) == 0);
    buffer_finish(&first);
    buffer_finish(&second);
    return same;
}

/* The account's login folder as its env says, or NULL; *variable is the variable's name. */
static const char *login_folder(const json_t *account, const char **variable)
{
    *variable = rules_login_variable(json_member_string(account, "agent", ""));
    if (*variable == NULL)
        return NULL;
    return json_member_string(json_object_get(account, "env"), *variable, NULL);
}

/* Compares with the accounts before it. */
static int check_login(const json_t *accounts, const char *name, const json_t *account, struct key_path *path,
                       struct buffer *problem)
{
    const char *variable, *other_variable, *folder = login_folder(account, &variable), *other_name;
    json_t *other;

    if (folder == NULL)
        return 0;
    key_path_push_key(path, "env");
    key_path_push_key(path, variable);
    if (folder[0] != '/') {
        buffer_append_string(problem,
                             "expected an absolute path (\"~\" and variables are not expanded), not ");
        json_append_quoted(problem, folder, strlen(folder));
        return -1;
    }
    json_object_foreach((json_t *)(uintptr_t)accounts, other_name, other)
    {
        const char *other_folder = login_folder(other, &other_variable);
        if (strcmp(other_name, name) == 0)
            break;
        if (other_folder != NULL && strcmp(variable, other_variable) == 0 &&
            same_folder(folder, other_folder)) {
            buffer_append_string(problem, "expected a folder of its own, ");
            json_append_quoted(problem, folder, strlen(folder));
            buffer_printf(problem, " is that of account %s", other_name);
            return -1;
        }
    }
    key_path_pop(path);
    key_path_pop(path);
    return 0;
}

static int check_accounts(const json_t *root, struct key_path *path, struct buffer *problem)
{
    json_t *accounts = json_object_get(root, "accounts"), *account;
    const char *name;

    key_path_push_key(path, "accounts");
    json_object_foreach(accounts, name, account)
    {
        key_path_push_key(path, name);
        if (!name_valid(name)) {
            buffer_append_string(problem, "expected a name of letters, digits, \".\", \"_\" and \"-\"");
            return -1;
        }
        if (check_login(accounts, name, account, path, problem) < 0)
            return -1;
        key_path_pop(path);
    }
    key_path_pop(path);
    return 0;
}

int rules_check(const json_t *root, struct key_path *path, struct buffer *problem)
{
    if (check_all_variables(root, "agents", path, problem) < 0 ||
        check_all_variables(root, "accounts", path, problem) < 0)
        return -1;
    return check_accounts(root, path, problem);
}
