#include "host/change_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "host/path_set.h"

#define BUCKETS 512

void change_list_init(struct change_list *list)
{
    *list = (struct change_list){0};
    TAILQ_INIT(&list->queue);
}

static void drop(struct change_list *list, struct change *change)
{
    TAILQ_REMOVE(&list->queue, change, entries);
    LIST_REMOVE(change, bucket);
    list->count--;
    free(change);
    if (list->count == 0) {
        free(list->buckets);
        list->buckets = NULL;
    }
}

void change_list_finish(struct change_list *list)
{
    while (!TAILQ_EMPTY(&list->queue))
        drop(list, TAILQ_FIRST(&list->queue));
}

static struct change *find(const struct change_list *list, const char *path, uint32_t hash)
{
    struct change *change = NULL;

    if (list->buckets == NULL)
        return NULL;
    LIST_FOREACH(change, &list->buckets[hash % BUCKETS], bucket)
    {
        if (change->hash == hash && strcmp(change->path, path) == 0)
            break;
    }
    return change;
}

static struct change *insert(struct change_list *list, const char *path, uint32_t hash)
{
    size_t size = strlen(path) + 1;
    struct change *change = xcalloc(1, sizeof *change + size);

    if (list->buckets == NULL)
        list->buckets = xcalloc(BUCKETS, sizeof *list->buckets);
    memcpy(change->path, path, size);
    change->hash = hash;
    TAILQ_INSERT_TAIL(&list->queue, change, entries);
    LIST_INSERT_HEAD(&list->buckets[hash % BUCKETS], change, bucket);
    list->count++;
    return change;
}

bool change_list_add(struct change_list *list, const char *path, bool existed, bool exists, int64_t now_ms)
{
    uint32_t hash = path_hash(path);
    struct change *change = find(list, path, hash);

    if (change == NULL) {
        if (list->count == CHANGES_MAX)
            return false;
        change = insert(list, path, hash);
        change->existed = existed;
        change->first_ms = now_ms;
    }
    change->exists = exists;
    change->last_ms = now_ms;
    return true;
}

void change_list_forget(struct change_list *list, const char *path)
{
    struct change *change = find(list, path, path_hash(path));

    if (change != NULL)
        drop(list, change);
}

static int64_t due_of(const struct change *change)
{
    int64_t settled = change->last_ms + CHANGE_SETTLE_MS, latest = change->first_ms + CHANGE_WAIT_MS;

    return settled < latest ? settled : latest;
}

int64_t change_list_due(const struct change_list *list)
{
    int64_t due = INT64_MAX;
    const struct change *change;

    TAILQ_FOREACH(change, &list->queue, entries)
    {
        if (due_of(change) < due)
            due = due_of(change);
    }
    return due;
}

void change_list_take(struct change_list *list, int64_t now_ms, void (*tell)(void *, const struct change *),
                      void *argument)
{
    struct change *change, *next;

    TAILQ_FOREACH_SAFE(change, &list->queue, entries, next)
    {
        if (due_of(change) > now_ms)
            continue;
        if (change->existed || change->exists)
            tell(argument, change);
        drop(list, change);
    }
}
