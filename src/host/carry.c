#include "host/carry.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "host/file_copy.h"

#define ID_LEAST 8
#define ID_MOST 128
#define DEPTH_MAX 8 /* of a conversation's own folder */
#define FILES_MAX 20000
#define MARKER_MAX 4096
#define NAMES_MAX 100 /* tried for a project's folder whose name is taken */

struct carry {
    const struct agent_carry *rules;
    int from, to;
    const char *cwd;
    char *place; /* the name of the project's folder there, when it has a marker */
    size_t files;
    struct error *error;
};

/* ---- patterns ---- */

/* What it is made of keeps it from being a pattern or a path. */
static bool sound_id(const char *id)
{
    size_t length = strlen(id);

    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)id[i]) && id[i] != '-' && id[i] != '_')
            return false;
    }
    return length >= ID_LEAST && length <= ID_MOST;
}

static char *pattern_for(const char *rule, const char *id)
{
    struct buffer out = {0};

    for (; *rule != '\0'; rule++) {
        if (rule[0] == '%' && (rule[1] == 's' || rule[1] == '8'))
            buffer_append(&out, id, *++rule == 's' ? strlen(id) : 8);
        else
            buffer_append_char(&out, *rule);
    }
    return buffer_steal(&out);
}

/* ---- markers of projects ---- */

/* The folder that a marker names, without the line feed at its end; NULL: there is none. */
static char *read_marker(int folder, const char *project, const char *marker)
{
    char *path = xasprintf("%s/%s", project, marker), *text = NULL;
    int parent = file_copy_parent(folder, path, 0);
    int file = parent < 0 ? -1 : openat(parent, marker, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char bytes[MARKER_MAX];
    ssize_t got = file < 0 ? -1 : read(file, bytes, sizeof bytes);

    while (got > 0 && isspace((unsigned char)bytes[got - 1]))
        got--;
    if (got > 0)
        text = xstrndup(bytes, (size_t)got);
    if (file >= 0)
        close(file);
    if (parent >= 0)
        close(parent);
    free(path);
    return text;
}

static bool is_marked(int folder, const char *project, const char *marker, const char *cwd)
{
    char *text = read_marker(folder, project, marker);
    bool same = text != NULL && strcmp(text, cwd) == 0;

    free(text);
    return same;
}

/* A folder that is there for the working folder. */
static char *marked_folder(int folder, const char *marker, const char *cwd)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    char *found = NULL;

    if (entries == NULL) {
        if (copy >= 0)
            close(copy);
        return NULL;
    }
    for (struct dirent *entry; found == NULL && (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] != '.' && is_marked(folder, entry->d_name, marker, cwd))
            found = xstrdup(entry->d_name);
    }
    closedir(entries);
    return found;
}

/* The name of the working folder's project there: the one it has, else this one, else one that is free. */
static char *choose_place(const struct carry *carry, const char *path, const char *name)
{
    char *inside = xasprintf("%s%s", path, name), *place = NULL;
    int folder = file_copy_parent(carry->to, inside, 1);

    free(inside);
    if (folder < 0)
        return NULL;
    place = marked_folder(folder, carry->rules->marker, carry->cwd);
    for (int i = 1; place == NULL && i <= NAMES_MAX; i++) {
        char *candidate = i == 1 ? xstrdup(name) : xasprintf("%s-%d", name, i);
        char *owner = read_marker(folder, candidate, carry->rules->marker);
        if (owner == NULL)
            place = candidate;
        else
            free(candidate);
        free(owner);
    }
    close(folder);
    return place;
}

/* ---- copying ---- */

static int copy(struct carry *carry, int from, const char *name, const char *path)
{
    if (++carry->files > FILES_MAX)
        return error_set(carry->error, "the conversation has more than %d files", FILES_MAX);
    return file_copy(from, name, carry->to, path, carry->error) < 0 ? -1 : 0;
}

static int copy_entry(struct carry *carry, int from, const char *name, const char *path, int depth);

/* What is in a conversation's own folder; hidden files are none of its. */
static int copy_folder(struct carry *carry, int folder, const char *path, int depth)
{
    DIR *entries = fdopendir(folder);
    int result = 0;

    if (entries == NULL) {
        close(folder);
        return error_errno(carry->error, "cannot read %s", path);
    }
    for (struct dirent *entry; result == 0 && (entry = readdir(entries)) != NULL;) {
        char *inside;
        if (entry->d_name[0] == '.')
            continue;
        inside = xasprintf("%s/%s", path, entry->d_name);
        result = copy_entry(carry, dirfd(entries), entry->d_name, inside, depth + 1);
        free(inside);
    }
    closedir(entries);
    return result;
}

/* Anything but files and folders is left out. */
static int copy_entry(struct carry *carry, int from, const char *name, const char *path, int depth)
{
    struct stat status;
    int folder;

    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_errno(carry->error, "cannot read %s", path);
    if (S_ISREG(status.st_mode) && status.st_uid == geteuid())
        return copy(carry, from, name, path);
    if (!S_ISDIR(status.st_mode) || depth > DEPTH_MAX)
        return 0;
    folder = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return folder < 0 ? error_errno(carry->error, "cannot read %s", path)
                      : copy_folder(carry, folder, path, depth);
}

/* ---- finding ---- */

static int find(struct carry *carry, int from, const char *pattern, const char *path);

static bool is_one_step(const char *path)
{
    size_t length = strcspn(path, "/");

    return length > 0 && path[length] == '/' && path[length + 1] == '\0';
}

/* An entry that a step of the pattern names; `path` is that of its folder there, with a slash at its end. */
static int take(struct carry *carry, int from, const char *name, const char *rest, const char *path,
                bool wild)
{
    bool project = wild && carry->rules->marker != NULL && is_one_step(path);
    char *inside;
    int folder, result = 0;

    if (project && !is_marked(from, name, carry->rules->marker, carry->cwd))
        return 0;
    if (project && carry->place == NULL && (carry->place = choose_place(carry, path, name)) == NULL)
        return error_errno(carry->error, "there is no place for %s%s", path, name);
    inside = xasprintf("%s%s%s", path, project ? carry->place : name, *rest == '\0' ? "" : "/");
    if (*rest == '\0') {
        result = copy_entry(carry, from, name, inside, 0);
    } else {
        size_t before = carry->files;
        folder = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        result = folder < 0 ? 0 : find(carry, folder, rest, inside);
        if (project && folder >= 0 && result == 0 && carry->files > before) {
            char *marker = xasprintf("%s%s", inside, carry->rules->marker);
            result = file_copy(folder, carry->rules->marker, carry->to, marker, carry->error) < 0 ? -1 : 0;
            free(marker);
        }
        if (folder >= 0)
            close(folder);
    }
    free(inside);
    return result;
}

static int take_all(struct carry *carry, int from, const char *step, const char *rest, const char *path)
{
    int folder = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);

    if (entries == NULL) {
        if (folder >= 0)
            close(folder);
        return error_errno(carry->error, "cannot read %s", path);
    }
    for (struct dirent *entry; result == 0 && (entry = readdir(entries)) != NULL;) {
        if (fnmatch(step, entry->d_name, FNM_PERIOD) == 0)
            result = take(carry, dirfd(entries), entry->d_name, rest, path, true);
    }
    closedir(entries);
    return result;
}

static int find(struct carry *carry, int from, const char *pattern, const char *path)
{
    size_t length = strcspn(pattern, "/");
    const char *rest = pattern + length + (pattern[length] == '/');
    char *step = xstrndup(pattern, length);
    int result = strchr(step, '*') != NULL ? take_all(carry, from, step, rest, path)
                                           : take(carry, from, step, rest, path, false);

    free(step);
    return result;
}

/* Accounts may share the folder of their conversations by a symbolic link: then there is nothing to carry. */
static bool is_shared(const struct carry *carry, const char *rule)
{
    char *first = xstrndup(rule, strcspn(rule, "/"));
    struct stat here, there;
    bool same = fstatat(carry->from, first, &here, 0) == 0 && fstatat(carry->to, first, &there, 0) == 0 &&
                here.st_dev == there.st_dev && here.st_ino == there.st_ino;

    free(first);
    return same;
}

static int carry_all(struct carry *carry, const char *agent, const char *id)
{
    for (const char *const *rule = carry->rules->files; *rule != NULL; rule++) {
        char *pattern;
        int result;
        if (is_shared(carry, *rule)) {
            carry->files++;
            continue;
        }
        pattern = pattern_for(*rule, id);
        result = find(carry, carry->from, pattern, "");
        free(pattern);
        if (result < 0)
            return -1;
    }
    if (carry->files > 0)
        return 0;
    (void)error_set(carry->error, "%s has no conversation %s in the directory of this account", agent, id);
    if (carry->error != NULL)
        carry->error->code = ENOENT;
    return -1;
}

int carry_conversation(const struct agent_driver *driver, const char *from_directory,
                       const char *to_directory, const char *conversation_id, const char *cwd,
                       struct error *error)
{
    struct carry carry = {.rules = driver->carry, .from = -1, .to = -1, .cwd = cwd, .error = error};
    int result = -1;

    if (carry.rules == NULL) {
        (void)error_set(error, "%s cannot take a conversation to another account", driver->name);
        if (error != NULL)
            error->code = ENOTSUP;
        return -1;
    }
    if (!sound_id(conversation_id))
        return error_set(error, "the conversation's id is not one of %s's", driver->name);
    carry.from = open(from_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    carry.to = carry.from < 0 ? -1 : open(to_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (carry.to < 0)
        (void)error_errno(error, "cannot use %s", carry.from < 0 ? from_directory : to_directory);
    else
        result = carry_all(&carry, driver->name, conversation_id);
    if (carry.from >= 0)
        close(carry.from);
    if (carry.to >= 0)
        close(carry.to);
    free(carry.place);
    return result;
}
