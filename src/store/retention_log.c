#include "store/retention_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"

#define LINE_MAX_BYTES 4096

int retention_log_open(const char *state_dir, struct error *error)
{
    char *path = path_join(state_dir, RETENTION_LOG);
    int log = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (log < 0) {
        error_errno(error, "cannot write %s", path);
    } else if (flock(log, LOCK_EX | LOCK_NB) < 0) {
        error_errno(error, "cannot lock %s", path);
        close(log);
        log = -1;
    }
    free(path);
    return log;
}

int retention_claim(const char *state_dir, int64_t now_ms, double interval_s)
{
    char *path = path_join(state_dir, RETENTION_LOG);
    struct stat status;
    double age_s = interval_s;
    int log;

    if (lstat(path, &status) == 0)
        age_s = (double)now_ms / 1000 - (double)status.st_mtim.tv_sec - (double)status.st_mtim.tv_nsec / 1e9;
    free(path);
    if (age_s > -interval_s && age_s < interval_s)
        return -1;
    log = retention_log_open(state_dir, NULL);
    if (log >= 0 && (age_s > RETENTION_DOUBT_S || age_s < 0)) {
        retention_log_looked(log, now_ms);
        close(log);
        log = -1;
    }
    return log;
}

/* Drops the older half of a long log, in place: its lock must stay on this very file. */
static void shorten(int log)
{
    struct stat status;
    char *bytes, *start;
    off_t from;
    ssize_t got, length;

    if (fstat(log, &status) < 0 || status.st_size <= RETENTION_LOG_MAX)
        return;
    from = status.st_size - RETENTION_LOG_MAX / 2;
    bytes = xmalloc(RETENTION_LOG_MAX / 2);
    got = pread(log, bytes, RETENTION_LOG_MAX / 2, from);
    start = got > 0 ? memchr(bytes, '\n', (size_t)got) : NULL;
    length = start == NULL ? 0 : got - (start + 1 - bytes);
    if (length > 0 && pwrite(log, start + 1, (size_t)length, 0) != length)
        length = 0;
    (void)!ftruncate(log, length);
    free(bytes);
}

void retention_log_removed(int log, const struct ended_session *session, int64_t now_ms, const char *reason)
{
    json_t *line = json_pack("{so ss so so sI ss}", "at", json_time_or_null(now_ms), "id", session->uuid,
                             "name", json_string_or_null(session->name[0] != '\0' ? session->name : NULL),
                             "ended_at", json_time_or_null(session->ended_ms), "bytes",
                             (json_int_t)session->bytes, "reason", reason);
    struct buffer text;

    shorten(log);
    buffer_init(&text);
    json_append_value(&text, line);
    buffer_append_char(&text, '\n');
    if (lseek(log, 0, SEEK_END) >= 0)
        (void)!write(log, text.bytes, text.length);
    buffer_finish(&text);
    json_decref(line);
}

void retention_log_looked(int log, int64_t now_ms)
{
    const struct timespec at = {(time_t)(now_ms / 1000), (long)(now_ms % 1000) * 1000000};

    (void)futimens(log, (const struct timespec[]){at, at});
}

json_t *retention_last(const char *state_dir, int64_t *looked_ms)
{
    char *path = path_join(state_dir, RETENTION_LOG), tail[LINE_MAX_BYTES], *end, *start;
    int log = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    json_t *last = NULL;
    struct stat status;
    ssize_t got = -1;

    free(path);
    *looked_ms = 0;
    if (log >= 0 && fstat(log, &status) == 0 && S_ISREG(status.st_mode)) {
        off_t from = status.st_size > (off_t)sizeof tail - 1 ? status.st_size - ((off_t)sizeof tail - 1) : 0;
        *looked_ms = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
        got = pread(log, tail, sizeof tail - 1, from);
    }
    if (log >= 0)
        close(log);
    end = got > 0 ? memrchr(tail, '\n', (size_t)got) : NULL;
    if (end != NULL) {
        start = end == tail ? NULL : memrchr(tail, '\n', (size_t)(end - tail));
        start = start == NULL ? tail : start + 1;
        last = json_loadb(start, (size_t)(end - start), 0, NULL);
    }
    return last;
}
