#include "config/accounts.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"

/* The directory of an account, as far as the configuration says it. */
struct place {
    const char *variable; /* NULL: the agent keeps nothing of which we know */
    const char *text;     /* the value of the variable; NULL: the agent's own directory */
    char *path;           /* where that is; NULL: not known before it starts */
};

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

/* By its links when it is there, else as it is written. */
static char *plain_path(const char *path)
{
    char *real = realpath(path, NULL);
    struct buffer plain = {0};

    if (real != NULL)
        return real;
    append_plain_path(&plain, path);
    if (plain.length == 0)
        buffer_append_char(&plain, '/');
    return buffer_steal(&plain);
}

static bool begins_at_home(const char *path)
{
    return path[0] == '~' && (path[1] == '/' || path[1] == '\0');
}

static bool is_absolute(const char *path)
{
    return path[0] == '/' || begins_at_home(path);
}

/* The account's own variables come before the agent's. */
static const json_t *variable_of(const json_t *root, const json_t *account, const char *agent,
                                 const char *name)
{
    const json_t *own = json_object_get(json_object_get(account, "env"), name);
    const json_t *entry = json_object_get(json_object_get(root, "agents"), agent);

    return own != NULL ? own : json_object_get(json_object_get(entry, "env"), name);
}

static struct place place_of(const json_t *root, const json_t *account)
{
    const char *agent = json_member_string(account, "agent", "");
    const struct agent_entry *entry = agent_catalogue_find(agent);
    const char *home = json_string_value(variable_of(root, account, agent, "HOME"));
    struct place place = {NULL, NULL, NULL};
    const json_t *value;
    char *whole;

    if (entry == NULL || entry->home.variable == NULL)
        return place;
    place.variable = entry->home.variable;
    value = variable_of(root, account, agent, place.variable);
    place.text = json_string_value(value);
    if (home == NULL)
        home = getenv("HOME");
    if (home == NULL || (value != NULL && place.text == NULL))
        return place;
    if (place.text == NULL || begins_at_home(place.text)) {
        whole = xasprintf("%s/%s", home, place.text == NULL ? entry->home.otherwise : place.text + 1);
        place.path = plain_path(whole);
        free(whole);
    } else {
        place.path = plain_path(place.text);
    }
    return place;
}

/* Points at what names the directory: the variable, else the account. */
static int shared(const json_t *account, const struct place *place, const char *other, struct key_path *path,
                  struct buffer *problem)
{
    if (json_object_get(json_object_get(account, "env"), place->variable) != NULL) {
        key_path_push_key(path, "env");
        key_path_push_key(path, place->variable);
    }
    buffer_append_string(problem, "expected a directory of its own, ");
    json_append_quoted(problem, place->text != NULL ? place->text : place->path,
                       strlen(place->text != NULL ? place->text : place->path));
    buffer_printf(problem, " is that of account %s", other);
    if (place->text == NULL)
        buffer_printf(problem, ": set %s", place->variable);
    return -1;
}

/* Compares with the accounts before it. */
static int check_shared(const json_t *root, const char *name, const json_t *account,
                        const struct place *place, struct key_path *path, struct buffer *problem)
{
    const char *agent = json_member_string(account, "agent", ""), *other_name;
    int result = 0;
    json_t *other;

    json_object_foreach(json_object_get(root, "accounts"), other_name, other)
    {
        struct place before;
        if (strcmp(other_name, name) == 0 || result < 0)
            break;
        if (strcmp(json_member_string(other, "agent", ""), agent) != 0)
            continue;
        before = place_of(root, other);
        if (before.path != NULL && strcmp(before.path, place->path) == 0)
            result = shared(account, place, other_name, path, problem);
        free(before.path);
    }
    return result;
}

static int check_one(const json_t *root, const char *name, const json_t *account, struct key_path *path,
                     struct buffer *problem)
{
    struct place place = place_of(root, account);
    const char *own = json_string_value(
        json_object_get(json_object_get(account, "env"), place.variable != NULL ? place.variable : ""));
    int result = 0;

    if (own != NULL && !is_absolute(own)) {
        key_path_push_key(path, "env");
        key_path_push_key(path, place.variable);
        buffer_append_string(problem, "expected an absolute path, or one that begins with \"~/\", not ");
        json_append_quoted(problem, own, strlen(own));
        result = -1;
    } else if (place.path != NULL) {
        result = check_shared(root, name, account, &place, path, problem);
    }
    free(place.path);
    return result;
}

int accounts_check(const json_t *root, struct key_path *path, struct buffer *problem)
{
    const char *name;
    json_t *account;

    key_path_push_key(path, "accounts");
    json_object_foreach(json_object_get(root, "accounts"), name, account)
    {
        key_path_push_key(path, name);
        if (!name_valid(name)) {
            buffer_append_string(problem, "expected a name of letters, digits, \".\", \"_\" and \"-\"");
            return -1;
        }
        if (check_one(root, name, account, path, problem) < 0)
            return -1;
        key_path_pop(path);
    }
    key_path_pop(path);
    return 0;
}
