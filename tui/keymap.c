#include "tui/keymap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

struct binding {
    struct key key;
    const struct action *action;
    bool in_pane;
};

struct keymap {
    struct key prefix;
    struct binding *bindings;
    size_t count, room;
};

static void bind(struct keymap *keymap, struct key key, const struct action *action, bool configured)
{
    bool plain = key.code < KEYCODE_F1 && (key.modifiers & (KEY_ALT | KEY_CTRL | KEY_SUPER)) == 0;

    if (keymap->count == keymap->room) {
        keymap->room = keymap->room == 0 ? 64 : keymap->room * 2;
        keymap->bindings = xreallocarray(keymap->bindings, keymap->room, sizeof *keymap->bindings);
    }
    keymap->bindings[keymap->count++] =
        (struct binding){.key = key_normalize(key), .action = action, .in_pane = configured && !plain};
}

static int bind_name(struct keymap *keymap, const char *name, const struct action *action, bool configured,
                     struct error *error)
{
    struct key key;

    if (name == NULL || key_parse(name, &key) < 0)
        return error_set(
            error,
            "keys.%s: \"%s\" is not a key: expected a character, or a name such as C-a, M-x, F5, "
            "PageUp, Enter",
            action->name, name == NULL ? "" : name);
    bind(keymap, key, action, configured);
    return 0;
}

static int configure(struct keymap *keymap, const char *name, const json_t *value, struct error *error)
{
    const struct action *action = actions_find(name);
    const json_t *entry;
    size_t index;

    if (strcmp(name, "prefix") == 0) {
        if (key_parse(json_is_string(value) ? json_string_value(value) : "", &keymap->prefix) < 0)
            return error_set(error, "keys.prefix: expected a key such as C-a");
        keymap->prefix = key_normalize(keymap->prefix);
        return 0;
    }
    if (action == NULL)
        return error_set(
            error, "keys.%s: there is no such action; the help (?) and the palette (:) list them", name);
    if (json_is_string(value))
        return bind_name(keymap, json_string_value(value), action, true, error);
    json_array_foreach(value, index, entry)
    {
        if (bind_name(keymap, json_string_value(entry), action, true, error) < 0)
            return -1;
    }
    return 0;
}

/* The defaults of actions that the configuration does not name come last: its keys win. */
struct keymap *keymap_create(const json_t *keys, struct error *error)
{
    struct keymap *keymap = xcalloc(1, sizeof *keymap);
    size_t count;
    const struct action *actions = actions_all(&count);
    const char *name;
    json_t *value;

    keymap->prefix = (struct key){.code = 'a', .modifiers = KEY_CTRL};
    json_object_foreach((json_t *)(uintptr_t)keys, name, value)
    {
        if (configure(keymap, name, value, error) < 0) {
            keymap_destroy(keymap);
            return NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (json_object_get(keys, actions[i].name) != NULL)
            continue;
        for (size_t k = 0; actions[i].keys[k] != NULL; k++)
            (void)bind_name(keymap, actions[i].keys[k], &actions[i], false, NULL);
    }
    return keymap;
}

void keymap_destroy(struct keymap *keymap)
{
    if (keymap == NULL)
        return;
    free(keymap->bindings);
    free(keymap);
}

struct key keymap_prefix(const struct keymap *keymap)
{
    return keymap->prefix;
}

const struct action *keymap_find(const struct keymap *keymap, struct key key, bool in_pane)
{
    key = key_normalize(key);
    for (size_t i = 0; i < keymap->count; i++) {
        if (key_equal(keymap->bindings[i].key, key) && (!in_pane || keymap->bindings[i].in_pane))
            return keymap->bindings[i].action;
    }
    return NULL;
}

void keymap_describe(const struct keymap *keymap, const struct action *action, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < keymap->count; i++) {
        char name[KEY_NAME_SIZE];
        int more;
        if (keymap->bindings[i].action != action)
            continue;
        key_format(keymap->bindings[i].key, name);
        more = snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", name);
        if (more < 0 || (size_t)more >= size - used) {
            out[used] = '\0';
            return;
        }
        used += (size_t)more;
    }
}
