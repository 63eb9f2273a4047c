/*
 * `ganger replay --export`: hands the recording to ganger-replay, which writes it as a file.
 */
#ifndef CLI_REPLAY_EXPORT_H
#define CLI_REPLAY_EXPORT_H

#include <stdbool.h>

struct replay_export {
    const char *output;  /* path or "-"; NULL: nothing is exported */
    const char *format;  /* NULL: by the output's suffix */
    const char *attempt; /* a number or "all"; NULL: the last one */
    bool force;
};

/* `operand` is a file or a session. Becomes the program; returns an exit code when that fails. */
int replay_export(const struct replay_export *options, const char *operand);

#endif
