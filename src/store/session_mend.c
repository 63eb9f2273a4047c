#include "store/session_mend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"
#include "base/path.h"
#include "store/recording.h"
#include "store/session_dir.h"
#include "store/session_life.h"
#include "store/session_names.h"

#define DAMAGED_SUFFIX ".damaged"
#define BLOCK (64 * 1024)

enum kind { KIND_OTHER, KIND_FILE, KIND_LINES, KIND_TEMPORARY };

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), wanted = strlen(end);

    return length > wanted && strcmp(name + length - wanted, end) == 0;
}

/* What a file of this name is, or should be. */
static enum kind kind_of(const char *name)
{
    static const char *const files[] = {SESSION_FILE,  SESSION_LOCK,  SESSION_KEEP,
                                        ".transcript", "screen.json", SESSION_HOST_LOG};
    bool recording = strncmp(name, "attempt-", 8) == 0;

    if (ends_with(name, ".tmp"))
        return name[0] == '.' || recording ? KIND_TEMPORARY : KIND_OTHER;
    if (strcmp(name, SESSION_EVENTS) == 0 || strcmp(name, SESSION_TRANSCRIPT) == 0 ||
        (recording && ends_with(name, ".cast")))
        return KIND_LINES;
    if (recording && ends_with(name, ".cast.zst"))
        return KIND_FILE;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(name, files[i]) == 0)
            return KIND_FILE;
    }
    return KIND_OTHER;
}

/* Where the last whole line of the file ends; -1: it cannot be read. *size: how long it is. */
static int64_t end_of_lines(int file, int64_t *size)
{
    struct stat status;
    char *block;
    int64_t stop;

    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))
        return -1;
    stop = *size = status.st_size;
    block = xmalloc(BLOCK);
    while (stop > 0) {
        /* Most files end in a line feed: one byte tells. */
        size_t room = stop == *size ? 1 : stop < BLOCK ? (size_t)stop : BLOCK;
        ssize_t got = pread(file, block, room, stop - (int64_t)room);
        const char *found = got == (ssize_t)room ? memrchr(block, '\n', room) : NULL;
        if (got != (ssize_t)room) {
            stop = -1;
        } else if (found != NULL) {
            stop = stop - (int64_t)room + (found - block) + 1;
        } else {
            stop -= (int64_t)room;
            continue;
        }
        break;
    }
    free(block);
    return stop;
}

static bool is_torn(int folder, const char *name, bool mend, bool *failed)
{
    int file = openat(folder, name, (mend ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int64_t size = 0, end = file < 0 ? -1 : end_of_lines(file, &size);
    bool torn = end >= 0 && end < size;

    if (mend && (file < 0 || (torn && ftruncate(file, end) < 0)))
        *failed = true;
    if (file >= 0)
        close(file);
    return torn;
}

static bool is_file(int folder, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_REG;
    return fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(status.st_mode);
}

static bool put_aside(int folder, const char *name)
{
    char aside[512];

    (void)snprintf(aside, sizeof aside, "%.400s" DAMAGED_SUFFIX, name);
    if (faccessat(folder, aside, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        (void)snprintf(aside, sizeof aside, "%.400s" DAMAGED_SUFFIX "-%lld", name,
                       (long long)clock_realtime_ms());
    return renameat(folder, name, folder, aside) == 0;
}

/* One entry of the folder: counts its fault, and mends it. Returns whether the entry is well, or well again. */
static bool look_at(int folder, const struct dirent *entry, struct session_faults *faults, bool mend)
{
    enum kind kind = kind_of(entry->d_name);
    bool failed = false;

    if (kind == KIND_OTHER)
        return true;
    if (!is_file(folder, entry)) {
        faults->strange++;
        return !mend || put_aside(folder, entry->d_name);
    }
    if (mend && faccessat(folder, entry->d_name, R_OK | W_OK, AT_EACCESS) < 0 && errno == EACCES)
        (void)!fchmodat(folder, entry->d_name, 0600, 0);
    if (kind == KIND_TEMPORARY) {
        faults->temporary++;
        return !mend || unlinkat(folder, entry->d_name, 0) == 0 || errno == ENOENT;
    }
    if (kind == KIND_LINES && is_torn(folder, entry->d_name, mend, &failed))
        faults->torn++;
    return !failed;
}

/* Goes through the folder. Returns how many faults could not be mended, *problem says why. */
static unsigned look_through(int folder, struct session_faults *faults, bool mend, int *problem)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    unsigned failed = 0;

    if (entries == NULL) {
        *problem = errno;
        if (copy >= 0)
            close(copy);
        return 1;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (!look_at(folder, entry, faults, mend)) {
            *problem = errno;
            failed++;
        }
    }
    (void)closedir(entries);
    return failed;
}

/* ---- what is no session ---- */

/* Renames to a name that nothing has yet: NAME, NAME-2 … */
static int rename_numbered(const char *from, const char *to)
{
    for (unsigned number = 1; number < 10000; number++) {
        char *free_name = number == 1 ? xstrdup(to) : xasprintf("%s-%u", to, number);
        struct stat status;
        bool taken = lstat(free_name, &status) == 0;
        int result = taken ? -1 : rename(from, free_name);
        free(free_name);
        if (!taken)
            return result;
    }
    errno = EEXIST;
    return -1;
}

int session_set_aside(const char *state_dir, const char *name, struct error *error)
{
    char *folder = path_join(state_dir, SESSION_DAMAGED),
         *from = xasprintf("%s/sessions/%s", state_dir, name), *to = path_join(folder, name);
    int result = path_make_dirs(folder, 0700, error);

    if (result == 0 && rename_numbered(from, to) < 0)
        result = error_errno(error, "cannot move %s to %s", from, folder);
    free(to);
    free(from);
    free(folder);
    return result;
}

/* ---- session.json ---- */

enum object { OBJECT_GOOD, OBJECT_DAMAGED, OBJECT_MISSING, OBJECT_AWAITED };

/* The folder has been there for a moment only: who made it is about to write session.json. */
static bool is_young(int folder)
{
    struct stat status;

    return fstat(folder, &status) == 0 &&
           clock_realtime_ms() - (int64_t)status.st_mtim.tv_sec * 1000 < SESSION_START_S * 1000;
}

/* What can be read, maybe by a newer ganger alone, is good. */
static enum object object_of(int folder)
{
    char *text = NULL;
    size_t length = 0;
    json_t *session;
    bool good;

    if (faccessat(folder, SESSION_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return is_young(folder) ? OBJECT_AWAITED : OBJECT_MISSING;
    if (path_read_at(folder, SESSION_FILE, SESSION_FILE_MAX, &text, &length, NULL) < 0)
        return OBJECT_DAMAGED;
    session = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    good = json_is_object(session) && json_member_integer(session, "format", 0) >= SESSION_FORMAT;
    json_decref(session);
    free(text);
    return good ? OBJECT_GOOD : OBJECT_DAMAGED;
}

struct naming {
    const char *uuid;
    char name[NAME_MAX_LENGTH + 1];
};

static int take_name(void *argument, const char *name, const char *uuid)
{
    struct naming *naming = argument;

    if (strcmp(uuid, naming->uuid) != 0)
        return 0;
    (void)strlcpy(naming->name, name, sizeof naming->name);
    return 1;
}

static int rebuild(const char *state_dir, int folder, const char *uuid, struct error *error)
{
    struct naming naming = {uuid, ""};
    struct session_names names;
    json_t *session;
    int result;

    if (session_names_open(&names, state_dir, false, NULL) == 0) {
        (void)session_names_each(&names, take_name, &naming, NULL);
        session_names_close(&names);
    }
    session = session_rebuild(folder, uuid, naming.name[0] != '\0' ? naming.name : NULL);
    if (session == NULL)
        return session_set_aside(state_dir, uuid, error);
    if (faccessat(folder, SESSION_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        (void)put_aside(folder, SESSION_FILE);
    /* The name that the events tell may be another session's by this time. */
    if (naming.name[0] == '\0' &&
        session_dir_name_numbered(state_dir, uuid, json_member_string(session, "name", ""), false,
                                  naming.name, NULL) == 0)
        (void)json_object_set_new(session, "name", json_string(naming.name));
    result = session_dir_write(state_dir, uuid, session, error);
    json_decref(session);
    return result;
}

/* ---- the folder ---- */

bool session_inspect(const char *state_dir, const char *uuid, struct session_faults *faults,
                     struct error *error)
{
    int folder = session_dir_open(state_dir, uuid, error), problem = 0;
    enum object object;

    *faults = (struct session_faults){0};
    if (folder < 0) {
        faults->no_folder = error->code == ENOTDIR || error->code == ELOOP;
        faults->closed = !faults->no_folder && error->code != ENOENT;
        return faults->no_folder || faults->closed;
    }
    object = object_of(folder);
    if (object == OBJECT_AWAITED) {
        faults->young = true;
        close(folder);
        return false;
    }
    faults->closed = look_through(folder, faults, false, &problem) > 0;
    if (faults->closed) {
        errno = problem;
        error_errno(error, "cannot read the session's folder %s", uuid);
    }
    faults->uncompressed = recording_uncompressed(folder);
    faults->no_object = object != OBJECT_GOOD;
    close(folder);
    return faults->closed || faults->no_object || faults->torn > 0 || faults->temporary > 0 ||
           faults->strange > 0;
}

static int mend_locked(const char *state_dir, int folder, const char *uuid, enum object object,
                       struct error *error)
{
    struct session_faults faults = {0};
    json_t *session = session_dir_read(state_dir, uuid, NULL);
    bool starting = session_starting(state_dir, uuid, session);
    int problem = 0, result = 0;

    json_decref(session);
    if (starting || object == OBJECT_AWAITED)
        return error_set(error, "session %s is being started", uuid);
    if (look_through(folder, &faults, true, &problem) > 0) {
        errno = problem;
        result = error_errno(error, "cannot mend what is in the folder of session %s", uuid);
    }
    /* It may have been closed to its owner alone. */
    if (object == OBJECT_DAMAGED)
        object = object_of(folder);
    if (object != OBJECT_GOOD && rebuild(state_dir, folder, uuid, error) < 0)
        result = -1;
    return result;
}

int session_mend(const char *state_dir, const char *uuid, struct error *error)
{
    char *path = session_dir_path(state_dir, uuid);
    int folder = session_dir_open(state_dir, uuid, error), lock = -1, result;
    enum object object;

    if (folder < 0 && (error->code == ENOTDIR || error->code == ELOOP)) {
        free(path);
        return session_set_aside(state_dir, uuid, error);
    }
    if (folder < 0 && error->code == EACCES && chmod(path, 0700) == 0)
        folder = session_dir_open(state_dir, uuid, error);
    free(path);
    if (folder < 0)
        return -1;
    /* Before the folder changes. */
    object = object_of(folder);
    result = session_dir_lock(folder, uuid, &lock, error);
    if (result == 0)
        result = mend_locked(state_dir, folder, uuid, object, error);
    if (lock >= 0)
        close(lock);
    close(folder);
    return result;
}
