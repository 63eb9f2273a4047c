#include "store/line_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (128 * 1024)

void line_file_init(struct line_file *file, int descriptor, uint64_t offset, uint64_t end)
{
    *file = (struct line_file){.descriptor = descriptor, .read_to = offset, .end = end};
}

void line_file_init_source(struct line_file *file, line_file_read read, void *argument, const char *first,
                           size_t length, uint64_t offset, uint64_t end)
{
    *file = (struct line_file){.descriptor = -1, .read = read, .argument = argument, .end = end};
    if (end > 0 && length > 0)
        length = end <= offset ? 0 : end - offset < length ? (size_t)(end - offset) : length;
    buffer_append(&file->held, first, length);
    file->read_to = offset + length;
}

void line_file_finish(struct line_file *file)
{
    buffer_finish(&file->held);
}

static ssize_t read_some(struct line_file *file, size_t room, struct error *error)
{
    char *to = buffer_reserve(&file->held, room);
    ssize_t got;

    if (room == 0)
        return 0;
    if (file->read != NULL)
        return file->read(file->argument, to, room, error);
    do {
        got = pread(file->descriptor, to, room, (off_t)file->read_to);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? error_errno(error, "cannot read the file") : got;
}

/* Forgets the lines already given and reads a further block. */
static int read_block(struct line_file *file, struct error *error)
{
    size_t room = BLOCK;
    ssize_t got;

    if (file->at > 0) {
        buffer_consume(&file->held, file->at);
        file->searched -= file->at;
        file->at = 0;
    }
    if (file->end > 0 && file->end < file->read_to + room)
        room = file->end > file->read_to ? (size_t)(file->end - file->read_to) : 0;
    got = read_some(file, room, error);
    if (got < 0)
        return -1;
    file->held.length += (size_t)got;
    file->held.bytes[file->held.length] = '\0';
    file->read_to += (uint64_t)got;
    file->ended = got == 0;
    return 0;
}

/* The line from `at` to the \n (or the end) at `stop`. */
static void take_line(struct line_file *file, size_t stop, struct line_text *line)
{
    uint64_t start = file->read_to - file->held.length;

    line->text = file->held.bytes + file->at;
    line->length = stop - file->at;
    line->whole = stop < file->held.length;
    line->offset = start + file->at;
    line->next_offset = start + stop + line->whole;
    file->at = file->searched = stop + line->whole;
    if (line->length > 0 && line->text[line->length - 1] == '\r')
        line->length--;
    line->text[line->length] = '\0';
}

static void drop_oversized(struct line_file *file)
{
    if (file->held.length - file->at > LINE_FILE_MAX)
        file->dropping = true;
    if (file->dropping)
        file->at = file->searched;
}

int line_file_next(struct line_file *file, struct line_text *line, struct error *error)
{
    for (;;) {
        size_t unseen = file->held.length - file->searched;
        const char *found = unseen == 0 ? NULL : memchr(file->held.bytes + file->searched, '\n', unseen);
        if (found != NULL) {
            take_line(file, (size_t)(found - file->held.bytes), line);
            if (!file->dropping)
                return 1;
            file->dropping = false;
            continue;
        }
        file->searched = file->held.length;
        drop_oversized(file);
        if (file->ended) {
            if (file->at == file->held.length)
                return 0;
            take_line(file, file->held.length, line);
            return 1;
        }
        if (read_block(file, error) < 0)
            return -1;
    }
}
