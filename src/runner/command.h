/*
 * Short commands whose output is wanted: run beside each other, each in a process group of its own, none longer than the time
 * allowed. What is left of a group when its first process has ended, or when the time is over, is killed.
 */
#ifndef RUNNER_COMMAND_H
#define RUNNER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct command_run {
    const char *const *argv; /* NULL-terminated; the program is looked for on PATH */
    const char *const *env;  /* NAME=VALUE, NULL-terminated; NULL: the caller's environment */
    size_t limit;            /* of the output, bytes; what is beyond is thrown away */
    const char *input; /* at most 4096 bytes for its standard input, which stays open; NULL: /dev/null */
    const char
        *until;       /* it is ended when a whole line of its output has this text; NULL: it ends by itself */
    bool with_errors; /* standard error is part of the output; else it goes nowhere */
    /* Filled. `output` is NUL-terminated when it is not empty; the caller's to finish, also after a failure. */
    struct buffer output;
    int problem; /* 0, else why there is no exit code: ETIMEDOUT, or an errno value of its start */
    int exit;    /* exit code; 128 + N when signal N ended it; 0 when `until` came */
};

/* Runs them all and returns when each has ended. */
void command_run_all(struct command_run *runs, size_t count, int timeout_ms);
/* Zeroes and frees the output: it may have been a secret. */
void command_run_finish(struct command_run *run);

#endif
