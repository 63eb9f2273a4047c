#include "store/recording_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/recording_unpack.h"

#define DROPPED_AT_ONCE 65536

struct recording_source {
    struct raw_file raw;
    const struct unpack_kind *kind; /* NULL: plain */
    void *state;
};

static ssize_t read_some(int descriptor, bool seekable, char *to, size_t room, uint64_t at)
{
    ssize_t got;

    if (at > INT64_MAX)
        return 0;
    do {
        got = seekable ? pread(descriptor, to, room, (off_t)at) : read(descriptor, to, room);
    } while (got < 0 && errno == EINTR);
    return got;
}

ssize_t raw_file_read(struct raw_file *raw, char *to, size_t room, struct error *error)
{
    ssize_t got;

    if (raw->at < raw->head_length) {
        got = (ssize_t)(raw->head_length - raw->at);
        got = (size_t)got < room ? got : (ssize_t)room;
        memcpy(to, raw->head + raw->at, (size_t)got);
    } else {
        got = read_some(raw->descriptor, raw->seekable, to, room, raw->at);
    }
    if (got < 0)
        return error_errno(error, "cannot read the file");
    raw->at += (uint64_t)got;
    return got;
}

/* ---- what the file is ---- */

static const struct {
    const char *magic, *name;
    size_t length;
} others[] = {
    {"\xFD"
     "7zXZ",
     "packed with xz: unpack it first (`xz -d`)", 5},
    {"BZh", "packed with bzip2: unpack it first (`bzip2 -d`)", 3},
    {"\x04\x22\x4D\x18", "packed with lz4: unpack it first (`lz4 -d`)", 4},
    {"PK\x03\x04", "a zip archive: unpack it first (`unzip`)", 4},
    {"\x7F"
     "ELF",
     "a program", 4},
    {"SQLite format 3", "a database", 15},
};

static int look(struct recording_source *source, struct error *error)
{
    static const struct unpack_kind *const kinds[] = {&unpack_zstd, &unpack_gzip};
    struct raw_file *raw = &source->raw;

    while (raw->head_length < sizeof raw->head) {
        ssize_t got = read_some(raw->descriptor, raw->seekable, raw->head + raw->head_length,
                                sizeof raw->head - raw->head_length, raw->head_length);
        if (got < 0)
            return error_errno(error, "cannot read the file");
        if (got == 0)
            break;
        raw->head_length += (size_t)got;
    }
    if (source->kind != NULL)
        return 0;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (raw->head_length >= others[i].length && memcmp(raw->head, others[i].magic, others[i].length) == 0)
            return error_set(error, "not a recording: it is %s", others[i].name);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (raw->head_length >= kinds[i]->magic_length &&
            memcmp(raw->head, kinds[i]->magic, kinds[i]->magic_length) == 0)
            source->kind = kinds[i];
    }
    return 0;
}

static int check_type(struct raw_file *raw, struct error *error)
{
    struct stat status;

    if (fstat(raw->descriptor, &status) < 0)
        return error_errno(error, "cannot read the file");
    if (S_ISDIR(status.st_mode))
        return error_set(error, "not a recording: it is a directory; name a session, or the file in it");
    if (isatty(raw->descriptor))
        return error_set(error, "not a recording: it is a terminal; name a session or a file");
    raw->seekable = S_ISREG(status.st_mode);
    raw->size = raw->seekable && status.st_size > 0 ? (uint64_t)status.st_size : 0;
    return 0;
}

struct recording_source *recording_source_create(int descriptor, bool zstd, struct error *error)
{
    struct recording_source *source = xcalloc(1, sizeof *source);

    source->raw.descriptor = descriptor;
    source->kind = zstd ? &unpack_zstd : NULL;
    if (check_type(&source->raw, error) < 0 || look(source, error) < 0) {
        recording_source_destroy(source);
        return NULL;
    }
    if (source->kind != NULL)
        source->state = source->kind->create(&source->raw);
    return source;
}

void recording_source_destroy(struct recording_source *source)
{
    if (source == NULL)
        return;
    if (source->state != NULL)
        source->kind->destroy(source->state);
    close(source->raw.descriptor);
    free(source);
}

/* ---- its bytes ---- */

ssize_t recording_source_read(struct recording_source *source, char *to, size_t room, struct error *error)
{
    return source->kind == NULL ? raw_file_read(&source->raw, to, room, error)
                                : source->kind->read(source->state, to, room, error);
}

uint64_t recording_source_at(const struct recording_source *source)
{
    return source->kind == NULL ? source->raw.at : source->kind->at(source->state);
}

int recording_source_skip(struct recording_source *source, uint64_t offset, struct error *error)
{
    char *dropped;
    ssize_t got = 1;

    if (source->kind == NULL && source->raw.seekable) {
        source->raw.at = offset;
        return 0;
    }
    if (source->kind != NULL && source->kind->skip(source->state, offset, error) < 0)
        return -1;
    dropped = xmalloc(DROPPED_AT_ONCE);
    while (got != 0 && got != -1 && recording_source_at(source) < offset) {
        uint64_t left = offset - recording_source_at(source);
        got = recording_source_read(source, dropped, left < DROPPED_AT_ONCE ? (size_t)left : DROPPED_AT_ONCE,
                                    error);
    }
    free(dropped);
    return got == -1 ? -1 : 0;
}

uint64_t recording_source_length(const struct recording_source *source)
{
    return source->kind == NULL ? source->raw.size : source->kind->length(source->state);
}

const char *recording_source_packing(const struct recording_source *source)
{
    return source->kind == NULL ? NULL : source->kind->name;
}

bool recording_source_torn(const struct recording_source *source)
{
    return source->kind != NULL && source->kind->torn(source->state);
}
