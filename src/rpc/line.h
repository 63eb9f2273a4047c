/*
 * Lines in and out of a socket. The reader is bounded: a line longer than RPC_LINE_MAX is dropped whole and reported
 * once, then reading goes on with the next line.
 */
#ifndef RPC_LINE_H
#define RPC_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct line_reader {
    struct buffer held;
    size_t start;    /* where the next line begins in `held` */
    size_t searched; /* up to here there is no \n after `start` */
    bool dropping;   /* inside a line that is too long */
};

enum line_result { LINE_MORE, LINE_COMPLETE, LINE_TOO_LONG };

void line_reader_init(struct line_reader *reader);
void line_reader_finish(struct line_reader *reader);
/* Where to read up to *room bytes to; then call line_reader_added. */
char *line_reader_space(struct line_reader *reader, size_t *room);
void line_reader_added(struct line_reader *reader, size_t length);
/* The next whole line without its \n, NUL-terminated, valid until the next call of any of these functions. */
enum line_result line_reader_next(struct line_reader *reader, char **line, size_t *length);

#endif
