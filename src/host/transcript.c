#include "host/transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/session_dir.h"
#include "store/transcript_mark.h"

uint64_t transcript_position(int session_dir, uint32_t attempt)
{
    struct transcript_mark mark;

    return transcript_mark_read(session_dir, &mark) && mark.attempt == attempt ? mark.next_line : 0;
}

int transcript_open(struct transcript_file *file, int session_dir)
{
    struct transcript_mark mark;
    struct stat status;

    file->session_dir = session_dir;
    file->text = openat(session_dir, SESSION_TRANSCRIPT, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->text < 0 || fstat(file->text, &status) < 0)
        return -1;
    file->length = (uint64_t)status.st_size;
    if (!transcript_mark_read(session_dir, &mark)) {
        /* Before the first addition, so that one whose mark was not written is cut off again. */
        mark = (struct transcript_mark){.length = file->length};
        return transcript_mark_write(session_dir, &mark);
    }
    if (mark.length >= file->length)
        return 0;
    file->length = mark.length;
    return ftruncate(file->text, (off_t)file->length);
}

void transcript_close(struct transcript_file *file)
{
    if (file->text >= 0)
        close(file->text);
    file->text = -1;
}

int transcript_append(struct transcript_file *file, const char *text, size_t length, uint32_t attempt,
                      uint64_t next_line)
{
    struct transcript_mark mark = {.attempt = attempt, .next_line = next_line};
    size_t done = 0;

    while (done < length) {
        ssize_t wrote = pwrite(file->text, text + done, length - done, (off_t)(file->length + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -1;
        done += (size_t)wrote;
    }
    file->length += length;
    mark.length = file->length;
    return transcript_mark_write(file->session_dir, &mark);
}
