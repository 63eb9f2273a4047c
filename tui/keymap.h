/*
 * Which key runs which action. The actions are a table (actions.c); their keys are the defaults there, replaced by
 * those of the configuration's `keys`: action -> key or list of keys, in the names of term/key.h. A configured key that
 * is no plain text (a function key, or one with Ctrl or Alt) runs its action in pane mode too.
 */
#ifndef TUI_KEYMAP_H
#define TUI_KEYMAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "term/key.h"

struct ui;

#define ACTION_KEYS_MAX 3

struct action {
    const char *name;    /* in the configuration and the palette */
    const char *group;   /* heading in the help */
    const char *summary; /* what it does, in a few words */
    const char *keys[ACTION_KEYS_MAX + 1];
    void (*run)(struct ui *ui, int argument);
    int argument;
};

struct keymap;

/* `keys` is the configuration's object. NULL and an error that names the key when it is wrong. */
struct keymap *keymap_create(const json_t *keys, struct error *error);
void keymap_destroy(struct keymap *keymap);

struct key keymap_prefix(const struct keymap *keymap);
/* The action of a key: of crew mode, or (in_pane) one of those that work while keys go to an agent. NULL: none. */
const struct action *keymap_find(const struct keymap *keymap, struct key key, bool in_pane);
/* The keys of an action, "n" or "Tab, Right", "" when it has none. */
void keymap_describe(const struct keymap *keymap, const struct action *action, char *out, size_t size);

/* All actions, in the order of the help; `count` of them (actions.c). */
const struct action *actions_all(size_t *count);
const struct action *actions_find(const char *name);

#endif
