/* Within the drawing: its state, and rows. Tools and files are in drawing_tools.c. */
#ifndef AGENT_DRAWING_ROWS_H
#define AGENT_DRAWING_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/drawing.h"
#include "agent/drawing_wrap.h"

#define CALLS 32
#define RESET "\x1b[0m"
#define DIM "\x1b[2m"
#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define BOLD "\x1b[1m"
#define BAR "\xE2\x94\x82 "     /* │ */
#define ELBOW "  \xE2\x8E\xBF " /* ⎿ */

/* A tool call, until its result is drawn. */
struct call {
    char *id, *name;
    bool hidden; /* something else shows what it does */
    bool filed;  /* the files that it changed were drawn */
};

struct drawing {
    struct wrap wrap;
    enum observation_kind open; /* of the text that goes on; OBSERVED_UNKNOWN: none */
    char *parent;               /* of it */
    bool begun;                 /* something was drawn */
    bool gap;                   /* the last row is empty */
    struct call calls[CALLS];
    unsigned next_call;
    char *last_call;                     /* id of the call drawn last, when nothing came after it */
    struct observed_usage usage, before; /* totals, and those at the end of the turn before */
    int64_t limited_until;
};

/* Ends the text that is being drawn. */
void drawing_close(struct drawing *drawing, int cols, struct buffer *out);
/* An empty row before what comes, unless there is one. `parent`: as in struct observation. */
void drawing_gap(struct drawing *drawing, const char *parent, int cols, struct buffer *out);
/* A row of its own: a prefix of `width` columns and one cut line in a colour ("": none). */
void drawing_row(struct drawing *drawing, const char *parent, const char *prefix, int width,
                 const char *colour, const char *text, size_t length, int cols, struct buffer *out);
/* What comes next does not belong to the tool call drawn last. */
void drawing_forget_last(struct drawing *drawing);

struct call *drawing_call(struct drawing *drawing, const char *id);
void drawing_forget_call(struct call *call);
void drawing_tool_call(struct drawing *drawing, const struct observation *made, int cols, struct buffer *out);
void drawing_tool_result(struct drawing *drawing, const struct observation *given, int cols,
                         struct buffer *out);
void drawing_file(struct drawing *drawing, const struct observation *changed, int cols, struct buffer *out);

#endif
