/* The looking half of session_dir.h: finding one session and listing all. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/session_dir.h"
#include "store/session_life.h"
#include "store/session_names.h"

#define NAMES_SHOWN 5

static bool folder_exists(const char *state_dir, const char *uuid)
{
    char *path = session_dir_path(state_dir, uuid);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found;
}

struct search {
    const char *state_dir, *prefix;
    struct buffer names; /* those that fit, ", " between them */
    unsigned count;
    char uuid[UUID_SIZE];
};

static int add_name(void *argument, const char *name, const char *uuid)
{
    struct search *search = argument;

    if (strncmp(name, search->prefix, strlen(search->prefix)) != 0 || !folder_exists(search->state_dir, uuid))
        return 0;
    memcpy(search->uuid, uuid, UUID_SIZE);
    if (search->count++ < NAMES_SHOWN) {
        if (search->count > 1)
            buffer_append_string(&search->names, ", ");
        buffer_append_string(&search->names, name);
    }
    return 0;
}

static int search_names(const struct session_names *names, const char *state_dir, const char *prefix,
                        struct search *search, struct error *error)
{
    *search = (struct search){.state_dir = state_dir, .prefix = prefix};
    if (session_names_each(names, add_name, search, error) < 0) {
        buffer_finish(&search->names);
        return -1;
    }
    if (search->count > NAMES_SHOWN)
        buffer_printf(&search->names, ", … (%u in all)", search->count);
    return 0;
}

static int report_missing(const struct session_names *names, const char *state_dir, const char *reference,
                          struct error *error)
{
    struct search all;

    if (search_names(names, state_dir, "", &all, error) < 0)
        return -1;
    if (all.count == 0)
        error_set(error, "no session \"%.80s\": there is none at all (`ganger run` starts one)", reference);
    else
        error_set(error, "no session \"%.80s\": there are %s", reference, all.names.bytes);
    buffer_finish(&all.names);
    if (error != NULL)
        error->code = ENOENT;
    return -1;
}

static int find_by_prefix(const struct session_names *names, const char *state_dir, const char *reference,
                          char uuid[UUID_SIZE], struct error *error)
{
    struct search search;
    int result = 0;

    if (search_names(names, state_dir, reference, &search, error) < 0)
        return -1;
    if (search.count == 1)
        memcpy(uuid, search.uuid, UUID_SIZE);
    else if (search.count > 1)
        result = error_set(error, "\"%s\" fits several sessions: %s", reference, search.names.bytes) - 1;
    buffer_finish(&search.names);
    return search.count == 0 ? report_missing(names, state_dir, reference, error) : result;
}

int session_dir_find(const char *state_dir, const char *reference, bool prefixes, char uuid[UUID_SIZE],
                     struct error *error)
{
    struct session_names names;
    int result = 0;

    if (session_names_open(&names, state_dir, false, error) < 0)
        return -1;
    if (uuid_valid(reference)) {
        for (size_t i = 0; i < UUID_SIZE; i++)
            uuid[i] = (char)tolower((unsigned char)reference[i]);
        if (!folder_exists(state_dir, uuid))
            result = report_missing(&names, state_dir, reference, error);
    } else if (!name_valid(reference)) {
        result = report_missing(&names, state_dir, reference, error);
    } else if (session_names_owner(&names, reference, uuid) != 1 || !folder_exists(state_dir, uuid)) {
        result = prefixes ? find_by_prefix(&names, state_dir, reference, uuid, error)
                          : report_missing(&names, state_dir, reference, error);
    }
    session_names_close(&names);
    return result;
}

/* One session's public object, or NULL when its session.json cannot be read; *damaged counts those that are there. */
static json_t *look_at(const char *state_dir, const char *uuid, int *damaged)
{
    struct error error = {0};
    bool alive = session_dir_alive(state_dir, uuid, NULL) == 1;
    /* Read after the look at the lock: a session whose end is not yet in its file is then still alive. */
    json_t *session = session_dir_read(state_dir, uuid, &error);

    if (session == NULL) {
        *damaged += error.code != ENOENT && error.code != ENOTDIR;
        return NULL;
    }
    if (!alive && !session_phase_ended(json_member_string(session, "phase", ""))) {
        int life = session_life(state_dir, uuid, session, NULL);
        alive = life == SESSION_ALIVE;
        if (life == SESSION_GONE)
            json_object_set_new(session, "phase", json_string("lost"));
    }
    session_dir_make_public(session);
    json_object_set_new(session, "alive", json_boolean(alive));
    return session;
}

static int by_creation(const void *a, const void *b)
{
    const json_t *const *first = a, *const *second = b;
    int order =
        strcmp(json_member_string(*first, "created_at", ""), json_member_string(*second, "created_at", ""));

    return order != 0 ? order
                      : strcmp(json_member_string(*first, "id", ""), json_member_string(*second, "id", ""));
}

/* The array of what `sessions` holds, in order; takes them. */
static json_t *sorted_array(json_t **sessions, size_t count)
{
    json_t *array = json_array();

    if (count > 0)
        qsort(sessions, count, sizeof sessions[0], by_creation);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, sessions[i]);
    free(sessions);
    return array;
}

json_t *session_dir_list(const char *state_dir, int *damaged, struct error *error)
{
    char *root = session_dir_root(state_dir, error);
    DIR *entries = root == NULL ? NULL : opendir(root);
    json_t **sessions = NULL;
    size_t count = 0, room = 0;
    int unreadable = 0;

    if (entries == NULL) {
        if (root != NULL)
            error_errno(error, "cannot read %s", root);
        free(root);
        return NULL;
    }
    free(root);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        json_t *session = uuid_valid(entry->d_name) ? look_at(state_dir, entry->d_name, &unreadable) : NULL;
        if (session == NULL)
            continue;
        if (count == room) {
            room = room == 0 ? 16 : room * 2;
            sessions = xreallocarray(sessions, room, sizeof sessions[0]);
        }
        sessions[count++] = session;
    }
    (void)closedir(entries);
    if (damaged != NULL)
        *damaged = unreadable;
    return sorted_array(sessions, count);
}
