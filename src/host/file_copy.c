#include "host/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_write.h"
#include "base/memory.h"

#define CHUNK (64 * 1024)

int file_copy_parent(int folder, const char *path, int make)
{
    int at = fcntl(folder, F_DUPFD_CLOEXEC, 3);

    for (const char *slash; at >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        char step[NAME_MAX + 1];
        int next;
        if ((size_t)(slash - path) >= sizeof step) {
            close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(step, path, (size_t)(slash - path));
        step[slash - path] = '\0';
        if (make && mkdirat(at, step, 0700) < 0 && errno != EEXIST) {
            close(at);
            return -1;
        }
        next = openat(at, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(at);
        at = next;
    }
    return at;
}

/* Not more than the file had when it was opened. */
static int copy_bytes(int from, int to, int64_t size)
{
    char *chunk = xmalloc(CHUNK);
    int result = 0;

    while (size > 0 && result == 0) {
        ssize_t got = read(from, chunk, size < CHUNK ? (size_t)size : CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            break;
        if (got < 0 || file_write(to, chunk, (size_t)got) < 0)
            result = -1;
        size -= got;
    }
    free(chunk);
    return result;
}

/* Writes beside the file and puts it in its place. */
static int put(int from, const struct stat *status, int folder, const char *name)
{
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    char temporary[NAME_MAX + 1];
    int file, problem;

    if (snprintf(temporary, sizeof temporary, ".carried.%d.tmp", (int)getpid()) < 0)
        return -1;
    if (unlinkat(folder, temporary, 0) < 0 && errno != ENOENT)
        return -1;
    file = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return -1;
    if (copy_bytes(from, file, status->st_size) == 0 && futimens(file, times) == 0 && fsync(file) == 0 &&
        renameat(folder, temporary, folder, name) == 0) {
        close(file);
        return 0;
    }
    problem = errno;
    close(file);
    (void)unlinkat(folder, temporary, 0);
    errno = problem;
    return -1;
}

/* 0: it is to be written; 1: it is the same file; -1 with errno. */
static int look(int folder, const char *name, const struct stat *source)
{
    struct stat there;

    if (fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    if (there.st_dev == source->st_dev && there.st_ino == source->st_ino)
        return 1;
    errno = !S_ISREG(there.st_mode) ? EPERM : EEXIST;
    return S_ISREG(there.st_mode) && there.st_size <= source->st_size ? 0 : -1;
}

static int copy_open(int file, const struct stat *status, int to, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    int folder = file_copy_parent(to, path, 1), result, problem;

    if (folder < 0)
        return -1;
    result = look(folder, name, status);
    if (result == 0)
        result = put(file, status, folder, name);
    problem = errno;
    close(folder);
    errno = problem;
    return result < 0 ? -1 : 0;
}

int64_t file_copy(int from, const char *name, int to, const char *path, struct error *error)
{
    /* A pipe must not hold who opens it. */
    int file = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), result;
    struct stat status;

    if (file < 0 || fstat(file, &status) < 0) {
        (void)error_errno(error, "cannot read %s", name);
        if (file >= 0)
            close(file);
        return -1;
    }
    errno = !S_ISREG(status.st_mode) || status.st_uid != geteuid() ? EPERM
            : status.st_size > FILE_COPY_MAX                       ? EFBIG
                                                                   : 0;
    result = errno != 0 ? -1 : copy_open(file, &status, to, path);
    if (result < 0 && errno == EEXIST) {
        (void)error_set(error, "the other account's %s is longer: the conversation went on there", path);
        if (error != NULL)
            error->code = EEXIST;
    } else if (result < 0) {
        (void)error_errno(error, "cannot copy %s", path);
    }
    close(file);
    return result < 0 ? -1 : status.st_size;
}
