/*
 * Lines of a file, read in blocks from an offset on. A line longer than LINE_FILE_MAX is left out whole, so that no file
 * can take more memory than that.
 */
#ifndef STORE_LINE_FILE_H
#define STORE_LINE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

#define LINE_FILE_MAX (64u * 1024 * 1024)

/* Up to `room` further bytes, 0 at the end, below 0 on an error. */
typedef ssize_t (*line_file_read)(void *argument, char *to, size_t room, struct error *error);

struct line_file {
    int descriptor; /* the caller's */
    line_file_read read;
    void *argument;   /* of `read`, which is used when it is there */
    uint64_t read_to; /* offset in the file after what is in `held` */
    uint64_t end;     /* reading stops here; 0: at the end of the file */
    struct buffer held;
    size_t at, searched; /* in `held`: start of the next line; how far no \n was found */
    bool dropping, ended;
};

struct line_text {
    char *text; /* without \n or \r\n, NUL-terminated; may be changed in place */
    size_t length;
    uint64_t offset, next_offset; /* of the file: where the line starts, and what follows it */
    bool whole;                   /* false: the file ends without a \n */
};

void line_file_init(struct line_file *file, int descriptor, uint64_t offset, uint64_t end);
/* The same of bytes that `read` gives, from `offset` on; the `length` bytes at `first` were read before. */
void line_file_init_source(struct line_file *file, line_file_read read, void *argument, const char *first,
                           size_t length, uint64_t offset, uint64_t end);
void line_file_finish(struct line_file *file);
/* 1 and a line, valid until the next call; 0 at the end; -1 on a read error. */
int line_file_next(struct line_file *file, struct line_text *line, struct error *error);

#endif
