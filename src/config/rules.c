#include "config/rules.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "config/accounts.h"

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

int rules_check(const json_t *root, struct key_path *path, struct buffer *problem)
{
    if (check_all_variables(root, "agents", path, problem) < 0 ||
        check_all_variables(root, "accounts", path, problem) < 0)
        return -1;
    return accounts_check(root, path, problem);
}
