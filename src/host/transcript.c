#include "host/transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POSITION_FILE ".transcript"
#define POSITION_MAGIC 0x74706B31u

struct position {
    uint32_t magic, attempt;
    uint64_t next_line;
    uint64_t length; /* bytes of transcript.log */
};

static bool read_position(int session_dir, struct position *position)
{
    int file = openat(session_dir, POSITION_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got;

    if (file < 0)
        return false;
    got = pread(file, position, sizeof *position, 0);
    close(file);
    return got == (ssize_t)sizeof *position && position->magic == POSITION_MAGIC;
}

uint64_t transcript_position(int session_dir, uint32_t attempt)
{
    struct position position;

    return read_position(session_dir, &position) && position.attempt == attempt ? position.next_line : 0;
}

static int write_position(int session_dir, const struct position *position)
{
    int file = openat(session_dir, POSITION_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t wrote;

    if (file < 0)
        return -1;
    wrote = pwrite(file, position, sizeof *position, 0);
    close(file);
    return wrote == (ssize_t)sizeof *position ? 0 : -1;
}

int transcript_append(int session_dir, int file, const char *text, size_t length, uint32_t attempt,
                      uint64_t next_line)
{
    struct position position;
    struct stat status;
    size_t done = 0;

    if (fstat(file, &status) < 0)
        return -1;
    if (!read_position(session_dir, &position) || position.length > (uint64_t)status.st_size)
        position = (struct position){.magic = POSITION_MAGIC, .length = (uint64_t)status.st_size};
    while (done < length) {
        ssize_t wrote = pwrite(file, text + done, length - done, (off_t)(position.length + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -1;
        done += (size_t)wrote;
    }
    position.attempt = attempt;
    position.next_line = next_line;
    position.length += length;
    if (position.length < (uint64_t)status.st_size && ftruncate(file, (off_t)position.length) < 0)
        return -1;
    return write_position(session_dir, &position);
}

uint64_t transcript_waiting(const struct terminal *terminal, uint64_t next)
{
    uint64_t end = terminal_scrollback_end(terminal);

    return end > next + 1 ? end - 1 - next : 0;
}

static void append_run(void *argument, const struct line_run *run)
{
    buffer_append(argument, run->text, run->length);
}

static void append_line(const struct terminal *terminal, uint64_t number, struct buffer *out)
{
    (void)terminal_scrollback_line(terminal, number, append_run, out);
    while (out->length > 0 && out->bytes[out->length - 1] == ' ')
        out->length--;
    buffer_append_char(out, '\n');
}

static void append_screen(const struct terminal *terminal, struct buffer *out)
{
    size_t start = out->length;

    terminal_text(terminal, out);
    while (out->length > start + 1 && out->bytes[out->length - 1] == '\n' &&
           out->bytes[out->length - 2] == '\n')
        out->length--;
    if (out->length == start + 1)
        out->length = start;
}

uint64_t transcript_take(const struct terminal *terminal, uint64_t next, bool last, struct buffer *out)
{
    uint64_t first = terminal_scrollback_first(terminal), end = terminal_scrollback_end(terminal);

    if (!last && end > 0)
        end--;
    if (next < first && first < end) {
        buffer_printf(out, "[%llu lines are missing here]\n", (unsigned long long)(first - next));
        next = first;
    }
    for (; next < end; next++)
        append_line(terminal, next, out);
    if (last)
        append_screen(terminal, out);
    return next;
}
