#include "store/session_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/session_life.h"
#include "store/session_names.h"

char *session_dir_path(const char *state_dir, const char *uuid)
{
    return xasprintf("%s/sessions/%s", state_dir, uuid);
}

/* The text of errno with what a person can do about it; returns -1. */
static int state_error(struct error *error, const char *what, const char *path)
{
    const char *hint = "";
    int code = errno;

    if (code == ENOSPC || code == EDQUOT)
        hint = " (free some space there, or set GANGER_STATE_DIR to a folder on another disk)";
    else if (code == EACCES || code == EPERM || code == EROFS || code == ENOTDIR)
        hint = " (set GANGER_STATE_DIR to a folder that you can write)";
    error_set(error, "cannot %s %s: %s%s", what, path, strerror(code), hint);
    if (error != NULL)
        error->code = code;
    return -1;
}

char *session_dir_root(const char *state_dir, struct error *error)
{
    char *path = path_join(state_dir, "sessions");

    if (path_make_dirs(path, 0700, error) < 0) {
        errno = error != NULL ? error->code : 0;
        state_error(error, "make the folder", path);
        free(path);
        return NULL;
    }
    return path;
}

int session_dir_open(const char *state_dir, const char *uuid, struct error *error)
{
    char *path = session_dir_path(state_dir, uuid);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (folder < 0)
        error_errno(error, "cannot open the session's folder %s", path);
    free(path);
    return folder;
}

/* Takes "session.json" text apart; what is wrong with it goes to the error, with the folder to look at. */
static json_t *parse_session(const char *text, size_t length, const char *folder, struct error *error)
{
    json_error_t where;
    json_t *session = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    int64_t format = json_member_integer(session, "format", 0);
    const char *uuid = strrchr(folder, '/') + 1;

    if (json_is_object(session) && format == SESSION_FORMAT)
        return session;
    if (json_is_object(session) && format > SESSION_FORMAT)
        error_set(error, "%s/session.json has format %lld, this ganger reads %d: install a newer ganger",
                  folder, (long long)format, SESSION_FORMAT);
    else
        error_set(error,
                  "%s/session.json is damaged (%s, line %d): the recordings beside it can be played with "
                  "`ganger replay FILE`; `ganger doctor --mend` rebuilds it, `ganger rm %s` removes the "
                  "session",
                  folder, session != NULL ? "not a session" : where.text, session != NULL ? 1 : where.line,
                  uuid);
    json_decref(session);
    return NULL;
}

json_t *session_dir_read(const char *state_dir, const char *uuid, struct error *error)
{
    int folder = session_dir_open(state_dir, uuid, error);
    char *path, *text;
    json_t *session = NULL;
    size_t length;

    if (folder < 0)
        return NULL;
    path = session_dir_path(state_dir, uuid);
    if (path_read_at(folder, SESSION_FILE, SESSION_FILE_MAX, &text, &length, error) == 0) {
        session = parse_session(text, length, path, error);
        free(text);
    }
    /* Whatever the file says: a session is the one of its folder. */
    if (session != NULL)
        json_object_set_new(session, "id", json_string(uuid));
    free(path);
    close(folder);
    return session;
}

int session_dir_write(const char *state_dir, const char *uuid, const json_t *session, struct error *error)
{
    int folder = session_dir_open(state_dir, uuid, error), result;
    json_t *stamped;
    struct buffer text;
    char *path;

    if (folder < 0)
        return -1;
    buffer_init(&text);
    stamped = json_pack("{s:i}", "format", SESSION_FORMAT);
    json_object_update_missing(stamped, (json_t *)(uintptr_t)session);
    json_append_value(&text, stamped);
    json_decref(stamped);
    buffer_append_char(&text, '\n');
    result = path_write_atomic(folder, SESSION_FILE, text.bytes, text.length, error);
    if (result < 0 && error != NULL) {
        path = session_dir_path(state_dir, uuid);
        errno = error->code;
        state_error(error, "write session.json in", path);
        free(path);
    }
    buffer_finish(&text);
    close(folder);
    return result;
}

static int make_lock_file(const char *state_dir, const char *uuid, struct error *error)
{
    int folder = session_dir_open(state_dir, uuid, error), lock;

    if (folder < 0)
        return -1;
    lock = openat(folder, SESSION_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    close(folder);
    if (lock < 0)
        return error_errno(error, "cannot make the lock file of session %s", uuid);
    close(lock);
    return 0;
}

/* Removes what make_folder made. */
static void unmake_folder(const char *state_dir, const char *uuid)
{
    char *path = session_dir_path(state_dir, uuid);

    (void)path_remove_tree(path, NULL);
    free(path);
}

static int make_folder(const char *state_dir, const char *uuid, const json_t *session, struct error *error)
{
    char *root = session_dir_root(state_dir, error), *path;
    int result = 0;

    if (root == NULL)
        return -1;
    path = path_join(root, uuid);
    free(root);
    if (mkdir(path, 0700) < 0)
        result = state_error(error, "make the session's folder", path);
    free(path);
    if (result < 0)
        return -1;
    if (make_lock_file(state_dir, uuid, error) < 0 ||
        session_dir_write(state_dir, uuid, session, error) < 0) {
        unmake_folder(state_dir, uuid);
        return -1;
    }
    return 0;
}

/* Claims the name unless a living or starting session has it. */
static int claim(const struct session_names *names, const char *state_dir, const char *uuid, const char *name,
                 struct error *error)
{
    char owner[UUID_SIZE];
    int life;

    if (session_names_owner(names, name, owner) == 1 && strcmp(owner, uuid) != 0) {
        life = session_life(state_dir, owner, NULL, error);
        if (life < 0)
            return -1;
        if (life != SESSION_GONE)
            return error_set(
                error,
                "a session named %s is %s: choose another name with -n, go to it with `ganger attach "
                "%s`, or end it with `ganger kill %s`",
                name, life == SESSION_ALIVE ? "running" : "being started", name, name);
    }
    return session_names_give(names, name, uuid, error);
}

static int check_name(const char *name, struct error *error)
{
    if (name_valid(name))
        return 0;
    return error_set(
        error,
        "\"%.80s\" cannot be a name: it takes a letter or digit, then up to %d letters, digits and "
        "\".\", \"_\", \"-\", and is not shaped like a UUID",
        name, NAME_MAX_LENGTH - 1);
}

int session_dir_create(const char *state_dir, const char *uuid, const char *name, const json_t *session,
                       struct error *error)
{
    struct session_names names;
    int result;

    if (check_name(name, error) < 0 || session_names_open(&names, state_dir, true, error) < 0)
        return -1;
    result = make_folder(state_dir, uuid, session, error);
    if (result == 0 && claim(&names, state_dir, uuid, name, error) < 0) {
        unmake_folder(state_dir, uuid);
        result = -1;
    }
    session_names_close(&names);
    return result;
}

/* A name of nobody, or of a session whose folder is gone. */
static bool is_free(const struct session_names *names, const char *state_dir, const char *name)
{
    char owner[UUID_SIZE], *path;
    bool gone;

    if (session_names_owner(names, name, owner) == 0)
        return faccessat(names->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    path = session_dir_path(state_dir, owner);
    gone = access(path, F_OK) < 0 && errno == ENOENT;
    free(path);
    return gone;
}

static void number_name(const char *base, unsigned number, char name[NAME_MAX_LENGTH + 1])
{
    char suffix[16] = "";

    if (number > 1)
        (void)snprintf(suffix, sizeof suffix, "-%u", number);
    (void)snprintf(name, NAME_MAX_LENGTH + 1, "%.*s%s", (int)(NAME_MAX_LENGTH - strlen(suffix)), base,
                   suffix);
}

int session_dir_create_numbered(const char *state_dir, const char *uuid, const char *base, json_t *session,
                                char name[NAME_MAX_LENGTH + 1], struct error *error)
{
    struct session_names names;
    unsigned number = 1;
    int result;

    number_name(base, 1, name);
    if (check_name(name, error) < 0 || session_names_open(&names, state_dir, true, error) < 0)
        return -1;
    while (!is_free(&names, state_dir, name))
        number_name(base, ++number, name);
    json_object_set_new(session, "name", json_string(name));
    result = make_folder(state_dir, uuid, session, error);
    if (result == 0 && session_names_give(&names, name, uuid, error) < 0) {
        unmake_folder(state_dir, uuid);
        result = -1;
    }
    session_names_close(&names);
    return result;
}

static bool is_to_be_had(const struct session_names *names, const char *state_dir, const char *uuid,
                         const char *name, bool from_ended)
{
    char owner[UUID_SIZE];

    if (is_free(names, state_dir, name))
        return true;
    return session_names_owner(names, name, owner) == 1 &&
           (strcmp(owner, uuid) == 0 ||
            (from_ended && session_life(state_dir, owner, NULL, NULL) == SESSION_GONE));
}

int session_dir_name_numbered(const char *state_dir, const char *uuid, const char *base, bool from_ended,
                              char name[NAME_MAX_LENGTH + 1], struct error *error)
{
    struct session_names names;
    unsigned number = 1;
    int result;

    if (check_name(base, error) < 0 || session_names_open(&names, state_dir, true, error) < 0)
        return -1;
    number_name(base, 1, name);
    while (!is_to_be_had(&names, state_dir, uuid, name, from_ended))
        number_name(base, ++number, name);
    result = session_names_give(&names, name, uuid, error);
    session_names_close(&names);
    return result;
}

int session_dir_rename(const char *state_dir, const char *uuid, const char *old_name, const char *name,
                       struct error *error)
{
    struct session_names names;
    int result;

    if (check_name(name, error) < 0 || session_names_open(&names, state_dir, true, error) < 0)
        return -1;
    result = claim(&names, state_dir, uuid, name, error);
    if (result == 0 && old_name != NULL && strcmp(old_name, name) != 0)
        session_names_drop(&names, old_name, uuid);
    session_names_close(&names);
    return result;
}

struct removal {
    const struct session_names *names;
    const char *uuid;
};

static int drop_if_its(void *argument, const char *name, const char *uuid)
{
    const struct removal *removal = argument;

    if (strcmp(uuid, removal->uuid) == 0)
        session_names_drop(removal->names, name, uuid);
    return 0;
}

/* The folder is renamed first: nobody sees half a session. */
static int remove_folder(const char *state_dir, const char *uuid, const struct session_names *names,
                         struct error *error)
{
    char *path = session_dir_path(state_dir, uuid),
         *aside = xasprintf("%s/sessions/.%s" SESSION_REMOVED, state_dir, uuid);
    int result;

    /* Left by a removal that was killed, of a folder that somebody brought back since. */
    if (access(aside, F_OK) == 0)
        (void)path_remove_tree(aside, NULL);
    if (rename(path, aside) < 0) {
        result = state_error(error, "remove", path);
    } else {
        (void)session_names_each(names, drop_if_its, &(struct removal){names, uuid}, NULL);
        result = path_remove_tree(aside, error);
    }
    free(aside);
    free(path);
    return result;
}

static bool is_starting(const char *state_dir, const char *uuid)
{
    json_t *session = session_dir_read(state_dir, uuid, NULL);
    bool starting = session_starting(state_dir, uuid, session);

    json_decref(session);
    return starting;
}

int session_dir_remove(const char *state_dir, const char *uuid, struct error *error)
{
    struct session_names names;
    int folder = session_dir_open(state_dir, uuid, error), lock = -1, result;

    if (folder < 0)
        return -1;
    result = session_dir_lock(folder, uuid, &lock, error);
    if (result == 0 && is_starting(state_dir, uuid))
        result = error_set(error, "session %s is being started: try again in a moment", uuid);
    if (result == 0)
        result = session_names_open(&names, state_dir, true, error);
    if (result == 0) {
        result = remove_folder(state_dir, uuid, &names, error);
        session_names_close(&names);
    }
    if (lock >= 0)
        close(lock);
    close(folder);
    return result;
}

void session_dir_make_public(json_t *session)
{
    static const char *const private[] = {"start", "format", "attempts"};

    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
        json_object_del(session, private[i]);
}
