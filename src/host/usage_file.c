#include "host/usage_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "host/host.h"
#include "host/observe.h"

#define PIECE (256 * 1024)
#define LOOKS 2
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
    *file = (struct usage_file){0};
}

static int open_own(const char *path, int64_t *size)
{
    /* Opening a FIFO must not wait for a writer. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;

    if (descriptor < 0)
        return -1;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid()) {
        *size = status.st_size;
        return descriptor;
    }
    close(descriptor);
    return -1;
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
    int descriptor = open_own(file->path, &size);
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
    file->path = xstrdup(path);
    file->state = host->driver->transcript->create();
    file->timer = evtimer_new(host->loop, due, host);
    line_reader_init(&file->reader);
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
