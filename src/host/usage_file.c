#include "host/usage_file.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"
#include "base/path.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/side_files_find.h"
#include "host/stream.h"

#define PIECE (256 * 1024)
#define LOOKS 2
#define SEEK_NS 2000000000
#define RESTS_NS 10000000000 /* an agent that wrote nothing on its terminal for so long */
#define KEPT "transcript"
#define LATE_NS 250000000 /* agents write their transcript a little after they report */

static void observe(void *argument, const struct observation *observation)
{
    observe_agent(argument, EVIDENCE_HOOK, observation);
}

void usage_file_forget(struct host *host)
{
    struct usage_file *file = &host->hooks.usage;

    if (file->path == NULL)
        return;
    host->driver->transcript->destroy(file->state);
    event_free(file->timer);
    line_reader_finish(&file->reader);
    free(file->path);
    file->path = NULL;
    file->state = NULL;
    file->timer = NULL;
    file->offset = 0;
    file->looks = 0;
}

static void take_lines(struct host *host)
{
    struct usage_file *file = &host->hooks.usage;
    enum line_result result;
    char *line;
    size_t length;

    while ((result = line_reader_next(&file->reader, &line, &length)) != LINE_MORE) {
        if (result == LINE_COMPLETE)
            host->driver->transcript->line(file->state, line, length);
    }
}

/* Returns true when there may be more. */
static bool read_piece(struct host *host)
{
    struct usage_file *file = &host->hooks.usage;
    int64_t size = 0, end;
    int descriptor = side_file_open(file->path, &size);
    ssize_t got = 1;

    if (descriptor < 0)
        return false;
    for (end = file->offset + PIECE; got > 0 && file->offset < end;) {
        size_t room;
        char *space = line_reader_space(&file->reader, &room);
        got = pread(descriptor, space, room, file->offset);
        if (got > 0) {
            line_reader_added(&file->reader, (size_t)got);
            file->offset += got;
            take_lines(host);
        }
    }
    close(descriptor);
    return got > 0;
}

static void due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct usage_file *file = &host->hooks.usage;
    const struct observer observer = {.observe = observe, .argument = host};

    (void)descriptor;
    (void)what;
    if (read_piece(host)) {
        host_timer(file->timer, 0);
        return;
    }
    host->driver->transcript->report(file->state, &observer);
    if (file->looks-- > 0)
        host_timer(file->timer, LATE_NS);
}

static void follow(struct host *host, const char *path)
{
    struct usage_file *file = &host->hooks.usage;

    usage_file_forget(host);
    line_reader_init(&file->reader);
    file->path = xstrdup(path);
    file->state = host->driver->transcript->create(file->since_ms, !host->hooks.heard);
    file->timer = evtimer_new(host->loop, due, host);
}

void usage_file_grew(struct host *host, const char *path)
{
    struct usage_file *file = &host->hooks.usage;
    const char *end = path == NULL ? NULL : strrchr(path, '.');

    if (end == NULL || path[0] != '/' || strcmp(end, ".jsonl") != 0)
        return;
    if (file->path == NULL || strcmp(file->path, path) != 0)
        follow(host, path);
    file->looks = LOOKS;
    due(-1, 0, host);
}

/* ---- without hooks ---- */

void usage_file_begin(struct host *host, const char *(*variable)(void *argument, const char *name),
                      void *argument)
{
    const struct agent_transcript *transcript = host->driver->transcript;
    const char *folder, *home;
    char *pattern = NULL;

    if (transcript == NULL)
        return;
    host->hooks.usage.since_ms = clock_realtime_ms();
    host_timer(host->hooks.usage.seek, SEEK_NS);
    folder = variable(argument, transcript->variable);
    home = variable(argument, "HOME");
    if (folder != NULL && *folder == '/')
        pattern = path_join(folder, transcript->below_variable);
    else if (home != NULL && *home == '/')
        pattern = path_join(home, transcript->below_home);
    session_keep(host, KEPT, json_string_or_null(pattern));
    free(pattern);
}

/* The pattern with the id in the place of "%s" or "%.8s"; NULL when it has none. Allocated. */
static char *with_id(const char *pattern, const char *id)
{
    const char *place = strrchr(pattern, '%');
    int length = place != NULL && strncmp(place, "%.8s", 4) == 0 ? 8 : UUID_SIZE - 1;

    if (place == NULL || !uuid_valid(id))
        return NULL;
    return xasprintf("%.*s%.*s%s", (int)(place - pattern), pattern, length, id, strchr(place, 's') + 1);
}

static void find_file(struct host *host)
{
    const char *id = json_member_string(host->session.object, "agent_session_id", NULL);
    const char *pattern = json_string_value(session_kept(&host->session, KEPT));
    char *name = pattern == NULL || id == NULL ? NULL : with_id(pattern, id);
    glob_t found;

    if (name == NULL)
        return;
    if (glob(name, GLOB_NOSORT, NULL, &found) == 0) {
        usage_file_grew(host, found.gl_pathv[0]);
        globfree(&found);
    }
    free(name);
}

static void seek_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct usage_file *file = &host->hooks.usage;

    (void)descriptor;
    (void)what;
    if (host->hooks.heard)
        return;
    if (host->output_at + RESTS_NS > host_now_ns() && !host->attempt.replaying)
        find_file(host);
    host_timer(file->seek, SEEK_NS);
}

void usage_file_init(struct host *host)
{
    struct usage_file *file = &host->hooks.usage;

    file->since_ms = clock_realtime_ms();
    file->seek = evtimer_new(host->loop, seek_due, host);
    if (host->driver->transcript != NULL && !stream_mode(host))
        host_timer(file->seek, SEEK_NS);
}

void usage_file_finish(struct host *host)
{
    usage_file_forget(host);
    event_free(host->hooks.usage.seek);
}
