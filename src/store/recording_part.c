/* The parts of a recording that is written, as recording.h says. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "store/recording.h"
#include "store/recording_names.h"

#define BLOCK 4096
#define HEADER_MAX (1024 * 1024)
#define START_MAX_S 1e9 /* of an attempt that lasts 30 years */

/* ---- names ---- */

void recording_part_name(unsigned attempt, unsigned part, char name[RECORDING_NAME_SIZE])
{
    if (part <= 1)
        (void)snprintf(name, RECORDING_NAME_SIZE, "attempt-%u.cast", attempt);
    else
        (void)snprintf(name, RECORDING_NAME_SIZE, "attempt-%u.%u.cast", attempt, part);
}

/* The digits of a number that does not begin with 0. */
static const char *parse_number(const char *text, unsigned *number)
{
    uint64_t value = 0;

    if (*text < '1' || *text > '9')
        return NULL;
    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > UINT32_MAX)
            return NULL;
    }
    *number = (unsigned)value;
    return text;
}

bool recording_name_parse(const char *name, struct recording_name *parsed)
{
    static const char prefix[] = "attempt-";
    const char *at = name;

    if (strncmp(at, prefix, sizeof prefix - 1) != 0)
        return false;
    at = parse_number(at + sizeof prefix - 1, &parsed->attempt);
    if (at == NULL)
        return false;
    parsed->part = 1;
    if (at[0] == '.' && at[1] >= '0' && at[1] <= '9') {
        at = parse_number(at + 1, &parsed->part);
        if (at == NULL || parsed->part < 2)
            return false;
    }
    parsed->compressed = strcmp(at, ".cast" RECORDING_ZST) == 0;
    return parsed->compressed || strcmp(at, ".cast") == 0;
}

void recording_name_format(const struct recording_name *name, char file[RECORDING_FILE_SIZE])
{
    char plain[RECORDING_NAME_SIZE];

    recording_part_name(name->attempt, name->part, plain);
    (void)snprintf(file, RECORDING_FILE_SIZE, "%s%s", plain, name->compressed ? RECORDING_ZST : "");
}

static int compare_names(const void *first, const void *second)
{
    const struct recording_name *a = first, *b = second;

    if (a->attempt != b->attempt)
        return a->attempt < b->attempt ? -1 : 1;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    return (int)b->compressed - (int)a->compressed;
}

int recording_list(int session_dir, struct recording_name **names, size_t *count, struct error *error)
{
    int folder = openat(session_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    struct buffer found;

    if (entries == NULL) {
        error_errno(error, "cannot read the session's folder");
        if (folder >= 0)
            close(folder);
        return -1;
    }
    buffer_init(&found);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        struct recording_name name = {0};
        if (recording_name_parse(entry->d_name, &name))
            buffer_append(&found, &name, sizeof name);
    }
    closedir(entries);
    *count = found.length / sizeof **names;
    *names = (struct recording_name *)(void *)buffer_steal(&found);
    if (*count > 1)
        qsort(*names, *count, sizeof **names, compare_names);
    return 0;
}

unsigned recording_last_attempt(int session_dir)
{
    struct recording_name *names;
    size_t count;
    unsigned last;

    if (recording_list(session_dir, &names, &count, NULL) < 0)
        return 0;
    last = count == 0 ? 0 : names[count - 1].attempt;
    free(names);
    return last;
}

/* ---- how a part begins ---- */

/* Appends the file's next block. How many bytes, or -1. */
static ssize_t read_block(int file, struct buffer *bytes)
{
    char *room = buffer_reserve(bytes, BLOCK);
    ssize_t got;

    do
        got = pread(file, room, BLOCK, (off_t)bytes->length);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        bytes->length += (size_t)got;
    return got;
}

/* The offset after the first \n at or after `from`; 0: there is none; -1 and errno. */
static int64_t after_line(int file, int64_t from)
{
    char block[BLOCK];

    for (;;) {
        ssize_t got = pread(file, block, sizeof block, from);
        const char *found;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got;
        found = memchr(block, '\n', (size_t)got);
        if (found != NULL)
            return from + (found - block) + 1;
        from += got;
    }
}

/* What the header of a part says; whether it is one. */
static bool parse_header(const char *text, size_t length, unsigned part, struct recording_prologue *prologue,
                         bool *drawn)
{
    json_t *header = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *ours = json_object_get(header, "ganger");
    int64_t offset = json_member_integer(ours, "offset", -1);
    double start = json_member_number(ours, "start_s", -1);
    bool good = json_member_integer(ours, "part", 0) == (int64_t)part && offset >= 0 && start >= 0 &&
                start < START_MAX_S;

    *drawn = json_member_bool(ours, "screen", 0);
    json_decref(header);
    prologue->offset = good ? (uint64_t)offset : 0;
    /* To the microsecond, in which it was written. */
    prologue->start_ns = good ? (int64_t)(start * 1e6 + 0.5) * 1000 : 0;
    return good;
}

int recording_prologue_read(int file, unsigned part, struct recording_prologue *prologue)
{
    struct buffer head;
    const char *newline = NULL;
    ssize_t got = 1;
    int64_t end = 0;
    bool drawn = false;

    buffer_init(&head);
    while (newline == NULL && head.length < HEADER_MAX && (got = read_block(file, &head)) > 0)
        newline = memchr(head.bytes, '\n', head.length);
    if (newline != NULL && parse_header(head.bytes, (size_t)(newline - head.bytes), part, prologue, &drawn))
        end = newline - head.bytes + 1;
    if (drawn && end > 0)
        end = after_line(file, end);
    buffer_finish(&head);
    if (got < 0 || end < 0)
        return -1;
    prologue->length = (uint64_t)end;
    return end > 0;
}

/* ---- opening ---- */

/* The length of the file up to its last \n, at most `size`. */
static int64_t whole_lines(int file, int64_t size)
{
    char block[BLOCK];

    while (size > 0) {
        size_t room = size < (int64_t)sizeof block ? (size_t)size : sizeof block;
        ssize_t got = pread(file, block, room, size - (int64_t)room);
        const char *found = got <= 0 ? NULL : memrchr(block, '\n', (size_t)got);
        if (found != NULL)
            return size - (int64_t)room + (found - block) + 1;
        if (got != (ssize_t)room)
            return 0;
        size -= (int64_t)room;
    }
    return 0;
}

static int cut_to(int file, uint64_t length)
{
    struct stat status;
    int64_t keep = length > INT64_MAX ? INT64_MAX : (int64_t)length;

    if (fstat(file, &status) < 0)
        return -1;
    if (status.st_size < keep)
        keep = whole_lines(file, status.st_size);
    return ftruncate(file, keep) < 0 || lseek(file, keep, SEEK_SET) < 0 ? -1 : 0;
}

static int open_part(int session_dir, unsigned attempt, unsigned part, int flags, struct error *error)
{
    char name[RECORDING_NAME_SIZE];
    int file;

    recording_part_name(attempt, part, name);
    file = openat(session_dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (file < 0)
        return error_errno(error, "cannot open the recording %s", name);
    return file;
}

int recording_part_create(int session_dir, unsigned attempt, unsigned part, struct error *error)
{
    return open_part(session_dir, attempt, part, O_CREAT | O_TRUNC, error);
}

/* The highest part of the attempt, and whether it is there uncompressed; 0: there is none. */
static unsigned last_part(const struct recording_name *names, size_t count, unsigned attempt, bool *plain)
{
    unsigned part = 0;

    *plain = false;
    for (size_t i = 0; i < count; i++) {
        if (names[i].attempt != attempt)
            continue;
        part = names[i].part;
        *plain = !names[i].compressed;
    }
    return part;
}

/*
 * 1: it is the last part and open, cut to `length`. 0: it was begun and not finished, and is gone. -1 and the error.
 */
static int try_part(int session_dir, unsigned attempt, unsigned number, uint64_t length,
                    struct recording_part *part, struct error *error)
{
    struct recording_prologue prologue = {0};
    char name[RECORDING_NAME_SIZE];
    int whole = 1;
    uint64_t keep;

    recording_part_name(attempt, number, name);
    part->file = open_part(session_dir, attempt, number, number == 1 ? O_CREAT : 0, error);
    if (part->file < 0)
        return -1;
    if (number > 1)
        whole = recording_prologue_read(part->file, number, &prologue);
    keep = length > prologue.offset ? length - prologue.offset : 0;
    if (keep < prologue.length)
        keep = prologue.length;
    if (whole > 0 && cut_to(part->file, keep) == 0) {
        part->part = number;
        part->offset = prologue.offset;
        part->start_ns = prologue.start_ns;
        return 1;
    }
    if (whole == 0 && unlinkat(session_dir, name, 0) == 0) {
        close(part->file);
        return 0;
    }
    error_errno(error, "cannot cut the recording %s to %llu bytes", name, (unsigned long long)keep);
    close(part->file);
    return -1;
}

/* All parts that there are, are compressed: another one follows them. */
static int follow(int session_dir, unsigned attempt, unsigned number, uint64_t length,
                  struct recording_part *part, struct error *error)
{
    *part = (struct recording_part){.part = number + 1, .offset = length};
    part->file = recording_part_create(session_dir, attempt, part->part, error);
    return part->file < 0 ? -1 : 0;
}

int recording_part_open(int session_dir, unsigned attempt, uint64_t length, struct recording_part *part,
                        struct error *error)
{
    struct recording_name *names;
    size_t count;
    int result = 0;

    *part = (struct recording_part){.file = -1};
    while (result == 0) {
        unsigned number;
        bool plain;
        if (recording_list(session_dir, &names, &count, error) < 0)
            return -1;
        number = last_part(names, count, attempt, &plain);
        free(names);
        if (number > 0 && !plain)
            return follow(session_dir, attempt, number, length, part, error);
        result = try_part(session_dir, attempt, number == 0 ? 1 : number, length, part, error);
    }
    if (result < 0)
        part->file = -1;
    return result < 0 ? -1 : 0;
}

/* ---- removing ---- */

int recording_remove(int session_dir, unsigned attempt, unsigned before, struct error *error)
{
    struct recording_name *names;
    size_t count;
    int result = 0;

    if (recording_list(session_dir, &names, &count, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char name[RECORDING_FILE_SIZE];
        if (names[i].attempt != attempt || (before > 0 && names[i].part >= before))
            continue;
        recording_name_format(&names[i], name);
        if (unlinkat(session_dir, name, 0) < 0 && errno != ENOENT)
            result = error_errno(error, "cannot remove the recording %s", name);
    }
    free(names);
    return result;
}
