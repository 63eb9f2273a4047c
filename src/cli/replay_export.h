/*
 * `ganger replay --export`: hands the recording to ganger-replay, which writes it as a file.
 */
#ifndef CLI_REPLAY_EXPORT_H
#define CLI_REPLAY_EXPORT_H

#include <stdbool.h>

#include "cli/replay_play.h"

struct replay_export {
    const char *output; /* path or "-"; NULL: nothing is exported */
    const char *format; /* NULL: by the output's suffix */
    bool force;
};

/* Becomes the program; returns an exit code when that fails. */
int replay_export(const struct replay_export *options, const struct replay_origin *origin);

#endif
