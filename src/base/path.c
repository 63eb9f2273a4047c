#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file_write.h"
#include "base/memory.h"

char *path_join(const char *folder, const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

/* After mkdir failed: whether a folder is there anyway. Leaves the reason in errno if not. */
static bool is_folder(const char *path)
{
    int reason = errno;
    struct stat status;

    if (reason == EEXIST && stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return true;
        reason = ENOTDIR;
    }
    errno = reason;
    return false;
}

int path_make_dirs(const char *path, unsigned mode, struct error *error)
{
    char *copy;
    int result = 0;

    if (*path == '\0')
        return error_set(error, "cannot make a folder without a name");
    copy = xstrdup(path);
    for (char *slash = copy + 1;; slash++) {
        char kept = *slash;
        if (kept != '/' && kept != '\0')
            continue;
        *slash = '\0';
        if (mkdir(copy, (mode_t)mode) < 0 && !is_folder(copy)) {
            result = error_errno(error, "cannot make the folder %s", copy);
            break;
        }
        *slash = kept;
        if (kept == '\0')
            break;
    }
    free(copy);
    return result;
}

/* Refuses a folder that somebody else could have put there or could read. */
static int check_private(const char *path, struct error *error)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return error_errno(error, "cannot use the runtime folder %s", path);
    if (!S_ISDIR(status.st_mode))
        return error_set(error, "the runtime folder %s is not a folder: remove it, or set GANGER_RUNTIME_DIR",
                         path);
    if (status.st_uid != geteuid())
        return error_set(
            error, "the runtime folder %s belongs to user %u: set GANGER_RUNTIME_DIR to a folder of yours",
            path, (unsigned)status.st_uid);
    if ((status.st_mode & 002) != 0)
        return error_set(
            error, "the runtime folder %s is open to all users: set GANGER_RUNTIME_DIR to a folder of yours",
            path);
    if ((status.st_mode & 077) != 0)
        return error_set(error, "the runtime folder %s is open to other users: chmod 700 %s", path, path);
    return 0;
}

char *path_runtime_name(void)
{
    const char *given = getenv("GANGER_RUNTIME_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");

    if (given != NULL && *given != '\0')
        return xstrdup(given);
    if (xdg != NULL && *xdg == '/')
        return path_join(xdg, "ganger");
    return xasprintf("/tmp/ganger-%u", (unsigned)geteuid());
}

char *path_runtime_dir(struct error *error)
{
    char *path = path_runtime_name();

    if (path[0] != '/') {
        error_set(error, "the runtime folder %s is not an absolute path: correct GANGER_RUNTIME_DIR", path);
    } else if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        error_errno(error, "cannot make the runtime folder %s (set GANGER_RUNTIME_DIR to a folder of yours)",
                    path);
    } else if (check_private(path, error) == 0) {
        return path;
    }
    free(path);
    return NULL;
}

static char *home_folder(const char *override, const char *xdg, const char *under_home, struct error *error)
{
    const char *value = getenv(override), *home = getenv("HOME");

    if (value != NULL && *value != '\0') {
        if (*value == '/')
            return xstrdup(value);
        error_set(error, "%s is not an absolute path: %s", override, value);
        return NULL;
    }
    value = getenv(xdg);
    if (value != NULL && *value == '/')
        return path_join(value, "ganger");
    if (home == NULL || *home != '/') {
        struct passwd *entry = getpwuid(geteuid());
        home = entry != NULL ? entry->pw_dir : NULL;
    }
    if (home == NULL) {
        error_set(error, "there is no home folder: set HOME or %s", override);
        return NULL;
    }
    return xasprintf("%s/%s/ganger", home, under_home);
}

char *path_state_dir(struct error *error)
{
    char *path = home_folder("GANGER_STATE_DIR", "XDG_STATE_HOME", ".local/state", error);

    if (path != NULL && path_make_dirs(path, 0700, error) < 0) {
        free(path);
        path = NULL;
    }
    return path;
}

char *path_config_dir(struct error *error)
{
    return home_folder("GANGER_CONFIG_DIR", "XDG_CONFIG_HOME", ".config", error);
}

char *path_installed(const char *name, struct error *error)
{
    static const char *const places[] = {"", "../libexec/ganger/", "../share/ganger/", "../"};
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (length < 0) {
        error_errno(error, "cannot read /proc/self/exe");
        return NULL;
    }
    self[length] = '\0';
    slash = strrchr(self, '/');
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *place = xasprintf("%s%s", self, places[i]), *folder = realpath(place, NULL);
        char *path = folder == NULL ? NULL : path_join(folder, name);
        free(place);
        free(folder);
        if (path != NULL && access(path, F_OK) == 0)
            return path;
        free(path);
    }
    error_set(error, "%s is not installed beside %s: run `make install` again", name, self);
    return NULL;
}

/* Takes the descriptor. */
static int read_whole(int file, const char *path, size_t limit, char **bytes, size_t *length,
                      struct error *error)
{
    struct buffer content;
    struct stat status;
    ssize_t got;

    if (file < 0)
        return error_errno(error, "cannot open %s", path);
    if (fstat(file, &status) == 0 && S_ISFIFO(status.st_mode)) {
        close(file);
        return error_set(error, "%s is not a file", path);
    }
    buffer_init(&content);
    for (;;) {
        got = read(file, buffer_reserve(&content, 16384), 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        content.length += (size_t)got;
        if (content.length > limit)
            break;
    }
    if (got < 0) {
        error_errno(error, "cannot read %s", path);
    } else if (content.length > limit) {
        error_set(error, "%s is larger than %zu bytes", path, limit);
    } else {
        *buffer_reserve(&content, 0) = '\0';
        *length = content.length;
        *bytes = buffer_steal(&content);
        close(file);
        return 0;
    }
    close(file);
    buffer_finish(&content);
    return -1;
}

int path_read_file(const char *path, size_t limit, char **bytes, size_t *length, struct error *error)
{
    /* Opening a FIFO must not wait for a writer. */
    return read_whole(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path, limit, bytes, length, error);
}

int path_read_at(int folder, const char *name, size_t limit, char **bytes, size_t *length,
                 struct error *error)
{
    return read_whole(openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW), name, limit,
                      bytes, length, error);
}

int path_write_atomic(int folder, const char *name, const void *bytes, size_t length, struct error *error)
{
    char temporary[NAME_MAX];
    int file;

    (void)snprintf(temporary, sizeof temporary, ".%s.%d.tmp", name, (int)getpid());
    file = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return error_errno(error, "cannot write %s", name);
    if (file_write(file, bytes, length) < 0 || fsync(file) < 0 ||
        renameat(folder, temporary, folder, name) < 0)
        goto failed;
    close(file);
    /* Not every file system knows this for folders; the old file stays then, after a power loss. */
    (void)fsync(folder);
    return 0;
failed:
    error_errno(error, "cannot write %s", name);
    close(file);
    (void)unlinkat(folder, temporary, 0);
    return -1;
}

/* A folder of one's own can be closed to oneself. */
static int open_to_remove(int parent, const char *name)
{
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (folder >= 0 || errno != EACCES)
        return folder;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
        status.st_uid == geteuid() && fchmodat(parent, name, 0700, 0) == 0)
        return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    errno = EACCES;
    return -1;
}

static int remove_at(int parent, const char *name);

/* Two may remove the same folder at once: what is gone already is well. Returns 0, or an errno value. */
static int empty_folder(int folder, DIR *entries)
{
    int problem = 0;

    (void)fchmod(folder, 0700);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            remove_at(folder, entry->d_name) < 0 && errno != ENOENT)
            problem = errno;
    }
    return problem;
}

static int remove_at(int parent, const char *name)
{
    int folder = open_to_remove(parent, name), problem;
    DIR *entries;

    if (folder < 0)
        return errno == ENOTDIR || errno == ELOOP ? unlinkat(parent, name, 0) : -1;
    entries = fdopendir(folder);
    if (entries == NULL) {
        problem = errno;
        close(folder);
        errno = problem;
        return -1;
    }
    problem = empty_folder(folder, entries);
    if (problem == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0) {
        problem = errno;
        /* What appeared, or was passed over, while the folder was read. */
        if (problem == ENOTEMPTY || problem == EEXIST) {
            rewinddir(entries);
            problem = empty_folder(folder, entries);
            if (problem == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
                problem = errno;
        }
    }
    (void)closedir(entries);
    errno = problem;
    return problem == 0 ? 0 : -1;
}

int path_remove_tree(const char *path, struct error *error)
{
    if (remove_at(AT_FDCWD, path) < 0)
        return error_errno(error, "cannot remove %s", path);
    return 0;
}
