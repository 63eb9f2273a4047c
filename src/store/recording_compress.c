/* Complete parts become zstd files: frames of whole lines, each with its size and a checksum. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file_write.h"
#include "base/memory.h"
#include "store/line_file.h"
#include "store/recording.h"
#include "store/recording_names.h"

#define LEVEL 6                         /* of what spinners draw it leaves a tenth less than 3 */
#define FRAME ((size_t)4 * 1024 * 1024) /* bytes of a frame, but for a longer line */
#define BLOCK ((size_t)256 * 1024)      /* read at once */
#define STOPPED 1

struct work {
    const atomic_bool *stop;
    ZSTD_CCtx *context;
    char *plain, *packed; /* what is read and not in a frame yet; a frame */
    size_t length, capacity, packed_capacity;
};

static bool is_stopped(const struct work *work)
{
    return work->stop != NULL && atomic_load(work->stop);
}

/* Compresses the first `length` bytes of what was read. */
static int write_frame(struct work *work, int to, size_t length)
{
    size_t bound = ZSTD_compressBound(length), got;

    if (bound > work->packed_capacity) {
        work->packed = xreallocarray(work->packed, bound, 1);
        work->packed_capacity = bound;
    }
    got = ZSTD_compress2(work->context, work->packed, bound, work->plain, length);
    if (ZSTD_isError(got)) {
        errno = ENOMEM;
        return -1;
    }
    if (file_write(to, work->packed, got) < 0)
        return -1;
    work->length -= length;
    memmove(work->plain, work->plain + length, work->length);
    return 0;
}

/* Appends the file's next bytes. How many, or -1. */
static ssize_t read_more(struct work *work, int from)
{
    ssize_t got;

    if (work->capacity - work->length < BLOCK) {
        work->capacity = work->capacity == 0 ? FRAME + BLOCK : work->capacity * 2;
        work->plain = xreallocarray(work->plain, work->capacity, 1);
    }
    do
        got = read(from, work->plain + work->length, BLOCK);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        work->length += (size_t)got;
    return got;
}

/* What of the bytes that were read makes the next frame; 0: more is to be read first. */
static size_t frame_length(const struct work *work, bool ended)
{
    const char *newline;

    if (ended && work->length <= FRAME)
        return work->length;
    if (work->length < FRAME)
        return 0;
    newline = memrchr(work->plain, '\n', FRAME);
    if (newline == NULL)
        newline = memchr(work->plain + FRAME, '\n', work->length - FRAME);
    if (newline != NULL)
        return (size_t)(newline - work->plain) + 1;
    /* A line that is longer than any reader takes. */
    return ended || work->length > LINE_FILE_MAX ? work->length : 0;
}

/* 0, STOPPED, or -1 and errno. */
static int compress_file(struct work *work, int from, int to)
{
    bool ended = false;

    work->length = 0;
    while (!ended || work->length > 0) {
        size_t length = frame_length(work, ended);
        if (is_stopped(work))
            return STOPPED;
        if (length > 0) {
            if (write_frame(work, to, length) < 0)
                return -1;
        } else {
            ssize_t got = read_more(work, from);
            if (got < 0)
                return -1;
            ended = got == 0;
        }
    }
    return fsync(to);
}

/* Makes the compressed file durable before the other one goes. */
static int replace(int session_dir, const char *name, const char *temporary, const char *packed)
{
    if (renameat(session_dir, temporary, session_dir, packed) < 0 || fsync(session_dir) < 0)
        return -1;
    return unlinkat(session_dir, name, 0);
}

/* Opens a part and locks it: a host and `ganger doctor --mend` would spoil each other's work. 1; 0: another process is at it,
 * or was; -1. */
static int take_part(int session_dir, const char *name, int *file)
{
    struct stat status;

    *file = openat(session_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*file < 0)
        return errno == ENOENT ? 0 : -1;
    /* A file system without locks is no reason to leave it. */
    if (flock(*file, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return 0;
    return fstat(*file, &status) < 0 ? -1 : status.st_nlink > 0;
}

static int compress_part(struct work *work, int session_dir, const struct recording_name *part,
                         struct error *error)
{
    char name[RECORDING_NAME_SIZE], packed[RECORDING_NAME_SIZE + 8], temporary[RECORDING_NAME_SIZE + 16];
    int from, to = -1, taken, result = -1;

    recording_part_name(part->attempt, part->part, name);
    (void)snprintf(packed, sizeof packed, "%s%s", name, RECORDING_ZST);
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", packed);
    taken = take_part(session_dir, name, &from);
    if (taken > 0)
        to = openat(session_dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to >= 0)
        result = compress_file(work, from, to);
    if (result == 0)
        result = replace(session_dir, name, temporary, packed);
    if (taken == 0)
        result = 0;
    else if (result < 0)
        error_errno(error, "cannot compress the recording %s", name);
    if (to >= 0 && result != 0)
        (void)unlinkat(session_dir, temporary, 0);
    if (to >= 0)
        close(to);
    if (from >= 0)
        close(from);
    return result;
}

/* A part is complete once the one after it has begun: that is what a host which takes over goes on with. */
static bool has_begun(int session_dir, const struct recording_name *next)
{
    struct recording_prologue prologue;
    char name[RECORDING_NAME_SIZE];
    int file, whole;

    if (next->compressed)
        return true;
    recording_part_name(next->attempt, next->part, name);
    file = openat(session_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return false;
    whole = recording_prologue_read(file, next->part, &prologue);
    close(file);
    return whole > 0;
}

static bool is_complete(int session_dir, const struct recording_name *names, size_t count, size_t at)
{
    for (size_t i = at + 1; i < count && names[i].attempt == names[at].attempt; i++) {
        if (names[i].part > names[at].part && has_begun(session_dir, &names[i]))
            return true;
    }
    return false;
}

unsigned recording_uncompressed(int session_dir)
{
    struct recording_name *names;
    size_t count;
    unsigned found = 0;

    if (recording_list(session_dir, &names, &count, NULL) < 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        found += !names[i].compressed && is_complete(session_dir, names, count, i);
    free(names);
    return found;
}

int recording_compress(int session_dir, const atomic_bool *stop, struct error *error)
{
    struct work work = {.stop = stop};
    struct recording_name *names;
    size_t count;
    int result = 0;

    if (recording_list(session_dir, &names, &count, error) < 0)
        return -1;
    work.context = ZSTD_createCCtx();
    (void)ZSTD_CCtx_setParameter(work.context, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(work.context, ZSTD_c_checksumFlag, 1);
    for (size_t i = 0; i < count && result == 0; i++) {
        if (!names[i].compressed && is_complete(session_dir, names, count, i))
            result = compress_part(&work, session_dir, &names[i], error);
    }
    ZSTD_freeCCtx(work.context);
    free(work.plain);
    free(work.packed);
    free(names);
    return result < 0 ? -1 : 0;
}
