#include "rpc/line.h"

#include <string.h>

#include "rpc/protocol.h"

#define READ_MIN 4096
#define KEPT_WHEN_EMPTY (64 * 1024)

void line_reader_init(struct line_reader *reader)
{
    *reader = (struct line_reader){0};
}

void line_reader_finish(struct line_reader *reader)
{
    buffer_finish(&reader->held);
    line_reader_init(reader);
}

static void drop_before_start(struct line_reader *reader)
{
    if (reader->start == 0)
        return;
    buffer_consume(&reader->held, reader->start);
    reader->searched -= reader->start;
    reader->start = 0;
}

char *line_reader_space(struct line_reader *reader, size_t *room)
{
    struct buffer *held = &reader->held;

    drop_before_start(reader);
    if (held->length == 0 && held->capacity > KEPT_WHEN_EMPTY)
        buffer_finish(held);
    (void)buffer_reserve(held, READ_MIN);
    *room = held->capacity - held->length - 1;
    return held->bytes + held->length;
}

void line_reader_added(struct line_reader *reader, size_t length)
{
    reader->held.length += length;
}

static void forget_all(struct line_reader *reader)
{
    buffer_clear(&reader->held);
    reader->start = reader->searched = 0;
}

static enum line_result no_newline(struct line_reader *reader)
{
    reader->searched = reader->held.length;
    if (reader->dropping) {
        forget_all(reader);
        return LINE_MORE;
    }
    if (reader->held.length - reader->start < RPC_LINE_MAX)
        return LINE_MORE;
    forget_all(reader);
    reader->dropping = true;
    return LINE_TOO_LONG;
}

enum line_result line_reader_next(struct line_reader *reader, char **line, size_t *length)
{
    struct buffer *held = &reader->held;

    while (reader->searched < held->length) {
        char *newline = memchr(held->bytes + reader->searched, '\n', held->length - reader->searched);
        if (newline == NULL)
            break;
        *line = held->bytes + reader->start;
        *length = (size_t)(newline - *line);
        *newline = '\0';
        reader->start = reader->searched = (size_t)(newline - held->bytes) + 1;
        if (reader->dropping)
            reader->dropping = false;
        else
            return *length < RPC_LINE_MAX ? LINE_COMPLETE : LINE_TOO_LONG;
    }
    return no_newline(reader);
}
