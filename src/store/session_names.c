#include "store/session_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/session_dir.h"

static int take_lock(struct session_names *names, const char *path, struct error *error)
{
    names->lock = openat(names->folder, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (names->lock < 0)
        return error_errno(error, "cannot write in %s (set GANGER_STATE_DIR to a folder of yours)", path);
    while (flock(names->lock, LOCK_EX) < 0) {
        if (errno != EINTR)
            return error_errno(error, "cannot lock %s/.lock", path);
    }
    return 0;
}

static int make_folder(const char *path, struct error *error)
{
    int result = path_make_dirs(path, 0700, error);

    if (result == 0 || error == NULL ||
        (error->code != EACCES && error->code != EPERM && error->code != EROFS && error->code != ENOTDIR))
        return result;
    errno = error->code;
    return error_errno(error, "cannot make %s (set GANGER_STATE_DIR to a folder of yours)", path);
}

int session_names_open(struct session_names *names, const char *state_dir, bool change, struct error *error)
{
    char *path = path_join(state_dir, "names");
    int result = make_folder(path, error);

    *names = (struct session_names){.folder = -1, .lock = -1};
    if (result == 0) {
        names->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (names->folder < 0)
            result = error_errno(error, "cannot open %s", path);
        else if (change)
            result = take_lock(names, path, error);
    }
    if (result < 0)
        session_names_close(names);
    free(path);
    return result;
}

void session_names_close(struct session_names *names)
{
    if (names->lock >= 0)
        close(names->lock);
    if (names->folder >= 0)
        close(names->folder);
    *names = (struct session_names){.folder = -1, .lock = -1};
}

int session_names_owner(const struct session_names *names, const char *name, char uuid[UUID_SIZE])
{
    char text[UUID_SIZE];
    ssize_t length = readlinkat(names->folder, name, text, sizeof text);

    if (length != UUID_SIZE - 1)
        return 0;
    text[length] = '\0';
    if (!uuid_valid(text))
        return 0;
    memcpy(uuid, text, sizeof text);
    return 1;
}

int session_names_give(const struct session_names *names, const char *name, const char *uuid,
                       struct error *error)
{
    char beside[UUID_SIZE + 1];

    if (symlinkat(uuid, names->folder, name) == 0)
        return 0;
    if (errno == EEXIST) {
        (void)snprintf(beside, sizeof beside, ".%s", uuid);
        (void)unlinkat(names->folder, beside, 0);
        if (symlinkat(uuid, names->folder, beside) == 0 &&
            renameat(names->folder, beside, names->folder, name) == 0)
            return 0;
    }
    return error_errno(error, "cannot claim the name %s", name);
}

void session_names_drop(const struct session_names *names, const char *name, const char *uuid)
{
    char owner[UUID_SIZE];

    if (session_names_owner(names, name, owner) == 1 && strcmp(owner, uuid) == 0)
        (void)unlinkat(names->folder, name, 0);
}

int session_names_each(const struct session_names *names,
                       int (*each)(void *argument, const char *name, const char *uuid), void *argument,
                       struct error *error)
{
    int copy = openat(names->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    char uuid[UUID_SIZE];

    if (entries == NULL) {
        error_errno(error, "cannot read the folder of names");
        if (copy >= 0)
            close(copy);
        return -1;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (name_valid(entry->d_name) && session_names_owner(names, entry->d_name, uuid) == 1 &&
            each(argument, entry->d_name, uuid) != 0)
            break;
    }
    (void)closedir(entries);
    return 0;
}

/* Whether the entry leads to a session; one that is gone between the two looks never does again. */
static bool is_well(const struct session_names *names, const char *state_dir, const char *name)
{
    char uuid[UUID_SIZE], *path;
    bool found;

    if (!name_valid(name) || session_names_owner(names, name, uuid) != 1)
        return false;
    path = session_dir_path(state_dir, uuid);
    found = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    free(path);
    return found;
}

static bool remove_entry(const struct session_names *names, const char *state_dir, const char *name)
{
    char *aside, *to;
    bool done;

    if (readlinkat(names->folder, name, (char[1]){0}, 1) >= 0)
        return unlinkat(names->folder, name, 0) == 0;
    aside = path_join(state_dir, "damaged");
    to = xasprintf("%s/name-%lld", aside, (long long)clock_realtime_ms());
    done = path_make_dirs(aside, 0700, NULL) == 0 && renameat(names->folder, name, AT_FDCWD, to) == 0;
    free(to);
    free(aside);
    return done;
}

unsigned session_names_mend(const struct session_names *names, const char *state_dir, unsigned *failed)
{
    int copy = openat(names->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    unsigned found = 0;

    *failed = 0;
    if (entries == NULL && copy >= 0)
        close(copy);
    for (struct dirent *entry = entries != NULL ? readdir(entries) : NULL; entry != NULL;
         entry = readdir(entries)) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".lock") == 0 ||
            is_well(names, state_dir, name))
            continue;
        found++;
        if (names->lock < 0 || !remove_entry(names, state_dir, name))
            (*failed)++;
    }
    if (entries != NULL)
        (void)closedir(entries);
    return found;
}
