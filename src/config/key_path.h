/*
 * Where a value stands in a JSON document: the keys and indices that lead to it, for messages, and the line of its text.
 */
#ifndef CONFIG_KEY_PATH_H
#define CONFIG_KEY_PATH_H

#include <stddef.h>

#include "base/buffer.h"

#define KEY_PATH_MAX 32

struct key_step {
    const char *key; /* NULL: an index of a list */
    size_t index;
};

/* Deeper steps than KEY_PATH_MAX are counted but not kept. */
struct key_path {
    struct key_step steps[KEY_PATH_MAX];
    size_t depth;
};

void key_path_push_key(struct key_path *path, const char *key);
void key_path_push_index(struct key_path *path, size_t index);
void key_path_pop(struct key_path *path);
/* Appends "accounts.work.args[2]"; keys of other characters than [A-Za-z0-9_$-] are put as ["…"]. */
void key_path_print(const struct key_path *path, struct buffer *out);
/* The line, from 1, of the key (or list item) in the text, which is valid JSON; of the deepest part of the path that is
 * there. */
size_t key_path_line(const struct key_path *path, const char *text);

#endif
