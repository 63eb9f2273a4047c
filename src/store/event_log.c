#include "store/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "store/line_file.h"
#include "store/session_dir.h"

#define PREFIX "{\"seq\":"
#define NEAR (64 * 1024) /* bytes that are read through rather than halved */

/* 0 when the line is no event. */
static uint64_t seq_of(const char *text, size_t length)
{
    size_t prefix = sizeof PREFIX - 1, at = prefix;
    uint64_t seq = 0;

    if (length > prefix && memcmp(text, PREFIX, prefix) == 0) {
        for (; at < length && at < prefix + 18 && text[at] >= '0' && text[at] <= '9'; at++)
            seq = seq * 10 + (uint64_t)(text[at] - '0');
        if (at > prefix && (text[at] == ',' || text[at] == '}'))
            return seq;
    }
    if (length > 0 && text[0] == '{') {
        json_t *event = json_loadb(text, length, 0, NULL);
        int64_t value = json_member_integer(event, "seq", 0);
        json_decref(event);
        return value > 0 ? (uint64_t)value : 0;
    }
    return 0;
}

/* The start of the line that ends before `stop` (which follows a \n). Returns -1 on a read error. */
static int64_t line_start(int file, int64_t stop)
{
    char block[4096];
    int64_t end = stop - 1;

    while (end > 0) {
        size_t room = end < (int64_t)sizeof block ? (size_t)end : sizeof block;
        const char *found;
        if (pread(file, block, room, end - (int64_t)room) != (ssize_t)room)
            return -1;
        found = memrchr(block, '\n', room);
        if (found != NULL)
            return end - (int64_t)room + (found - block) + 1;
        end -= (int64_t)room;
    }
    return 0;
}

/* Fills `end` from the line at `start`; false when it is no event. */
static bool read_end(int file, int64_t start, int64_t stop, struct event_log_end *end)
{
    struct line_file lines;
    struct line_text line;
    json_t *event = NULL;
    int64_t seq;

    line_file_init(&lines, file, (uint64_t)start, (uint64_t)stop);
    if (line_file_next(&lines, &line, NULL) == 1)
        event = json_loadb(line.text, line.length, 0, NULL);
    seq = json_member_integer(event, "seq", 0);
    if (seq > 0) {
        int64_t offset = json_member_integer(event, "off", 0),
                attempt = json_member_integer(event, "attempt", 0);
        *end = (struct event_log_end){(uint64_t)seq, offset > 0 ? (uint64_t)offset : 0,
                                      attempt > 0 && attempt <= UINT32_MAX ? (uint32_t)attempt : 0};
    }
    json_decref(event);
    line_file_finish(&lines);
    return seq > 0;
}

/* Cuts a torn last line and finds the last event before it. */
static int find_end(int file, struct event_log_end *end)
{
    struct stat status;
    int64_t stop;
    char last;

    *end = (struct event_log_end){0};
    if (fstat(file, &status) < 0)
        return -1;
    stop = status.st_size;
    if (stop > 0 && (pread(file, &last, 1, stop - 1) != 1 || last != '\n')) {
        stop = line_start(file, stop + 1);
        if (stop < 0 || ftruncate(file, stop) < 0)
            return -1;
    }
    while (stop > 0) {
        int64_t start = line_start(file, stop);
        if (start < 0)
            return -1;
        if (read_end(file, start, stop, end))
            break;
        stop = start;
    }
    return 0;
}

int event_log_open(int session_dir, struct event_log_end *end, struct error *error)
{
    int file =
        openat(session_dir, SESSION_EVENTS, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (file < 0)
        return error_errno(error, "cannot open " SESSION_EVENTS);
    if (find_end(file, end) < 0) {
        error_errno(error, "cannot read " SESSION_EVENTS);
        close(file);
        return -1;
    }
    return file;
}

/* The first event that starts at or after `from` and before `stop`: its seq, 0 when there is none. */
static uint64_t event_after(int file, uint64_t from, uint64_t stop, uint64_t *start)
{
    struct line_file lines;
    struct line_text line;
    uint64_t seq = 0;

    /* Begins one byte early: what follows the first \n is then a whole line. */
    line_file_init(&lines, file, from - 1, 0);
    if (line_file_next(&lines, &line, NULL) == 1) {
        while (seq == 0 && line_file_next(&lines, &line, NULL) == 1 && line.offset < stop && line.whole) {
            seq = seq_of(line.text, line.length);
            *start = line.offset;
        }
    }
    line_file_finish(&lines);
    return seq;
}

/* An offset at the start of a line, not far before the first event after `since`. */
static uint64_t bisect(int file, uint64_t since, uint64_t size)
{
    uint64_t low = 0, high = size;

    while (since > 0 && high - low > NEAR) {
        uint64_t middle = low + (high - low) / 2, start = 0;
        uint64_t seq = event_after(file, middle, high, &start);
        if (seq > 0 && seq <= since)
            low = start;
        else
            high = middle;
    }
    return low;
}

int event_log_read(int session_dir, uint64_t since,
                   int (*line)(void *argument, uint64_t seq, const char *text, size_t length), void *argument,
                   struct error *error)
{
    int file = openat(session_dir, SESSION_EVENTS, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), got;
    struct line_file lines;
    struct line_text text;
    struct stat status;

    if (file < 0)
        return errno == ENOENT ? 0 : error_errno(error, "cannot open " SESSION_EVENTS);
    if (fstat(file, &status) < 0)
        status.st_size = 0;
    line_file_init(&lines, file, bisect(file, since, (uint64_t)status.st_size), 0);
    while ((got = line_file_next(&lines, &text, error)) == 1 && text.whole) {
        uint64_t seq = seq_of(text.text, text.length);
        if (seq > since && line(argument, seq, text.text, text.length) != 0)
            break;
    }
    line_file_finish(&lines);
    close(file);
    return got < 0 ? -1 : 0;
}
