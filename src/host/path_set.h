/*
 * A set of paths that takes 4 bytes and a half for each: only a hash is kept, so that of 65,536 paths one in about 65,000
 * that was never added seems to be there.
 */
#ifndef HOST_PATH_SET_H
#define HOST_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_SET_MAX 65536

struct path_set {
    uint32_t *slots; /* 0: empty */
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void path_set_init(struct path_set *set);
void path_set_finish(struct path_set *set);
/* False when the set is full and the path not in it. */
bool path_set_add(struct path_set *set, const char *path);
bool path_set_has(const struct path_set *set, const char *path);
void path_set_remove(struct path_set *set, const char *path);

/* FNV-1a, never 0. */
uint32_t path_hash(const char *path);

#endif
