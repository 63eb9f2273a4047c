#include "host/transcript.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_write.h"
#include "base/memory.h"
#include "store/session_dir.h"
#include "store/transcript_mark.h"

#define TAIL_BYTES (128 * 1024) /* of the file that are read back */

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

    if (file_write_at(file->text, text, length, (off_t)file->length) < 0)
        return -1;
    file->length += length;
    mark.length = file->length;
    return transcript_mark_write(file->session_dir, &mark);
}

/* ---- going on with a file ---- */

/* `whole`: the text begins with a line. */
static void read_back(struct transcript_lines *lines, const char *text, size_t length, bool whole)
{
    uint64_t number = lines->next;

    while (length > 0 && text[length - 1] == '\n' && number > 0 && lines->next - number < TRANSCRIPT_HASHES) {
        const char *before = memrchr(text, '\n', length - 1);
        const char *start = before == NULL ? text : before + 1;
        size_t line = (size_t)(text + length - 1 - start);
        if (before == NULL && !whole)
            return;
        transcript_lines_note(lines, --number, start, line);
        length -= line + 1;
    }
}

void transcript_resume(struct transcript_lines *lines, int session_dir, uint64_t next,
                       const struct terminal *terminal)
{
    struct transcript_mark mark;
    int file = openat(session_dir, SESSION_TRANSCRIPT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char *text = xmalloc(TAIL_BYTES);
    uint64_t from = 0;
    ssize_t got = 0;

    *lines = (struct transcript_lines){.next = next, .again = next};
    if (file >= 0 && next > 0 && transcript_mark_read(session_dir, &mark)) {
        from = mark.length > TAIL_BYTES ? mark.length - TAIL_BYTES : 0;
        got = pread(file, text, (size_t)(mark.length - from), (off_t)from);
    }
    if (got > 0)
        read_back(lines, text, (size_t)got, from == 0);
    if (file >= 0)
        close(file);
    free(text);
    transcript_lines_resized(lines, terminal);
}
