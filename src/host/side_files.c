#include "host/side_files.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/side_files_find.h"
#include "rpc/line.h"

#define PIECE (128 * 1024)     /* read between two turns of the loop */
#define LAST_PIECES 64         /* at the end of an attempt */
#define OBJECT_MAX (64 * 1024) /* of a file that is one object */
#define PAST_LINE_MAX (64 * 1024)
#define SOON_NS 1000000000   /* between two looks for the file */
#define SOON_LOOKS 5         /* after which an agent that does not work is looked at seldom */
#define SEEK_NS 60000000000  /* after an attempt's start */
#define SELDOM_NS 5000000000 /* between two looks at it, where inotify tells nothing */

struct side_files {
    struct host *host;
    const struct agent_file *file;
    void *state; /* the channel's */
    char *path;  /* NULL: not found yet */
    int64_t offset;
    struct line_reader reader;
    int inotify, watch;
    struct event *changed, *timer;
    int64_t began_ns;
    int looks;       /* for the file, so far */
    int64_t told_ms; /* what was written before is past */
    int64_t line_ms; /* when the line that is read was written; 0: not known */
    bool past;       /* it is a line of the past */
    bool taken_over;
    struct observed_usage past_usage;
    bool has_past_usage;
    enum phase past_phase; /* within this attempt; PHASE_COUNT: none */
};

/* ---- observations ---- */

static void remember(struct side_files *files, const struct observation *seen)
{
    if (seen->kind == OBSERVED_SESSION)
        observe_agent(files->host, EVIDENCE_SERVER, seen);
    if (seen->kind == OBSERVED_USAGE) {
        files->past_usage = seen->usage;
        files->has_past_usage = true;
    }
    if (seen->kind == OBSERVED_PHASE && files->line_ms >= files->host->attempt.started_ms)
        files->past_phase = seen->phase;
}

/* A line that was written before the agent asked is older than what is believed, however late it is read. */
static bool is_overtaken(const struct side_files *files)
{
    const struct phase_state *phase = &files->host->activity.detector.phase;

    return phase->phase == PHASE_APPROVAL && files->line_ms != 0 &&
           files->line_ms <= clock_realtime_ms() - (host_now_ms() - phase->since_ms);
}

static void observe(void *argument, const struct observation *seen)
{
    struct side_files *files = argument;
    struct observation dated = *seen;

    dated.at_ms = files->line_ms;
    if (files->past)
        remember(files, &dated);
    else if (seen->kind != OBSERVED_PHASE || !is_overtaken(files))
        observe_agent(files->host, EVIDENCE_SERVER, &dated);
}

static void tell_past(struct side_files *files)
{
    files->past = false;
    if (files->has_past_usage)
        observe_agent(files->host, EVIDENCE_SERVER,
                      &(struct observation){.kind = OBSERVED_USAGE, .usage = files->past_usage});
    if (files->taken_over && files->past_phase != PHASE_COUNT)
        observe_agent(files->host, EVIDENCE_SERVER,
                      &(struct observation){.kind = OBSERVED_PHASE, .phase = files->past_phase});
    files->has_past_usage = false;
    files->past_phase = PHASE_COUNT;
}

static void take_message(struct side_files *files, const char *bytes, size_t length)
{
    const struct observer observer = {.observe = observe, .argument = files};
    json_t *message = json_loadb(bytes, length, 0, NULL);

    if (json_is_object(message)) {
        if (clock_parse_rfc3339(json_member_string(message, "timestamp", ""), &files->line_ms) < 0)
            files->line_ms = 0;
        if (files->past && files->line_ms >= files->told_ms)
            tell_past(files);
        files->file->channel->message(files->state, message, &observer);
    }
    json_decref(message);
}

/* ---- reading ---- */

static void take_lines(struct side_files *files)
{
    enum line_result result;
    char *line;
    size_t length;

    while ((result = line_reader_next(&files->reader, &line, &length)) != LINE_MORE) {
        if (result == LINE_COMPLETE && (!files->past || length <= PAST_LINE_MAX))
            take_message(files, line, length);
    }
}

/* Lines that were added. Returns true when there may be more. */
static bool read_piece(struct side_files *files)
{
    int64_t size = 0, end = files->offset + PIECE;
    int file = side_file_open(files->path, &size);
    ssize_t got = 1;

    if (file < 0)
        return false;
    if (size < files->offset) {
        line_reader_finish(&files->reader);
        line_reader_init(&files->reader);
        files->offset = size;
    }
    while (got > 0 && files->offset < end) {
        size_t room;
        char *space = line_reader_space(&files->reader, &room);
        got = pread(file, space, room, files->offset);
        if (got > 0) {
            line_reader_added(&files->reader, (size_t)got);
            files->offset += got;
            take_lines(files);
        }
    }
    close(file);
    if (got <= 0 && files->past)
        tell_past(files);
    return got > 0;
}

/* A file that is being written anew is no JSON; it is read again when that is over. */
static void read_object(struct side_files *files)
{
    int64_t size = 0;
    int file = side_file_open(files->path, &size);
    char *text;
    ssize_t got;

    if (file < 0)
        return;
    text = xmalloc(OBJECT_MAX);
    got = size <= OBJECT_MAX ? pread(file, text, OBJECT_MAX, 0) : -1;
    close(file);
    if (got > 0)
        take_message(files, text, (size_t)got);
    free(text);
}

static bool read_more(struct side_files *files)
{
    if (files->file->grows)
        return read_piece(files);
    read_object(files);
    return false;
}

/* ---- following ---- */

static void changed(evutil_socket_t descriptor, short what, void *argument)
{
    struct side_files *files = argument;
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    (void)what;
    while (read(descriptor, events, sizeof events) > 0)
        continue;
    if (files->path != NULL && read_more(files))
        host_timer(files->timer, 0);
}

/* A file that is written anew may be another one by the same name: its folder is watched. */
static void watch(struct side_files *files)
{
    char *copy = xstrdup(files->path);

    if (files->watch >= 0)
        (void)inotify_rm_watch(files->inotify, files->watch);
    files->watch = files->file->grows ? inotify_add_watch(files->inotify, files->path, IN_MODIFY)
                                      : inotify_add_watch(files->inotify, dirname(copy),
                                                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
    free(copy);
}

static void follow(struct side_files *files, const char *path)
{
    char *found = xstrdup(path);

    free(files->path);
    files->path = found;
    files->file->channel->destroy(files->state);
    files->state = files->file->channel->create();
    line_reader_finish(&files->reader);
    line_reader_init(&files->reader);
    files->offset = 0;
    files->past = files->file->grows;
    files->has_past_usage = false;
    files->past_phase = PHASE_COUNT;
    log_note("the agent's own file is %s", path);
    watch(files);
    host_timer(files->timer, 0);
}

static bool works(const struct side_files *files)
{
    return phase_is_working(files->host->activity.detector.phase.phase);
}

static bool seeks(const struct side_files *files)
{
    return host_now_ns() - files->began_ns < SEEK_NS || works(files);
}

static void seek(struct side_files *files)
{
    char *path = seeks(files) ? side_file_find(files->host) : NULL;

    if (path != NULL)
        follow(files, path);
    free(path);
}

static void due(evutil_socket_t descriptor, short what, void *argument)
{
    struct side_files *files = argument;

    (void)descriptor;
    (void)what;
    if (files->path != NULL) {
        host_timer(files->timer, read_more(files) ? 0 : SELDOM_NS);
        return;
    }
    host_timer(files->timer, files->looks++ < SOON_LOOKS || works(files) ? SOON_NS : SELDOM_NS);
    seek(files);
}

void side_files_named(struct host *host, const json_t *payload)
{
    struct side_files *files = host->side_files;
    const char *path = json_member_string(payload, "transcript_path", NULL);
    const char *id = json_member_string(payload, "session_id", NULL);
    int64_t size;
    int file;

    /* A subagent's is another one. */
    if (files == NULL || !files->file->grows || path == NULL || id == NULL || strstr(path, id) == NULL ||
        json_object_get(payload, "agent_id") != NULL || files->file->begun_ms(path) < 0)
        return;
    if (files->path != NULL && strcmp(files->path, path) == 0)
        return;
    file = side_file_open(path, &size);
    if (file < 0)
        return;
    close(file);
    follow(files, path);
}

/* ---- life ---- */

void side_files_begin(struct host *host, bool taken_over)
{
    struct side_files *files;

    side_files_end(host);
    if (host->driver->file == NULL || stream_mode(host))
        return;
    files = xcalloc(1, sizeof *files);
    host->side_files = files;
    files->host = host;
    files->file = host->driver->file;
    files->state = files->file->channel->create();
    line_reader_init(&files->reader);
    files->began_ns = host_now_ns();
    files->taken_over = taken_over;
    files->told_ms = taken_over ? clock_realtime_ms() : host->attempt.started_ms;
    files->past_phase = PHASE_COUNT;
    files->watch = -1;
    files->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (files->inotify >= 0) {
        files->changed = event_new(host->loop, files->inotify, EV_READ | EV_PERSIST, changed, files);
        event_add(files->changed, NULL);
    }
    files->timer = evtimer_new(host->loop, due, files);
    host_timer(files->timer, taken_over ? 0 : SOON_NS);
}

void side_files_settle(struct host *host)
{
    struct side_files *files = host->side_files;

    if (files == NULL)
        return;
    if (files->path == NULL)
        seek(files);
    for (int i = 0; files->path != NULL && i < LAST_PIECES && read_more(files); i++)
        continue;
}

void side_files_end(struct host *host)
{
    struct side_files *files = host->side_files;

    if (files == NULL)
        return;
    side_files_settle(host);
    host->side_files = NULL;
    files->file->channel->destroy(files->state);
    line_reader_finish(&files->reader);
    if (files->changed != NULL)
        event_free(files->changed);
    if (files->inotify >= 0)
        close(files->inotify);
    event_free(files->timer);
    free(files->path);
    free(files);
}
