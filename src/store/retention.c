#include "store/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/retention_log.h"
#include "store/session_dir.h"
#include "store/session_lost.h"
#include "store/session_shown.h"

#define DEPTH_MAX 16

/* ---- one session ---- */

static uint64_t bytes_of(int folder, int depth)
{
    DIR *entries = fdopendir(folder);
    struct stat status;
    uint64_t bytes = 0;

    if (entries == NULL) {
        close(folder);
        return 0;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        int inner;
        if (strcmp(entry->d_name, "..") == 0 ||
            fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        bytes += (uint64_t)status.st_blocks * 512;
        if (!S_ISDIR(status.st_mode) || depth == 0 || strcmp(entry->d_name, ".") == 0)
            continue;
        inner = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0)
            bytes += bytes_of(inner, depth - 1);
    }
    (void)closedir(entries);
    return bytes;
}

uint64_t session_bytes(const char *state_dir, const char *uuid)
{
    int folder = session_dir_open(state_dir, uuid, NULL);

    return folder < 0 ? 0 : bytes_of(folder, DEPTH_MAX);
}

bool session_kept(const char *state_dir, const char *uuid)
{
    int folder = session_dir_open(state_dir, uuid, NULL);
    bool kept = folder >= 0 && faccessat(folder, SESSION_KEEP, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

    if (folder >= 0)
        close(folder);
    return kept;
}

int session_keep(const char *state_dir, const char *uuid, bool keep, struct error *error)
{
    int folder = session_dir_open(state_dir, uuid, error), file, result = 0;

    if (folder < 0)
        return -1;
    if (keep) {
        file = openat(folder, SESSION_KEEP, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (file < 0)
            result = error_errno(error, "cannot write " SESSION_KEEP);
        else
            close(file);
    } else if (unlinkat(folder, SESSION_KEEP, 0) < 0 && errno != ENOENT) {
        result = error_errno(error, "cannot remove " SESSION_KEEP);
    }
    close(folder);
    return result;
}

/* ---- all that have ended ---- */

static int64_t end_of(const json_t *session, const char *state_dir, const char *uuid)
{
    const char *const told[] = {json_member_string(json_object_get(session, "exit"), "at", ""),
                                json_member_string(session, "phase_since", "")};
    struct stat status;
    int64_t at = 0;
    int folder;

    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        if (clock_parse_rfc3339(told[i], &at) == 0)
            return at;
    }
    folder = session_dir_open(state_dir, uuid, NULL);
    if (folder >= 0 && fstatat(folder, SESSION_FILE, &status, AT_SYMLINK_NOFOLLOW) == 0)
        at = (int64_t)status.st_mtim.tv_sec * 1000;
    if (folder >= 0)
        close(folder);
    return at;
}

static bool look_at(struct ended_session *ended, const char *state_dir, const char *uuid)
{
    bool alive = session_dir_alive(state_dir, uuid, NULL) != 0;
    json_t *session = alive ? NULL : session_dir_read(state_dir, uuid, NULL);
    const char *phase = json_member_string(session, "phase", ""),
               *name = json_member_string(session, "name", "");
    /* Whether one of another machine is in use may not be seen from here. */
    bool has_ended = session_phase_ended(phase) && session_lost_is_here(session);

    if (has_ended) {
        *ended = (struct ended_session){.ended_ms = end_of(session, state_dir, uuid),
                                        .lost = strcmp(phase, "lost") == 0,
                                        .kept = session_kept(state_dir, uuid)};
        memcpy(ended->uuid, uuid, UUID_SIZE);
        if (name_valid(name))
            (void)strlcpy(ended->name, name, sizeof ended->name);
    }
    json_decref(session);
    return has_ended;
}

static int by_end(const void *left, const void *right)
{
    const struct ended_session *a = left, *b = right;

    return a->ended_ms != b->ended_ms ? (a->ended_ms > b->ended_ms) - (a->ended_ms < b->ended_ms)
                                      : strcmp(a->uuid, b->uuid);
}

int ended_list_fill(struct ended_list *list, const char *state_dir, bool measure, struct error *error)
{
    char *root = session_dir_root(state_dir, error);
    DIR *entries = root == NULL ? NULL : opendir(root);
    size_t room = 0;

    *list = (struct ended_list){0};
    if (entries == NULL) {
        if (root != NULL)
            error_errno(error, "cannot read %s", root);
        free(root);
        return -1;
    }
    free(root);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (!uuid_valid(entry->d_name))
            continue;
        if (list->count == room) {
            room = room == 0 ? 64 : room * 2;
            list->sessions = xreallocarray(list->sessions, room, sizeof *list->sessions);
        }
        if (!look_at(&list->sessions[list->count], state_dir, entry->d_name))
            continue;
        if (measure)
            list->sessions[list->count].bytes = session_bytes(state_dir, entry->d_name);
        list->count++;
    }
    (void)closedir(entries);
    if (list->count > 0)
        qsort(list->sessions, list->count, sizeof *list->sessions, by_end);
    return 0;
}

void ended_list_finish(struct ended_list *list)
{
    free(list->sessions);
    *list = (struct ended_list){0};
}

size_t retention_choose(struct ended_list *list, const struct retention_policy *policy, int64_t now_ms)
{
    uint64_t together = 0;
    size_t chosen = 0;

    for (size_t i = 0; i < list->count; i++)
        together += list->sessions[i].bytes;
    for (size_t i = 0; i < list->count; i++) {
        struct ended_session *session = &list->sessions[i];
        bool old = policy->age_s > 0 && (double)(now_ms - session->ended_ms) / 1000 > policy->age_s;
        bool large =
            policy->bytes > 0 && together > policy->bytes && !session->lost && session->ended_ms <= now_ms;
        session->beyond = !session->kept && (old || large);
        if (!session->beyond)
            continue;
        together -= session->bytes;
        chosen++;
    }
    return chosen;
}

/* ---- the sweep ---- */

static bool leftover_uuid(const char *entry, char uuid[UUID_SIZE])
{
    if (entry[0] != '.' || strlen(entry) != UUID_SIZE + strlen(SESSION_REMOVED) ||
        strcmp(entry + UUID_SIZE, SESSION_REMOVED) != 0)
        return false;
    memcpy(uuid, entry + 1, UUID_SIZE - 1);
    uuid[UUID_SIZE - 1] = '\0';
    return uuid_valid(uuid);
}

/* Counts the leftovers, and removes them when `remove`. */
static unsigned each_leftover(const char *state_dir, bool remove, unsigned *failed, struct error *error)
{
    char *root = path_join(state_dir, "sessions"), uuid[UUID_SIZE];
    DIR *entries = opendir(root);
    unsigned found = 0;

    for (struct dirent *entry = entries != NULL ? readdir(entries) : NULL; entry != NULL;
         entry = readdir(entries)) {
        char *path;
        if (!leftover_uuid(entry->d_name, uuid))
            continue;
        path = path_join(root, entry->d_name);
        if (!remove || path_remove_tree(path, error) == 0)
            found++;
        else if (failed != NULL)
            (*failed)++;
        free(path);
    }
    if (entries != NULL)
        (void)closedir(entries);
    free(root);
    return found;
}

unsigned retention_remove_leftovers(const char *state_dir, unsigned *failed, struct error *error)
{
    return each_leftover(state_dir, true, failed, error);
}

unsigned retention_count_leftovers(const char *state_dir)
{
    return each_leftover(state_dir, false, NULL, NULL);
}

struct sweep {
    int log, shown;
    const char *state_dir;
    const struct retention_policy *policy;
    int64_t now_ms;
    struct retention_result *result;
};

static void remove_one(const struct sweep *sweep, struct ended_session *session)
{
    struct retention_result *result = sweep->result;
    bool old =
        sweep->policy->age_s > 0 && (double)(sweep->now_ms - session->ended_ms) / 1000 > sweep->policy->age_s;

    if (!session_shown_claim(sweep->shown, session->uuid)) {
        result->shown++;
        return;
    }
    if (session->bytes == 0)
        session->bytes = session_bytes(sweep->state_dir, session->uuid);
    if (session_dir_remove(sweep->state_dir, session->uuid, &result->error) < 0) {
        result->failed++;
    } else {
        result->removed++;
        result->bytes += session->bytes;
        retention_log_removed(sweep->log, session, sweep->now_ms, old ? "age" : "size");
    }
    session_shown_set(sweep->shown, session->uuid, false);
}

int retention_sweep_locked(int log, const char *state_dir, const struct retention_policy *policy,
                           int64_t now_ms, struct retention_result *result, struct error *error)
{
    struct sweep sweep = {log, -1, state_dir, policy, now_ms, result};
    struct ended_list list;

    *result = (struct retention_result){0};
    result->leftover = retention_remove_leftovers(state_dir, &result->failed, &result->error);
    if (ended_list_fill(&list, state_dir, policy->bytes > 0, error) < 0)
        return -1;
    if (retention_choose(&list, policy, now_ms) > 0) {
        sweep.shown = session_shown_open(state_dir);
        for (size_t i = 0; i < list.count; i++) {
            if (list.sessions[i].beyond)
                remove_one(&sweep, &list.sessions[i]);
        }
        if (sweep.shown >= 0)
            close(sweep.shown);
    }
    ended_list_finish(&list);
    retention_log_looked(log, now_ms);
    return 0;
}

int retention_sweep(const char *state_dir, const struct retention_policy *policy, int64_t now_ms,
                    struct retention_result *result, struct error *error)
{
    int log = retention_log_open(state_dir, error), swept;

    *result = (struct retention_result){0};
    if (log < 0)
        return -1;
    swept = retention_sweep_locked(log, state_dir, policy, now_ms, result, error);
    close(log);
    return swept;
}
