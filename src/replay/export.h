/*
 * `ganger-replay export [--format cast|text|html] [--force] --output PATH FILE`, or in place of FILE
 * `--state DIR --session UUID --attempt N|all`: writes a recording as one file. PATH says the format by its suffix; `-` is
 * standard output.
 */
#ifndef REPLAY_EXPORT_H
#define REPLAY_EXPORT_H

#include <stdint.h>

#include "base/error.h"
#include "replay/export_file.h"
#include "replay/export_timeline.h"

struct export_format {
    const char *name;     /* as --format takes it */
    const char *suffixes; /* of files, with the dots, separated by blanks */
    uint64_t most;        /* bytes of a recording, uncompressed; 0: any number */
    /* Writes it all. Returns 0 or -1. */
    int (*write)(struct timeline *timeline, struct export_file *file, struct error *error);
};

extern const struct export_format export_cast, export_text, export_html;

/* The format of that name, or of the file's suffix; NULL: there is none. */
const struct export_format *export_format_named(const char *name);
const struct export_format *export_format_of(const char *path);

/* Fills the error: a recording of so many bytes is more than the format takes. Returns -1. */
int export_too_long(const struct export_format *format, uint64_t length, struct error *error);

/* argv[0] is "export". Returns the exit code. */
int export_main(int argc, char **argv);

#endif
