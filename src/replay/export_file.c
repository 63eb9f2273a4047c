#include "replay/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

#define BATCH ((size_t)256 * 1024)

struct export_file {
    int descriptor;
    char *path;      /* for messages */
    char *place;     /* where it goes; NULL: it is written where it is */
    char *temporary; /* NULL likewise */
    bool force;
    struct buffer waiting;
};

/* ---- signals ---- */

static const int ending_signals[] = {SIGHUP, SIGINT, SIGTERM};
static const char *volatile removed_by_signal;

static void end_by_signal(int number)
{
    const char *path = removed_by_signal;

    if (path != NULL)
        (void)unlink(path);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void watch_signals(const char *temporary)
{
    struct sigaction action = {.sa_handler = end_by_signal}, before;

    removed_by_signal = temporary;
    (void)signal(SIGXFSZ, SIG_IGN); /* writing fails then */
    for (size_t i = 0; i < sizeof ending_signals / sizeof *ending_signals; i++)
        if (sigaction(ending_signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(ending_signals[i], &action, NULL);
}

/* ---- opening ---- */

static struct export_file *file_of(int descriptor, const char *path)
{
    struct export_file *file = xcalloc(1, sizeof *file);

    file->descriptor = descriptor;
    file->path = xstrdup(path);
    buffer_init(&file->waiting);
    return file;
}

static struct export_file *open_directly(const char *path, struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (descriptor >= 0)
        return file_of(descriptor, path);
    error_errno(error, "cannot write %s", path);
    return NULL;
}

/* Beside the file that `path` names, or that a link of that name leads to. */
static struct export_file *open_beside(const char *path, mode_t mode, bool force, struct error *error)
{
    char *real = realpath(path, NULL), *place = real != NULL ? real : xstrdup(path);
    char *temporary = xasprintf("%s.tmp-%ld", place, (long)getpid());
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    struct export_file *file;

    if (descriptor < 0) {
        error_errno(error, "cannot write %s", path);
        free(place);
        free(temporary);
        return NULL;
    }
    file = file_of(descriptor, path);
    file->place = place;
    file->temporary = temporary;
    file->force = force;
    watch_signals(temporary);
    return file;
}

static int refuse_existing(const char *path, struct error *error)
{
    return error_set(error, "%s exists: --force replaces it", path);
}

struct export_file *export_file_create(const char *path, bool force, struct error *error)
{
    struct stat status;

    if (strcmp(path, "-") == 0)
        return file_of(STDOUT_FILENO, "standard output");
    if (stat(path, &status) < 0) {
        if (lstat(path, &status) < 0)
            return open_beside(path, 0666, force, error);
        error_set(error, "%s is a link to a file that is not there: name that file", path);
        return NULL;
    }
    if (S_ISDIR(status.st_mode)) {
        error_set(error, "%s is a directory: name a file in it", path);
        return NULL;
    }
    if (!S_ISREG(status.st_mode))
        return open_directly(path, error);
    if (force)
        return open_beside(path, status.st_mode & 0777, force, error);
    refuse_existing(path, error);
    return NULL;
}

/* ---- writing ---- */

static int write_failed(struct export_file *file, struct error *error)
{
    int code = errno;

    file->waiting.length = 0;
    if (file->descriptor > STDOUT_FILENO)
        close(file->descriptor);
    file->descriptor = -1;
    errno = code;
    return error_errno(error, "cannot write %s", file->path);
}

static int flush(struct export_file *file, struct error *error)
{
    size_t done = 0;

    if (file->descriptor < 0)
        return error_set(error, "cannot write %s: an earlier attempt failed", file->path);
    while (done < file->waiting.length) {
        ssize_t wrote = write(file->descriptor, file->waiting.bytes + done, file->waiting.length - done);
        if (wrote >= 0) {
            done += (size_t)wrote;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = file->descriptor, .events = POLLOUT};
            (void)poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return write_failed(file, error);
        }
    }
    buffer_clear(&file->waiting);
    return 0;
}

int export_file_write(struct export_file *file, const void *bytes, size_t length, struct error *error)
{
    if (file->waiting.length + length > BATCH && flush(file, error) < 0)
        return -1;
    buffer_append(&file->waiting, bytes, length);
    return file->waiting.length >= BATCH ? flush(file, error) : 0;
}

static int move_into_place(const struct export_file *file, struct error *error)
{
    if (file->force) {
        if (rename(file->temporary, file->place) == 0)
            return 0;
    } else {
        if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->place, RENAME_NOREPLACE) == 0)
            return 0;
        /* Not every file system can; a link does not replace anything either. */
        if ((errno == EINVAL || errno == ENOSYS) && link(file->temporary, file->place) == 0) {
            (void)unlink(file->temporary);
            return 0;
        }
        if (errno == EEXIST)
            return refuse_existing(file->path, error);
    }
    return error_errno(error, "cannot write %s", file->path);
}

static void release(struct export_file *file)
{
    if (file->descriptor > STDOUT_FILENO)
        close(file->descriptor);
    removed_by_signal = NULL;
    buffer_finish(&file->waiting);
    free(file->path);
    free(file->place);
    free(file->temporary);
    free(file);
}

int export_file_finish(struct export_file *file, struct error *error)
{
    int result = flush(file, error);

    if (result == 0 && file->temporary != NULL) {
        if (fsync(file->descriptor) < 0)
            result = write_failed(file, error);
        else
            result = move_into_place(file, error);
    }
    if (result < 0) {
        export_file_discard(file);
        return -1;
    }
    release(file);
    return 0;
}

void export_file_discard(struct export_file *file)
{
    if (file == NULL)
        return;
    if (file->temporary != NULL)
        (void)unlink(file->temporary);
    release(file);
}
