#include "host/watch_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "host/ignore_files.h"
#include "host/path_set.h"

/* A program that opens a file for writing and writes nothing has changed nothing: no IN_CLOSE_WRITE. */
#define MASK                                                                                                 \
    (IN_CREATE | IN_MODIFY | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW |         \
     IN_EXCL_UNLINK)
#define READ_BYTES 16384
#define ENTRIES_A_LOOK 4 /* between looks at the clock: each may wait for the disk */

struct folder {
    TAILQ_ENTRY(folder) queue;
    struct folder *parent;
    struct ignore *ignore;
    int watch;
    int depth;
    bool queued;
    bool tell; /* what is found in it is new */
    bool gone;
    size_t length; /* of `path` */
    char path[];   /* relative to the root, with a slash at its end; "" is the root */
};

TAILQ_HEAD(folder_queue, folder);

struct watch_tree {
    const struct watch_tree_calls *calls;
    void *argument;
    char *root;
    char **left_out;
    bool home; /* the root is the person's home */
    int inotify;
    struct ignore_above *above;
    struct folder **folders; /* by watch */
    size_t count, capacity;
    struct folder_queue queue; /* to be looked through */
    struct folder *current;    /* the one that is */
    DIR *entries;
    struct path_set known; /* files that are there */
};

/* PATH in the tree as an absolute path. False when it is too long. */
static bool absolute(const struct watch_tree *tree, const char *path, char whole[PATH_MAX])
{
    int length = snprintf(whole, PATH_MAX, "%s/%s", tree->root, path);

    return length > 0 && length < PATH_MAX;
}

static bool path_of(const struct folder *folder, const char *name, char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s%s", folder->path, name);

    return length > 0 && length < PATH_MAX;
}

/* ---- what is left out ---- */

/* `folder` is the one that holds the path. */
static bool is_ignored(const struct watch_tree *tree, const struct folder *folder, const char *path,
                       bool is_folder)
{
    enum ignore_verdict verdict = IGNORE_UNDECIDED;

    for (const struct folder *at = folder; at != NULL && verdict == IGNORE_UNDECIDED; at = at->parent)
        verdict = ignore_match(at->ignore, path + at->length, is_folder);
    if (verdict == IGNORE_UNDECIDED)
        verdict = ignore_above_match(tree->above, path, is_folder);
    return verdict == IGNORE_IGNORED;
}

/* The person's home has the files of every program in it. */
static bool is_foreign(const struct watch_tree *tree, const struct folder *folder, const char *name)
{
    return tree->home && folder->depth == 0 && name[0] == '.';
}

static bool is_left_out(const struct watch_tree *tree, const struct folder *folder, const char *path,
                        const char *name)
{
    char whole[PATH_MAX];

    if (strcmp(name, ".git") == 0 || strcmp(name, "node_modules") == 0 || is_foreign(tree, folder, name) ||
        !absolute(tree, path, whole))
        return true;
    for (char **one = tree->left_out; *one != NULL; one++) {
        if (strcmp(*one, whole) == 0)
            return true;
    }
    return is_ignored(tree, folder, path, true);
}

/* ---- folders ---- */

/* Index of the first folder whose watch is not below `watch`. */
static size_t index_of(const struct watch_tree *tree, int watch)
{
    size_t low = 0, high = tree->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->folders[middle]->watch < watch)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct folder *find(const struct watch_tree *tree, int watch)
{
    size_t index = index_of(tree, watch);

    return index < tree->count && tree->folders[index]->watch == watch ? tree->folders[index] : NULL;
}

static void insert(struct watch_tree *tree, struct folder *folder)
{
    size_t index = index_of(tree, folder->watch);

    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity == 0 ? 16 : tree->capacity * 2;
        tree->folders = xreallocarray(tree->folders, tree->capacity, sizeof(struct folder *));
    }
    memmove(tree->folders + index + 1, tree->folders + index,
            (tree->count - index) * sizeof(struct folder *));
    tree->folders[index] = folder;
    tree->count++;
}

/* What is new is looked at first. */
static void enqueue(struct watch_tree *tree, struct folder *folder, bool tell)
{
    folder->tell = folder->tell || tell;
    if (folder->queued && !tell)
        return;
    if (folder->queued)
        TAILQ_REMOVE(&tree->queue, folder, queue);
    folder->queued = true;
    if (tell)
        TAILQ_INSERT_HEAD(&tree->queue, folder, queue);
    else
        TAILQ_INSERT_TAIL(&tree->queue, folder, queue);
}

static void stop_looking(struct watch_tree *tree)
{
    if (tree->entries != NULL)
        (void)closedir(tree->entries);
    tree->entries = NULL;
    tree->current = NULL;
}

static void free_folder(struct watch_tree *tree, struct folder *folder)
{
    if (folder == tree->current)
        stop_looking(tree);
    if (folder->queued)
        TAILQ_REMOVE(&tree->queue, folder, queue);
    ignore_destroy(folder->ignore);
    free(folder);
}

static bool is_below(const struct folder *folder, const struct folder *top)
{
    while (folder != NULL && folder != top)
        folder = folder->parent;
    return folder == top;
}

/* Forgets those that are marked. */
static void sweep(struct watch_tree *tree)
{
    size_t kept = 0;

    for (size_t i = 0; i < tree->count; i++) {
        struct folder *folder = tree->folders[i];
        if (!folder->gone) {
            tree->folders[kept++] = folder;
            continue;
        }
        (void)inotify_rm_watch(tree->inotify, folder->watch);
        free_folder(tree, folder);
    }
    tree->count = kept;
}

/* A folder and all below it are not watched any more. */
static void remove_folder(struct watch_tree *tree, const struct folder *top)
{
    for (size_t i = 0; i < tree->count; i++)
        tree->folders[i]->gone = is_below(tree->folders[i], top);
    sweep(tree);
}

static int add_watch(struct watch_tree *tree, const char *whole)
{
    int watch = inotify_add_watch(tree->inotify, whole, MASK);

    if (watch < 0 && (errno == ENOSPC || errno == ENOMEM))
        tree->calls->limited(tree->argument,
                             "the system has no more inotify watches (fs.inotify.max_user_watches)");
    return watch;
}

static void add_folder(struct watch_tree *tree, struct folder *parent, const char *name, bool tell)
{
    char path[PATH_MAX], whole[PATH_MAX];
    size_t length = parent == NULL ? 0 : parent->length + strlen(name) + 1;
    struct folder *folder;
    int watch;

    if (parent != NULL && (!path_of(parent, name, path) || is_left_out(tree, parent, path, name)))
        return;
    if (parent == NULL)
        path[0] = '\0';
    if (parent != NULL && parent->depth >= WATCH_DEPTH_MAX) {
        tree->calls->limited(tree->argument, "folders more than 16 deep are not watched");
        return;
    }
    if (!absolute(tree, path, whole) || (watch = add_watch(tree, whole)) < 0)
        return;
    folder = find(tree, watch);
    if (folder != NULL) {
        /* Known already, and perhaps by another path: a folder can be mounted in two places. */
        if (tell)
            enqueue(tree, folder, true);
        return;
    }
    if (tree->count == WATCH_FOLDERS_MAX) {
        (void)inotify_rm_watch(tree->inotify, watch);
        tree->calls->limited(tree->argument, "only the first 4000 folders are watched");
        return;
    }
    folder = xcalloc(1, sizeof *folder + length + 1);
    (void)snprintf(folder->path, length + 1, "%s%s", path, parent == NULL ? "" : "/");
    folder->length = length;
    folder->parent = parent;
    folder->depth = parent == NULL ? 0 : parent->depth + 1;
    folder->watch = watch;
    folder->ignore = ignore_file_read(whole);
    insert(tree, folder);
    enqueue(tree, folder, tell);
}

/* ---- looking through folders ---- */

static void look_at(struct watch_tree *tree, const struct dirent *entry)
{
    struct folder *folder = tree->current;
    char path[PATH_MAX];
    unsigned char type = entry->d_type;
    struct stat status;

    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
        !path_of(folder, entry->d_name, path))
        return;
    if (type == DT_UNKNOWN && fstatat(dirfd(tree->entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        type = S_ISDIR(status.st_mode) ? DT_DIR : DT_REG;
    if (type == DT_DIR) {
        add_folder(tree, folder, entry->d_name, folder->tell);
        return;
    }
    if (path_set_has(&tree->known, path))
        return;
    (void)path_set_add(&tree->known, path);
    if (folder->tell && !is_foreign(tree, folder, entry->d_name) && !is_ignored(tree, folder, path, false))
        tree->calls->changed(tree->argument, path, false, true);
}

/* Opens the next folder. False when there is none. */
static bool look_at_next(struct watch_tree *tree)
{
    struct folder *folder = TAILQ_FIRST(&tree->queue);
    char whole[PATH_MAX];
    int file;

    if (folder == NULL)
        return false;
    TAILQ_REMOVE(&tree->queue, folder, queue);
    folder->queued = false;
    if (!absolute(tree, folder->path, whole))
        return true;
    file = open(whole, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    tree->entries = file < 0 ? NULL : fdopendir(file);
    if (tree->entries == NULL && file >= 0)
        close(file);
    tree->current = tree->entries == NULL ? NULL : folder;
    return true;
}

bool watch_tree_scan(struct watch_tree *tree, int64_t until_ns)
{
    while (tree->current != NULL || look_at_next(tree)) {
        for (int i = 0; tree->current != NULL && i < ENTRIES_A_LOOK; i++) {
            const struct dirent *entry = readdir(tree->entries);
            if (entry != NULL) {
                look_at(tree, entry);
            } else {
                tree->current->tell = tree->current->queued && tree->current->tell;
                stop_looking(tree);
            }
        }
        if (clock_monotonic_ns() >= until_ns)
            return tree->current != NULL || !TAILQ_EMPTY(&tree->queue);
    }
    return false;
}

/* ---- what happens ---- */

/* Other patterns: folders that are ignored by them go, those that no longer are come. */
static void reload_patterns(struct watch_tree *tree, struct folder *top)
{
    char whole[PATH_MAX];

    if (!absolute(tree, top->path, whole))
        return;
    ignore_destroy(top->ignore);
    top->ignore = ignore_file_read(whole);
    for (size_t i = 0; i < tree->count; i++) {
        struct folder *folder = tree->folders[i];
        char path[PATH_MAX];
        folder->gone = false;
        if (folder == top || !is_below(folder, top) || folder->length >= sizeof path)
            continue;
        memcpy(path, folder->path, folder->length);
        path[folder->length - 1] = '\0';
        folder->gone = is_ignored(tree, folder->parent, path, true);
    }
    /* A folder whose parent goes is gone too, however the patterns see it. */
    for (size_t i = 0; i < tree->count; i++) {
        for (const struct folder *at = tree->folders[i]->parent; at != NULL; at = at->parent)
            tree->folders[i]->gone = tree->folders[i]->gone || at->gone;
    }
    sweep(tree);
    for (size_t i = 0; i < tree->count; i++) {
        if (is_below(tree->folders[i], top))
            enqueue(tree, tree->folders[i], false);
    }
}

static void folder_event(struct watch_tree *tree, struct folder *parent, const struct inotify_event *event)
{
    char path[PATH_MAX];
    size_t length = parent->length + strlen(event->name) + 1;

    if (event->mask & (IN_CREATE | IN_MOVED_TO)) {
        add_folder(tree, parent, event->name, true);
        return;
    }
    if (!(event->mask & IN_MOVED_FROM) || !path_of(parent, event->name, path))
        return;
    for (size_t i = 0; i < tree->count; i++) {
        const struct folder *folder = tree->folders[i];
        if (folder->parent != parent || folder->length != length ||
            memcmp(folder->path, path, length - 1) != 0)
            continue;
        remove_folder(tree, folder);
        tree->calls->changed(tree->argument, path, true, false);
        return;
    }
}

static void file_event(struct watch_tree *tree, struct folder *folder, const struct inotify_event *event)
{
    bool exists = !(event->mask & (IN_DELETE | IN_MOVED_FROM)), existed;
    char path[PATH_MAX];

    if (!path_of(folder, event->name, path) || is_foreign(tree, folder, event->name))
        return;
    if (strcmp(event->name, ".gitignore") == 0)
        reload_patterns(tree, folder);
    if (is_ignored(tree, folder, path, false))
        return;
    existed =
        !(event->mask & IN_CREATE) && (path_set_has(&tree->known, path) || !(event->mask & IN_MOVED_TO) ||
                                       tree->known.count == PATH_SET_MAX);
    if (exists)
        (void)path_set_add(&tree->known, path);
    else
        path_set_remove(&tree->known, path);
    tree->calls->changed(tree->argument, path, existed, exists);
}

static void overflowed(struct watch_tree *tree)
{
    tree->calls->limited(tree->argument, "more changed at once than the system could tell");
    for (size_t i = 0; i < tree->count; i++)
        enqueue(tree, tree->folders[i], true);
}

static void take_event(struct watch_tree *tree, const struct inotify_event *event)
{
    struct folder *folder;

    if (event->mask & IN_Q_OVERFLOW) {
        overflowed(tree);
        return;
    }
    folder = find(tree, event->wd);
    if (folder == NULL)
        return;
    if (event->mask & IN_IGNORED)
        remove_folder(tree, folder);
    else if (event->len == 0)
        return;
    else if (event->mask & IN_ISDIR)
        folder_event(tree, folder, event);
    else
        file_event(tree, folder, event);
}

void watch_tree_read(struct watch_tree *tree, int64_t until_ns)
{
    union {
        struct inotify_event event;
        char bytes[READ_BYTES];
    } space;

    do {
        ssize_t got = read(tree->inotify, space.bytes, sizeof space.bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        for (size_t at = 0; at < (size_t)got;) {
            const struct inotify_event *event = (const void *)(space.bytes + at);
            take_event(tree, event);
            at += sizeof *event + event->len;
        }
    } while (clock_monotonic_ns() < until_ns);
}

/* ---- life ---- */

static void copy_left_out(struct watch_tree *tree, const char *const *left_out)
{
    size_t count = 0;

    while (left_out[count] != NULL)
        count++;
    tree->left_out = xcalloc(count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        tree->left_out[i] = xstrdup(left_out[i]);
}

struct watch_tree *watch_tree_create(const char *root, const char *const *left_out,
                                     const struct watch_tree_calls *calls, void *argument,
                                     struct error *error)
{
    struct watch_tree *tree = xcalloc(1, sizeof *tree);
    const char *home = getenv("HOME");

    tree->calls = calls;
    tree->argument = argument;
    tree->root = xstrdup(strcmp(root, "/") == 0 ? "" : root);
    tree->home = home != NULL && strcmp(home, root) == 0;
    copy_left_out(tree, left_out);
    path_set_init(&tree->known);
    TAILQ_INIT(&tree->queue);
    tree->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (tree->inotify < 0) {
        error_errno(error, "inotify");
    } else {
        tree->above = ignore_above_read(root);
        add_folder(tree, NULL, "", false);
        if (tree->count > 0)
            return tree;
        error_errno(error, "%s", root);
    }
    watch_tree_destroy(tree);
    return NULL;
}

void watch_tree_destroy(struct watch_tree *tree)
{
    if (tree == NULL)
        return;
    for (size_t i = 0; i < tree->count; i++)
        free_folder(tree, tree->folders[i]);
    free(tree->folders);
    for (char **one = tree->left_out; *one != NULL; one++)
        free(*one);
    free(tree->left_out);
    ignore_above_destroy(tree->above);
    path_set_finish(&tree->known);
    if (tree->inotify >= 0)
        close(tree->inotify);
    free(tree->root);
    free(tree);
}

int watch_tree_descriptor(const struct watch_tree *tree)
{
    return tree->inotify;
}

bool watch_tree_gone(const struct watch_tree *tree)
{
    return tree->count == 0;
}

size_t watch_tree_count(const struct watch_tree *tree)
{
    return tree->count;
}
