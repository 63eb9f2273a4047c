#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "scratch.h"
#include "test.h"

/* path_runtime_dir with this GANGER_RUNTIME_DIR: whether it was taken. */
static bool runtime_at(const char *path, struct error *error)
{
    char *result;
    bool same;

    (void)setenv("GANGER_RUNTIME_DIR", path, 1);
    result = path_runtime_dir(error);
    (void)unsetenv("GANGER_RUNTIME_DIR");
    same = result != NULL && strcmp(result, path) == 0;
    free(result);
    return same;
}

TEST(runtime_folder_is_made_private)
{
    char *folder = scratch_folder(), *path = path_join(folder, "run");
    struct error error;
    struct stat status;

    CHECK(runtime_at(path, &error));
    CHECK_NUMBER(stat(path, &status), 0);
    CHECK_NUMBER(status.st_mode & 07777, 0700);
    CHECK(runtime_at(path, &error));
    free(path);
    free(folder);
}

TEST(runtime_folder_that_is_not_ours_is_refused)
{
    char *folder = scratch_folder(), *path = path_join(folder, "run"), *link = path_join(folder, "link");
    struct error error;

    CHECK_NUMBER(mkdir(path, 0700), 0);
    CHECK_NUMBER(chmod(path, 0750), 0);
    CHECK(!runtime_at(path, &error));
    CHECK(strstr(error.text, "is open to other users: chmod 700 ") != NULL);
    CHECK_NUMBER(chmod(path, 0700), 0);
    CHECK_NUMBER(symlink(path, link), 0);
    CHECK(!runtime_at(link, &error));
    CHECK(strstr(error.text, "is not a folder: remove it, or set GANGER_RUNTIME_DIR") != NULL);
    if (geteuid() == 0) {
        CHECK_NUMBER(chown(path, 65534, 65534), 0);
        CHECK(!runtime_at(path, &error));
        CHECK(strstr(error.text, "belongs to user 65534: set GANGER_RUNTIME_DIR to a folder of yours") !=
              NULL);
    }
    CHECK(!runtime_at("relative/run", &error));
    CHECK(strstr(error.text, "is not an absolute path: correct GANGER_RUNTIME_DIR") != NULL);
    free(link);
    link = path_join(folder, "none/run");
    CHECK(!runtime_at(link, &error));
    CHECK_NUMBER(error.code, ENOENT);
    free(link);
    free(path);
    free(folder);
}

TEST(runtime_folder_of_the_login_session)
{
    char *folder = scratch_folder(), *path = path_join(folder, "ganger"), *result;
    struct error error;

    (void)unsetenv("GANGER_RUNTIME_DIR");
    (void)setenv("XDG_RUNTIME_DIR", folder, 1);
    result = path_runtime_dir(&error);
    CHECK_STRING(result, path);
    free(result);
    (void)unsetenv("XDG_RUNTIME_DIR");
    free(path);
    free(folder);
}

TEST(state_and_config_folders)
{
    char *folder = scratch_folder(), *expected = path_join(folder, ".local/state/ganger"), *result;
    struct error error;
    struct stat status;

    (void)unsetenv("GANGER_STATE_DIR");
    (void)setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
    (void)setenv("HOME", folder, 1);
    result = path_state_dir(&error);
    CHECK_STRING(result, expected);
    CHECK_NUMBER(stat(expected, &status), 0);
    CHECK_NUMBER(status.st_mode & 07777, 0700);
    free(result);
    (void)setenv("XDG_CONFIG_HOME", "/x", 1);
    result = path_config_dir(&error);
    CHECK_STRING(result, "/x/ganger");
    free(result);
    (void)setenv("GANGER_CONFIG_DIR", "here", 1);
    CHECK(path_config_dir(&error) == NULL);
    CHECK_STRING(error.text, "GANGER_CONFIG_DIR is not an absolute path: here");
    (void)unsetenv("GANGER_CONFIG_DIR");
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)unsetenv("XDG_STATE_HOME");
    free(expected);
    free(folder);
}

TEST(folders_are_made_and_files_in_the_way_reported)
{
    char *folder = scratch_folder(), *deep = path_join(folder, "a/b/c/"),
         *file = scratch_file(folder, "file", "x", 1);
    char *under = path_join(file, "d"), *slash = path_join(folder, "file2");
    struct error error;
    struct stat status;

    CHECK_NUMBER(path_make_dirs(deep, 0700, &error), 0);
    CHECK_NUMBER(path_make_dirs(deep, 0700, &error), 0);
    CHECK(stat(deep, &status) == 0 && S_ISDIR(status.st_mode));
    CHECK_NUMBER(path_make_dirs("/", 0700, &error), 0);
    CHECK_NUMBER(path_make_dirs(file, 0700, &error), -1);
    CHECK_NUMBER(error.code, ENOTDIR);
    CHECK_NUMBER(path_make_dirs(under, 0700, &error), -1);
    CHECK_NUMBER(error.code, ENOTDIR);
    CHECK_NUMBER(path_make_dirs("", 0700, &error), -1);
    CHECK_NUMBER(symlink("a", slash), 0);
    CHECK_NUMBER(path_make_dirs(slash, 0700, &error), 0);
    free(slash);
    free(under);
    free(file);
    free(deep);
    free(folder);
}

TEST(files_are_read_up_to_the_limit)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "f", "12345", 5), *bytes;
    struct error error;
    size_t length;

    CHECK_NUMBER(path_read_file(path, 5, &bytes, &length, &error), 0);
    CHECK_NUMBER(length, 5);
    CHECK_STRING(bytes, "12345");
    free(bytes);
    CHECK_NUMBER(path_read_file(path, 4, &bytes, &length, &error), -1);
    CHECK(strstr(error.text, "is larger than 4 bytes") != NULL);
    CHECK_NUMBER(path_read_file(folder, 4, &bytes, &length, &error), -1);
    CHECK_NUMBER(error.code, EISDIR);
    free(path);
    path = path_join(folder, "fifo");
    CHECK_NUMBER(mkfifo(path, 0600), 0);
    CHECK_NUMBER(path_read_file(path, 4, &bytes, &length, &error), -1);
    CHECK(strstr(error.text, "is not a file") != NULL);
    free(path);
    free(folder);
}

TEST(atomic_writing_keeps_the_old_file_when_the_disk_is_full)
{
    char *folder = scratch_folder(), *path = path_join(folder, "f"), *bytes;
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
    struct error error;
    size_t length;
    pid_t child;

    CHECK_NUMBER(path_write_atomic(directory, "f", "old", 3, &error), 0);
    child = fork();
    if (child == 0) {
        struct rlimit two = {2, 2};
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &two);
        _exit(path_write_atomic(directory, "f", "newer", 5, &error) == -1 && error.code == EFBIG ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_NUMBER(status, 0);
    CHECK_NUMBER(path_read_file(path, 100, &bytes, &length, &error), 0);
    CHECK_STRING(bytes, "old");
    free(bytes);
    CHECK_NUMBER(path_write_atomic(directory, "f", "", 0, &error), 0);
    CHECK_NUMBER(path_read_file(path, 100, &bytes, &length, &error), 0);
    CHECK_NUMBER(length, 0);
    free(bytes);
    CHECK_NUMBER(unlinkat(directory, "f", 0), 0);
    close(directory);
    CHECK_NUMBER(rmdir(folder), 0);
    free(path);
    free(folder);
}

TEST(removing_does_not_follow_links)
{
    char *folder = scratch_folder(), *kept = path_join(folder, "kept"), *tree = path_join(folder, "tree/a/b");
    char *file, *link = path_join(folder, "tree/a/link"), *top = path_join(folder, "tree");
    struct error error;

    CHECK_NUMBER(path_make_dirs(kept, 0700, &error), 0);
    CHECK_NUMBER(path_make_dirs(tree, 0700, &error), 0);
    file = scratch_file(kept, "f", "x", 1);
    free(scratch_file(tree, "g", "x", 1));
    CHECK_NUMBER(symlink(kept, link), 0);
    CHECK_NUMBER(path_remove_tree(top, &error), 0);
    CHECK_NUMBER(access(top, F_OK), -1);
    CHECK_NUMBER(access(file, F_OK), 0);
    CHECK_NUMBER(path_remove_tree(top, &error), -1);
    free(file);
    free(top);
    free(link);
    free(tree);
    free(kept);
    free(folder);
}

TEST(a_link_is_not_read_where_a_file_is_asked_for)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "file", "text", 4), *link, *bytes;
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct error error;
    size_t length;

    link = path_join(folder, "link");
    CHECK_NUMBER(symlink(path, link), 0);
    CHECK_NUMBER(path_read_at(descriptor, "file", 10, &bytes, &length, &error), 0);
    CHECK_STRING(bytes, "text");
    free(bytes);
    CHECK_NUMBER(path_read_at(descriptor, "link", 10, &bytes, &length, &error), -1);
    CHECK_NUMBER(error.code, ELOOP);
    CHECK_NUMBER(path_read_at(descriptor, "file", 3, &bytes, &length, &error), -1);
    close(descriptor);
    free(link);
    free(path);
    free(folder);
}

TEST(a_tree_that_many_remove_at_once_is_gone)
{
    char *folder = scratch_folder(), *tree = path_join(folder, "tree");
    pid_t children[4];

    for (int i = 0; i < 300; i++) {
        char *inner = xasprintf("%s/%d/deep", tree, i);
        CHECK_NUMBER(path_make_dirs(inner, 0700, NULL), 0);
        free(inner);
    }
    for (size_t i = 0; i < 4; i++) {
        struct error error = {0};
        children[i] = fork();
        if (children[i] == 0)
            _exit(path_remove_tree(tree, &error) < 0 && error.code != ENOENT);
    }
    for (size_t i = 0; i < 4; i++) {
        int status = -1;
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
    CHECK(access(tree, F_OK) < 0 && errno == ENOENT);
    free(tree);
    free(folder);
}

TEST_MAIN
