#include "replay/source.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "store/recording_parts.h"
#include "store/session_dir.h"

#define HEADER_MAX 65536

void source_init_session(struct source *source, const char *state_dir, const char *uuid, unsigned attempt)
{
    *source = (struct source){.state_dir = xstrdup(state_dir), .attempt = attempt, .seekable = true};
    (void)snprintf(source->uuid, sizeof source->uuid, "%s", uuid);
}

/* Only the times of an uncompressed v2 are told by each line alone. */
static bool is_plain_v2(const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    json_t *header = end == NULL ? NULL : json_loadb(bytes, (size_t)(end - bytes), 0, NULL);
    bool is = json_member_integer(header, "version", 0) == 2;

    json_decref(header);
    return is;
}

int source_init_file(struct source *source, const char *path, struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    char *bytes;
    ssize_t got;

    *source = (struct source){.file = NULL};
    if (file < 0)
        return error_errno(error, "cannot read %s", path);
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(file);
        return error_set(error, "%s is not a regular file: save it as one first", path);
    }
    bytes = xmalloc(HEADER_MAX);
    got = pread(file, bytes, HEADER_MAX, 0);
    source->seekable = got > 0 && is_plain_v2(bytes, (size_t)got);
    free(bytes);
    close(file);
    if (got < 0)
        return error_errno(error, "cannot read %s", path);
    source->file = xstrdup(path);
    return 0;
}

void source_finish(struct source *source)
{
    free(source->file);
    free(source->state_dir);
    *source = (struct source){.file = NULL};
}

struct recording_reader *source_open(const struct source *source, uint64_t offset, struct error *error)
{
    struct recording_reader *reader;
    int file;

    if (source->file != NULL) {
        file = open(source->file, O_RDONLY | O_CLOEXEC);
        if (file >= 0)
            return recording_reader_file(file, offset, 0, error);
        error_errno(error, "cannot read %s", source->file);
        return NULL;
    }
    file = session_dir_open(source->state_dir, source->uuid, error);
    if (file < 0)
        return NULL;
    reader = recording_reader_attempt(file, source->attempt, offset, 0, error);
    close(file);
    return reader;
}

bool source_alive(const struct source *source)
{
    json_t *session;
    bool over;

    if (source->state_dir == NULL || session_dir_alive(source->state_dir, source->uuid, NULL) != 1)
        return false;
    session = session_dir_read(source->state_dir, source->uuid, NULL);
    over = session_phase_ended(json_member_string(session, "phase", "")) ||
           json_member_integer(session, "attempt", 0) > (json_int_t)source->attempt;
    json_decref(session);
    return !over;
}

bool source_gone(const struct source *source)
{
    char *path;
    bool gone;

    if (source->state_dir == NULL)
        return false;
    path = session_dir_path(source->state_dir, source->uuid);
    gone = access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
    free(path);
    return gone;
}

void source_say_left_out(uint64_t lines, char text[SOURCE_LEFT_OUT_SIZE])
{
    (void)snprintf(text, SOURCE_LEFT_OUT_SIZE, "%llu line%s left out", (unsigned long long)lines,
                   lines == 1 ? " is no event and was" : "s are no events and were");
}

void source_tell_left_out(uint64_t lines)
{
    char text[SOURCE_LEFT_OUT_SIZE];

    source_say_left_out(lines, text);
    if (lines > 0)
        (void)fprintf(stderr, "ganger: replay: %s\n", text);
}

static uint64_t stamp_of(const struct stat *status)
{
    return (uint64_t)status->st_size * 31 + (uint64_t)status->st_mtim.tv_sec * 1000003 +
           (uint64_t)status->st_mtim.tv_nsec;
}

/* Of the parts of an attempt, the last one: the others do not change. */
static uint64_t stamp_of_parts(int folder, unsigned attempt)
{
    struct recording_parts parts;
    struct stat status;
    uint64_t stamp = 0;
    unsigned last = 0;
    int file = -1;

    if (recording_parts_list(&parts, folder, attempt, NULL) == 0 && parts.count > 0) {
        last = parts.numbers[parts.count - 1];
        file = recording_parts_open(folder, attempt, last, NULL, NULL);
    }
    if (file >= 0 && fstat(file, &status) == 0)
        stamp = stamp_of(&status) + last;
    if (file >= 0)
        close(file);
    recording_parts_finish(&parts);
    return stamp;
}

uint64_t source_stamp(const struct source *source)
{
    struct stat status;
    uint64_t stamp;
    int folder;

    if (source->file != NULL)
        return stat(source->file, &status) == 0 ? stamp_of(&status) : 0;
    folder = session_dir_open(source->state_dir, source->uuid, NULL);
    if (folder < 0)
        return 0;
    stamp = stamp_of_parts(folder, source->attempt);
    close(folder);
    return stamp;
}
