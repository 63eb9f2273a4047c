#include "store/transcript_mark.h"

#include <fcntl.h>
#include <unistd.h>

#define MARK_FILE ".transcript"
#define MARK_MAGIC 0x74706B31u

struct stored_mark {
    uint32_t magic, attempt;
    uint64_t next_line, length;
};

bool transcript_mark_read(int session_dir, struct transcript_mark *mark)
{
    int file = openat(session_dir, MARK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stored_mark stored;
    ssize_t got;

    if (file < 0)
        return false;
    got = pread(file, &stored, sizeof stored, 0);
    close(file);
    if (got != (ssize_t)sizeof stored || stored.magic != MARK_MAGIC)
        return false;
    *mark = (struct transcript_mark){stored.attempt, stored.next_line, stored.length};
    return true;
}

int transcript_mark_write(int session_dir, const struct transcript_mark *mark)
{
    struct stored_mark stored = {MARK_MAGIC, mark->attempt, mark->next_line, mark->length};
    int file = openat(session_dir, MARK_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t wrote;

    if (file < 0)
        return -1;
    wrote = pwrite(file, &stored, sizeof stored, 0);
    close(file);
    return wrote == (ssize_t)sizeof stored ? 0 : -1;
}

int transcript_mark_open(int session_dir)
{
    return openat(session_dir, MARK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}
