/*
 * A folder and those below it, watched with inotify: at most 4,000 of them, 16 deep. Never .git, node_modules and what the
 * .gitignore files (in the folders, and above them up to the top of the repository) and .git/info/exclude ignore. Folders are
 * looked through in slices of time, the upper ones first, and those that come later are added.
 */
#ifndef HOST_WATCH_TREE_H
#define HOST_WATCH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define WATCH_FOLDERS_MAX 4000
#define WATCH_DEPTH_MAX 16

struct watch_tree;

struct watch_tree_calls {
    /* Something happened to a file, or a folder was moved away. `path` is relative to the root. */
    void (*changed)(void *argument, const char *path, bool existed, bool exists);
    /* Not everything is watched: `why` ends a sentence. May come more than once. */
    void (*limited)(void *argument, const char *why);
};

/* `root` is absolute. `left_out`: absolute folders that are not watched, ended by NULL; copied. Returns NULL and the error when the
 * root cannot be watched. Nothing but the root itself is watched before watch_tree_scan. */
struct watch_tree *watch_tree_create(const char *root, const char *const *left_out,
                                     const struct watch_tree_calls *calls, void *argument,
                                     struct error *error);
void watch_tree_destroy(struct watch_tree *tree);

/* Becomes readable when something happened. */
int watch_tree_descriptor(const struct watch_tree *tree);
/* Takes what happened, until there is nothing more or the time is over. */
void watch_tree_read(struct watch_tree *tree, int64_t until_ns);
/* Goes on looking through folders until the time (monotonic) is over. True when there are more. */
bool watch_tree_scan(struct watch_tree *tree, int64_t until_ns);
/* The root is no longer there. */
bool watch_tree_gone(const struct watch_tree *tree);
size_t watch_tree_count(const struct watch_tree *tree);

#endif
