/* The watch of a tree, with real files; and what waits to be told. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/change_list.h"
#include "host/path_set.h"
#include "host/watch_tree.h"
#include "scratch.h"
#include "test.h"

#define SLICE_NS 2000000

/* ---- a tree and what it tells, as one change a path ---- */

struct seen {
    struct change_list changes;
    int limited;
    char text[4096]; /* of the changes, in their order */
};

struct bench {
    char *root;
    struct watch_tree *tree;
    struct seen seen;
};

static void changed(void *argument, const char *path, bool existed, bool exists)
{
    struct seen *seen = argument;

    (void)change_list_add(&seen->changes, path, existed, exists, 1);
}

static void limited(void *argument, const char *why)
{
    struct seen *seen = argument;

    (void)why;
    seen->limited++;
}

static const struct watch_tree_calls calls = {changed, limited};

static void append(void *argument, const struct change *change)
{
    struct seen *seen = argument;
    size_t length = strlen(seen->text);

    (void)snprintf(seen->text + length, sizeof seen->text - length, "%s%c%s", length == 0 ? "" : " ",
                   !change->existed  ? '+'
                   : !change->exists ? '-'
                                     : '~',
                   change->path);
}

static void make_file(const struct bench *bench, const char *path, const char *text)
{
    free(scratch_file(bench->root, path, text, strlen(text)));
}

static void make_folder(const struct bench *bench, const char *path)
{
    char *whole = path_join(bench->root, path);

    if (path_make_dirs(whole, 0700, NULL) < 0)
        abort();
    free(whole);
}

static void move(const struct bench *bench, const char *from, const char *to)
{
    char *old = path_join(bench->root, from), *new = path_join(bench->root, to);

    if (rename(old, new) < 0)
        abort();
    free(old);
    free(new);
}

static void drop(const struct bench *bench, const char *path)
{
    char *whole = path_join(bench->root, path);

    if (path_remove_tree(whole, NULL) < 0)
        abort();
    free(whole);
}

static void settle(struct bench *bench)
{
    struct pollfd wait = {.fd = watch_tree_descriptor(bench->tree), .events = POLLIN};
    bool more = true;

    while (more || poll(&wait, 1, 0) > 0) {
        watch_tree_read(bench->tree, clock_monotonic_ns() + SLICE_NS);
        more = watch_tree_scan(bench->tree, clock_monotonic_ns() + SLICE_NS);
    }
}

static void open_bench(struct bench *bench)
{
    *bench = (struct bench){.root = scratch_folder()};
    change_list_init(&bench->seen.changes);
}

/* Watches what is in the bench, without `left_out` unless it is NULL. */
static void start(struct bench *bench, const char *left_out)
{
    const char *const list[] = {left_out, NULL};
    struct error error;

    bench->tree = watch_tree_create(bench->root, list, &calls, &bench->seen, &error);
    if (bench->tree == NULL)
        abort();
    settle(bench);
}

static void close_bench(struct bench *bench)
{
    watch_tree_destroy(bench->tree);
    change_list_finish(&bench->seen.changes);
    free(bench->root);
}

/* What has happened since the last call. */
static const char *happened(struct bench *bench)
{
    settle(bench);
    bench->seen.text[0] = '\0';
    change_list_take(&bench->seen.changes, INT64_MAX, append, &bench->seen);
    return bench->seen.text;
}

TEST(files_come_change_and_go)
{
    struct bench bench;

    open_bench(&bench);
    make_file(&bench, "old", "1");
    make_file(&bench, "gone", "1");
    make_folder(&bench, "a/b");
    start(&bench, NULL);
    CHECK_STRING(happened(&bench), "");
    CHECK_NUMBER(watch_tree_count(bench.tree), 3);
    make_file(&bench, "old", "2");
    make_file(&bench, "a/b/new", "1");
    drop(&bench, "gone");
    CHECK_STRING(happened(&bench), "~old +a/b/new -gone");
    make_file(&bench, "a/b/new", "2");
    CHECK_STRING(happened(&bench), "~a/b/new");
    close_bench(&bench);
}

TEST(a_file_put_in_place_of_another_is_modified)
{
    struct bench bench;

    open_bench(&bench);
    make_file(&bench, "kept", "1");
    make_file(&bench, "again", "1");
    make_file(&bench, "backed", "1");
    start(&bench, NULL);
    make_file(&bench, "kept.tmp", "2");
    move(&bench, "kept.tmp", "kept");
    CHECK_STRING(happened(&bench), "~kept");
    make_file(&bench, "fresh.tmp", "2");
    move(&bench, "fresh.tmp", "fresh");
    CHECK_STRING(happened(&bench), "+fresh");
    drop(&bench, "again");
    make_file(&bench, "again", "2");
    CHECK_STRING(happened(&bench), "~again");
    move(&bench, "backed", "backed~");
    make_file(&bench, "backed", "2");
    drop(&bench, "backed~");
    CHECK_STRING(happened(&bench), "~backed");
    close_bench(&bench);
}

TEST(folders_that_come_are_watched)
{
    struct bench bench;

    open_bench(&bench);
    start(&bench, NULL);
    make_folder(&bench, "x/y/z");
    make_file(&bench, "x/y/z/early", "1");
    CHECK_STRING(happened(&bench), "+x/y/z/early");
    make_file(&bench, "x/y/z/late", "1");
    CHECK_STRING(happened(&bench), "+x/y/z/late");
    drop(&bench, "x/y/z/early");
    CHECK_STRING(happened(&bench), "-x/y/z/early");
    move(&bench, "x/y", "w");
    CHECK_STRING(happened(&bench), "-x/y +w/z/late");
    make_file(&bench, "w/z/late", "2");
    CHECK_STRING(happened(&bench), "~w/z/late");
    drop(&bench, "w");
    CHECK_STRING(happened(&bench), "-w/z/late");
    CHECK_NUMBER(watch_tree_count(bench.tree), 2);
    make_folder(&bench, "w");
    make_file(&bench, "w/once", "1");
    CHECK_STRING(happened(&bench), "+w/once");
    close_bench(&bench);
}

TEST(what_is_ignored_is_not_told)
{
    struct bench bench;
    char *left_out;

    open_bench(&bench);
    make_file(&bench, ".gitignore", "*.o\nbuild/\n!keep.o\n");
    make_folder(&bench, "src/deep");
    make_file(&bench, "src/.gitignore", "!*.o\n/deep/*.log\n");
    make_folder(&bench, "build");
    make_folder(&bench, ".git/objects");
    make_folder(&bench, "lib/node_modules/x");
    make_folder(&bench, "state");
    left_out = path_join(bench.root, "state");
    start(&bench, left_out);
    CHECK_NUMBER(watch_tree_count(bench.tree), 4);
    make_file(&bench, "x.o", "1");
    make_file(&bench, "keep.o", "1");
    make_file(&bench, "build/x", "1");
    make_file(&bench, ".git/HEAD", "1");
    make_file(&bench, "lib/node_modules/x/y", "1");
    make_file(&bench, "state/y", "1");
    make_file(&bench, "src/x.o", "1");
    make_file(&bench, "src/deep/x.log", "1");
    make_file(&bench, "src/deep/x.txt", "1");
    make_folder(&bench, "src/build");
    make_file(&bench, "src/build/x", "1");
    CHECK_STRING(happened(&bench), "+keep.o +src/x.o +src/deep/x.txt");
    make_file(&bench, ".gitignore", "src\n");
    CHECK_STRING(happened(&bench), "~.gitignore");
    make_file(&bench, "x.o", "2");
    make_file(&bench, "build/x", "2");
    make_file(&bench, "src/x.o", "2");
    CHECK_STRING(happened(&bench), "~x.o ~build/x");
    drop(&bench, ".gitignore");
    CHECK_STRING(happened(&bench), "-.gitignore");
    make_file(&bench, "src/build/x", "2");
    CHECK_STRING(happened(&bench), "~src/build/x");
    free(left_out);
    close_bench(&bench);
}

TEST(patterns_from_above_count)
{
    struct bench bench;
    char *top;

    open_bench(&bench);
    top = bench.root;
    make_folder(&bench, ".git/info");
    make_folder(&bench, "sub/inner");
    make_file(&bench, ".git/info/exclude", "secret\nsub/inner/b\n!never\n");
    make_file(&bench, ".gitignore", "*.tmp\n/sub/inner/a\nnever\n");
    make_file(&bench, "sub/.gitignore", "inner/c\n");
    bench.root = path_join(top, "sub/inner");
    start(&bench, NULL);
    for (const char *const *name =
             (const char *const[]){"x.tmp", "a", "b", "c", "never", "secret", "d", NULL};
         *name != NULL; name++)
        make_file(&bench, *name, "1");
    CHECK_STRING(happened(&bench), "+d");
    free(top);
    close_bench(&bench);
}

TEST(what_is_no_file_does_no_harm)
{
    struct bench bench;
    char *path;

    open_bench(&bench);
    path = path_join(bench.root, ".gitignore");
    CHECK(mkfifo(path, 0600) == 0);
    free(path);
    path = path_join(bench.root, "loop");
    CHECK(symlink(".", path) == 0);
    free(path);
    make_folder(&bench, "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d");
    start(&bench, NULL);
    CHECK_NUMBER(watch_tree_count(bench.tree), WATCH_DEPTH_MAX + 1);
    CHECK(bench.seen.limited > 0);
    make_file(&bench, "\xFF\xFE\n", "1");
    CHECK_STRING(happened(&bench), "+\xFF\xFE\n");
    CHECK(path_remove_tree(bench.root, NULL) == 0);
    settle(&bench);
    CHECK(watch_tree_gone(bench.tree));
    close_bench(&bench);
}

TEST(no_more_folders_than_agreed)
{
    struct bench bench;
    char name[64];

    open_bench(&bench);
    for (int i = 0; i < WATCH_FOLDERS_MAX + 10; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        make_folder(&bench, name);
    }
    start(&bench, NULL);
    CHECK_NUMBER(watch_tree_count(bench.tree), WATCH_FOLDERS_MAX);
    CHECK(bench.seen.limited > 0);
    make_file(&bench, "still", "1");
    CHECK_STRING(happened(&bench), "+still");
    close_bench(&bench);
}

TEST(slices_are_short)
{
    struct bench bench;
    char name[64];
    int slices = 0;
    const char *const none[] = {NULL};

    open_bench(&bench);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof name, "%d/x", i);
        make_folder(&bench, name);
    }
    bench.tree = watch_tree_create(bench.root, none, &calls, &bench.seen, NULL);
    CHECK_NUMBER(watch_tree_count(bench.tree), 1);
    /* A slice whose time is over does a little. */
    while (watch_tree_scan(bench.tree, 0))
        slices++;
    CHECK(slices >= 300 / 4);
    CHECK_NUMBER(watch_tree_count(bench.tree), 601);
    close_bench(&bench);
}

/* ---- what waits ---- */

TEST(a_change_waits_until_it_is_quiet)
{
    struct seen seen = {.text = ""};

    change_list_init(&seen.changes);
    CHECK(change_list_due(&seen.changes) == INT64_MAX);
    change_list_add(&seen.changes, "a", true, true, 1000);
    change_list_add(&seen.changes, "b", false, true, 1010);
    CHECK_NUMBER(change_list_due(&seen.changes), 1200);
    change_list_add(&seen.changes, "a", true, true, 1100);
    CHECK_NUMBER(change_list_due(&seen.changes), 1210);
    change_list_take(&seen.changes, 1250, append, &seen);
    CHECK_STRING(seen.text, "+b");
    for (int64_t now = 1200; now < 3000; now += 100)
        change_list_add(&seen.changes, "a", true, true, now);
    CHECK_NUMBER(change_list_due(&seen.changes), 2000);
    change_list_take(&seen.changes, 2000, append, &seen);
    CHECK_STRING(seen.text, "+b ~a");
    CHECK_NUMBER(seen.changes.count, 0);
    change_list_add(&seen.changes, "a", true, true, 1000);
    change_list_forget(&seen.changes, "a");
    change_list_forget(&seen.changes, "a");
    CHECK(change_list_due(&seen.changes) == INT64_MAX);
    change_list_finish(&seen.changes);
}

TEST(changes_of_a_path_are_one)
{
    struct seen seen = {.text = ""};

    change_list_init(&seen.changes);
    change_list_add(&seen.changes, "came-and-went", false, true, 0);
    change_list_add(&seen.changes, "came-and-went", true, false, 0);
    change_list_add(&seen.changes, "replaced", true, false, 0);
    change_list_add(&seen.changes, "replaced", false, true, 0);
    change_list_add(&seen.changes, "deleted", true, true, 0);
    change_list_add(&seen.changes, "deleted", true, false, 0);
    change_list_take(&seen.changes, INT64_MAX, append, &seen);
    CHECK_STRING(seen.text, "~replaced -deleted");
    change_list_finish(&seen.changes);
}

TEST(what_waits_is_bounded)
{
    struct change_list list;
    char name[32];

    change_list_init(&list);
    for (int i = 0; i < CHANGES_MAX; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        CHECK(change_list_add(&list, name, false, true, i));
    }
    CHECK(!change_list_add(&list, "one more", false, true, 0));
    CHECK(change_list_add(&list, "17", false, true, 0));
    change_list_finish(&list);
}

TEST(paths_are_known_by_their_hash)
{
    struct path_set set;
    char name[32];
    int wrong = 0;

    path_set_init(&set);
    CHECK(!path_set_has(&set, "1"));
    path_set_remove(&set, "1");
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof name, "folder/%d", i);
        CHECK(path_set_add(&set, name));
    }
    for (int i = 0; i < 20000; i += 2) {
        (void)snprintf(name, sizeof name, "folder/%d", i);
        path_set_remove(&set, name);
    }
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof name, "folder/%d", i);
        wrong += path_set_has(&set, name) != (i % 2 == 1);
    }
    CHECK(wrong <= 2);
    for (int i = 0; set.count < PATH_SET_MAX; i++) {
        (void)snprintf(name, sizeof name, "more/%d", i);
        CHECK(path_set_add(&set, name));
    }
    CHECK(!path_set_add(&set, "one more"));
    path_set_finish(&set);
}

TEST_MAIN
