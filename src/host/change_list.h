/*
 * Files that changed and are not told yet: each waits until it has not changed for 200 ms, and for 1 s at most. What happens
 * to one path in between is one change; a file that came and went is none.
 */
#ifndef HOST_CHANGE_LIST_H
#define HOST_CHANGE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define CHANGE_SETTLE_MS 200
#define CHANGE_WAIT_MS 1000
#define CHANGES_MAX 4096

struct change {
    TAILQ_ENTRY(change) entries;
    LIST_ENTRY(change) bucket;
    uint32_t hash;
    bool existed; /* before the first event */
    bool exists;  /* after the last */
    int64_t first_ms, last_ms;
    char path[];
};

TAILQ_HEAD(change_queue, change);
LIST_HEAD(change_bucket, change);

struct change_list {
    struct change_queue queue; /* by first_ms */
    struct change_bucket *buckets;
    size_t count;
};

void change_list_init(struct change_list *list);
void change_list_finish(struct change_list *list);
/* Notes an event of a path. False when the list is full and the path not in it. */
bool change_list_add(struct change_list *list, const char *path, bool existed, bool exists, int64_t now_ms);
/* Nothing is to be told of the path. */
void change_list_forget(struct change_list *list, const char *path);
/* When the next change is due, or INT64_MAX. */
int64_t change_list_due(const struct change_list *list);
/* Takes the changes that are due, in the order in which they began, and gives each to `tell`; INT64_MAX: all. */
void change_list_take(struct change_list *list, int64_t now_ms, void (*tell)(void *, const struct change *),
                      void *argument);

#endif
