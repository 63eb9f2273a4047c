/*
 * A logical line as bytes: UTF-8 text and runs of style, which is how the scrollback keeps lines. A line is appended
 * to row by row, read run by run, and turned back into cells for a reflow. Blank cells become spaces.
 */
#ifndef TERM_LINEPACK_H
#define TERM_LINEPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "term/grid.h"
#include "term/intern.h"

struct packed_line {
    const char *text;
    size_t text_length;
    const char *runs; /* empty: all of it in the default style */
    size_t runs_length;
};

/* A line being built. */
struct line_builder {
    struct buffer text, runs;
    struct style style; /* of the last run */
    size_t run_start;   /* where in `text` it begins */
    size_t link_bytes;  /* spent on URIs; bounded */
};

/* Variable-length numbers, 7 bits a byte. The reader returns false at the end of the bytes. */
void number_append(struct buffer *out, uint64_t number);
bool number_read(const char **at, const char *end, uint64_t *number);

void line_builder_clear(struct line_builder *builder);
void line_builder_finish(struct line_builder *builder);
void line_builder_append(struct line_builder *builder, const struct cell *cells, int count,
                         const struct intern *intern);
/* Closes the last run; the result points into the builder. */
struct packed_line line_builder_line(struct line_builder *builder);
/* The line goes on where the packed one ended. */
void line_builder_resume(struct line_builder *builder, const struct packed_line *line);

/* Calls `run` for each run; false when the bytes are damaged. */
bool line_each_run(const struct packed_line *line, void (*run)(void *argument, const struct line_run *run),
                   void *argument);

struct cells {
    struct cell *items;
    size_t count, capacity;
};

void cells_append(struct cells *cells, struct cell cell);
/* Appends the line's cells, wide glyphs with their tails. */
void line_unpack(const struct packed_line *line, struct intern *intern, struct cells *out);

#endif
