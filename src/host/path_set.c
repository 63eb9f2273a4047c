#include "host/path_set.h"

#include <stdlib.h>

#include "base/memory.h"

#define FIRST_CAPACITY 256

uint32_t path_hash(const char *path)
{
    uint32_t hash = 2166136261u;

    for (; *path != '\0'; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619u;
    return hash == 0 ? 1 : hash;
}

void path_set_init(struct path_set *set)
{
    *set = (struct path_set){0};
}

void path_set_finish(struct path_set *set)
{
    free(set->slots);
    path_set_init(set);
}

/* The slot that holds the hash, or the empty one where it would be. */
static size_t slot_of(const struct path_set *set, uint32_t hash)
{
    size_t slot = hash & (set->capacity - 1);

    while (set->slots[slot] != 0 && set->slots[slot] != hash)
        slot = (slot + 1) & (set->capacity - 1);
    return slot;
}

static void grow(struct path_set *set)
{
    struct path_set larger = {.capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity * 2,
                              .count = set->count};

    larger.slots = xcalloc(larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i] != 0)
            larger.slots[slot_of(&larger, set->slots[i])] = set->slots[i];
    }
    free(set->slots);
    *set = larger;
}

bool path_set_has(const struct path_set *set, const char *path)
{
    return set->capacity > 0 && set->slots[slot_of(set, path_hash(path))] != 0;
}

bool path_set_add(struct path_set *set, const char *path)
{
    if (path_set_has(set, path))
        return true;
    if (set->count == PATH_SET_MAX)
        return false;
    /* At most seven eighths are taken. */
    if ((set->count + 1) * 8 > set->capacity * 7)
        grow(set);
    set->slots[slot_of(set, path_hash(path))] = path_hash(path);
    set->count++;
    return true;
}

void path_set_remove(struct path_set *set, const char *path)
{
    size_t mask = set->capacity - 1, hole;

    if (!path_set_has(set, path))
        return;
    hole = slot_of(set, path_hash(path));
    /* Those behind it move up, so that a search never meets a hole before what it looks for. */
    for (size_t at = (hole + 1) & mask; set->slots[at] != 0; at = (at + 1) & mask) {
        size_t home = set->slots[at] & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            set->slots[hole] = set->slots[at];
            hole = at;
        }
    }
    set->slots[hole] = 0;
    set->count--;
}
