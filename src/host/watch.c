#include "host/watch.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/change_list.h"
#include "host/host.h"
#include "host/path_set.h"
#include "host/watch_tree.h"

#define SLICE_NS 2000000  /* of looking through folders */
#define PAUSE_NS 20000000 /* between two readings of what happened */
#define QUIET_MS 2000     /* for a path that a tool told of */
#define QUIET_PATHS 64    /* the oldest is forgotten */
#define WINDOW_MS 1000    /* in which so many are told one by one */
#define WINDOW_PATHS 100
#define SAMPLE_PATHS 20 /* named where the rest is a number */

struct quiet_path {
    uint32_t hash;
    int64_t until_ms;
};

struct watch {
    struct host *host;
    struct watch_tree *tree;
    struct event *readable;
    struct event *pause;
    struct event *scan;
    struct event *due;
    struct change_list changes;
    char *folder; /* that is watched */
    struct quiet_path quiet[QUIET_PATHS];
    size_t next_quiet;
    bool limited;
    int64_t window_ms; /* when it began */
    unsigned told;     /* in it */
    size_t more;       /* not told one by one */
    char *samples[SAMPLE_PATHS];
    size_t sampled;
};

static const char *working_folder(const struct host *host)
{
    return json_member_string(host->session.start, "cwd",
                              json_member_string(host->session.object, "cwd", "/"));
}

static json_t *turn_or_null(const struct host *host)
{
    const struct turn *turn = &host->activity.turn;

    return turn->open ? json_integer((json_int_t)turn->number) : json_null();
}

/* ---- telling ---- */

static const char *change_of(const struct change *change)
{
    return !change->existed ? "created" : !change->exists ? "deleted" : "modified";
}

/* Sockets, FIFOs and the like are no files. */
static bool is_special(const struct host *host, const char *path)
{
    char *whole = path_join(working_folder(host), path);
    struct stat status;
    bool special = lstat(whole, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode);

    free(whole);
    return special;
}

static void tell_one(void *argument, const struct change *change)
{
    struct watch *watch = argument;
    struct host *host = watch->host;

    if (watch->told >= WINDOW_PATHS) {
        watch->more++;
        if (watch->sampled < SAMPLE_PATHS)
            watch->samples[watch->sampled++] = xstrdup(change->path);
        return;
    }
    if (change->exists && is_special(host, change->path))
        return;
    watch->told++;
    (void)events_emit(host, "file_changed",
                      json_pack("{so ss ss so}", "path", json_string_or_null(change->path), "change",
                                change_of(change), "source", "watch", "turn", turn_or_null(host)));
}

/* The changes that were too many. */
static void tell_more(struct watch *watch)
{
    json_t *paths = json_array();

    for (size_t i = 0; i < watch->sampled; i++) {
        json_array_append_new(paths, json_string_or_null(watch->samples[i]));
        free(watch->samples[i]);
    }
    (void)events_emit(watch->host, "file_changed",
                      json_pack("{sn sn sI so ss so}", "path", "change", "count", (json_int_t)watch->more,
                                "paths", paths, "source", "watch", "turn", turn_or_null(watch->host)));
    watch->sampled = 0;
    watch->more = 0;
}

static void schedule(struct watch *watch)
{
    int64_t due = change_list_due(&watch->changes), window = watch->window_ms + WINDOW_MS;

    if (watch->more > 0 && window < due)
        due = window;
    if (due == INT64_MAX)
        event_del(watch->due);
    else
        host_timer(watch->due, (due - host_now_ms()) * 1000000);
}

/* Tells what is due; `all`: what waits too. */
static void tell(struct watch *watch, bool all)
{
    int64_t now = host_now_ms();

    if (now - watch->window_ms >= WINDOW_MS) {
        if (watch->more > 0)
            tell_more(watch);
        watch->window_ms = now;
        watch->told = 0;
    }
    change_list_take(&watch->changes, all ? INT64_MAX : now, tell_one, watch);
    if (all && watch->more > 0)
        tell_more(watch);
    schedule(watch);
}

/* ---- what the tree says ---- */

static bool is_quiet(const struct watch *watch, const char *path)
{
    uint32_t hash = path_hash(path);
    int64_t now = host_now_ms();

    for (size_t i = 0; i < QUIET_PATHS; i++) {
        if (watch->quiet[i].hash == hash && now < watch->quiet[i].until_ms)
            return true;
    }
    return false;
}

/* A file that the command which started the session writes, such as the recording of a headless run. */
static bool is_callers(const struct watch *watch, const char *path)
{
    const json_t *files = json_object_get(watch->host->session.start, "ignore"), *file;
    size_t length = strcmp(watch->folder, "/") == 0 ? 0 : strlen(watch->folder), i;

    json_array_foreach((json_t *)(uintptr_t)files, i, file)
    {
        const char *whole = json_is_string(file) ? json_string_value(file) : "";
        if (strncmp(whole, watch->folder, length) == 0 && whole[length] == '/' &&
            strcmp(whole + length + 1, path) == 0)
            return true;
    }
    return false;
}

static void changed(void *argument, const char *path, bool existed, bool exists)
{
    struct watch *watch = argument;

    if (!is_quiet(watch, path) && !is_callers(watch, path) &&
        !change_list_add(&watch->changes, path, existed, exists, host_now_ms()))
        watch->more++;
}

static void limited(void *argument, const char *why)
{
    struct watch *watch = argument;

    if (watch->limited)
        return;
    watch->limited = true;
    host_warn(watch->host, "watch_limited", "changes of some files may not be told: %s", why);
}

static const struct watch_tree_calls tree_calls = {changed, limited};

static void scan_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct watch *watch = argument;

    (void)descriptor;
    (void)what;
    if (watch_tree_scan(watch->tree, host_now_ns() + SLICE_NS))
        host_timer(watch->scan, 0);
    schedule(watch);
}

static void take(struct watch *watch)
{
    watch_tree_read(watch->tree, host_now_ns() + SLICE_NS);
    scan_due(-1, 0, watch);
}

/* A program that writes all the time wakes the host now and then only. */
static void readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct watch *watch = argument;

    (void)descriptor;
    (void)what;
    take(watch);
    host_timer(watch->pause, PAUSE_NS);
}

static void pause_over(evutil_socket_t descriptor, short what, void *argument)
{
    struct watch *watch = argument;

    (void)descriptor;
    (void)what;
    if (!watch_tree_gone(watch->tree))
        event_add(watch->readable, NULL);
}

static void tell_due(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    tell(argument, false);
}

/* ---- tools ---- */

/* What of `path` is below the folder, or NULL. */
static const char *below(const char *folder, const char *path)
{
    size_t length = strlen(folder);

    while (length > 0 && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* Relative to the working folder when it is in there; agents may name the folder without its symbolic links. */
static const char *shown_path(const struct host *host, const char *path)
{
    const char *shown = below(working_folder(host), path);
    char *folder = shown == NULL && path[0] == '/' ? realpath(working_folder(host), NULL) : NULL;

    if (folder != NULL)
        shown = below(folder, path);
    free(folder);
    if (shown == NULL)
        shown = path;
    while (strncmp(shown, "./", 2) == 0)
        shown += 2;
    return shown;
}

static void keep_quiet(struct watch *watch, const char *path)
{
    watch->quiet[watch->next_quiet] =
        (struct quiet_path){.hash = path_hash(path), .until_ms = host_now_ms() + QUIET_MS};
    watch->next_quiet = (watch->next_quiet + 1) % QUIET_PATHS;
    change_list_forget(&watch->changes, path);
}

void watch_tool_change(struct host *host, const struct tool_change *change)
{
    const char *path = shown_path(host, change->path);
    json_t *members =
        json_pack("{so ss ss so so}", "path", json_string_or_null(path), "change", change->change, "source",
                  "tool", "tool", json_string_or_null(change->tool), "turn", turn_or_null(host));

    if (change->lines_added >= 0)
        json_object_set_new(members, "lines_added", json_integer(change->lines_added));
    if (change->lines_removed >= 0)
        json_object_set_new(members, "lines_removed", json_integer(change->lines_removed));
    (void)events_emit(host, "file_changed", members);
    if (host->watch != NULL)
        keep_quiet(host->watch, path);
}

void watch_tool_changed(struct host *host, const char *path, const char *change, const char *tool)
{
    watch_tool_change(host, &(struct tool_change){path, change, tool, -1, -1});
}

/* ---- life ---- */

static bool is_within(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* ganger's own files change with every event, the kernel's without end. */
static struct watch_tree *watch_folder(struct watch *watch, const char *folder)
{
    char *state = realpath(watch->host->state_dir, NULL), *runtime = realpath(watch->host->runtime_dir, NULL);
    const char *const left_out[] = {state, runtime, "/proc", "/sys", "/dev", NULL};
    struct watch_tree *tree = NULL;
    struct error error;
    bool within = state == NULL || runtime == NULL || is_within(folder, state) || is_within(folder, runtime);

    if (!within) {
        tree = watch_tree_create(folder, left_out, &tree_calls, watch, &error);
        if (tree == NULL)
            limited(watch, error.text);
    }
    free(state);
    free(runtime);
    return tree;
}

static void destroy(struct watch *watch)
{
    struct event *events[] = {watch->readable, watch->pause, watch->scan, watch->due};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (events[i] != NULL)
            event_free(events[i]);
    }
    for (size_t i = 0; i < watch->sampled; i++)
        free(watch->samples[i]);
    change_list_finish(&watch->changes);
    watch_tree_destroy(watch->tree);
    free(watch->folder);
    free(watch);
}

static void start(struct host *host)
{
    char *folder = realpath(working_folder(host), NULL);
    struct watch *watch;

    if (folder == NULL)
        return;
    watch = xcalloc(1, sizeof *watch);
    watch->host = host;
    change_list_init(&watch->changes);
    watch->folder = folder;
    watch->tree = watch_folder(watch, folder);
    host->watch = watch;
    if (watch->tree == NULL)
        return;
    watch->readable = event_new(host->loop, watch_tree_descriptor(watch->tree), EV_READ, readable, watch);
    watch->pause = evtimer_new(host->loop, pause_over, watch);
    watch->scan = evtimer_new(host->loop, scan_due, watch);
    watch->due = evtimer_new(host->loop, tell_due, watch);
    event_add(watch->readable, NULL);
    scan_due(-1, 0, watch);
}

void watch_turn_began(struct host *host)
{
    if (host->watch == NULL && config_bool(host->config, "limits.watch_files"))
        start(host);
}

void watch_settle(struct host *host)
{
    if (host->watch == NULL || host->watch->tree == NULL)
        return;
    take(host->watch);
    tell(host->watch, true);
}

void watch_stop(struct host *host)
{
    watch_settle(host);
    if (host->watch != NULL)
        destroy(host->watch);
    host->watch = NULL;
}

void watch_init(struct host *host)
{
    if (host->activity.turn.number > 0 && !phase_is_end(host->activity.reported))
        watch_turn_began(host);
}

void watch_finish(struct host *host)
{
    if (host->watch != NULL)
        destroy(host->watch);
    host->watch = NULL;
}
