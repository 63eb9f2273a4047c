/*
 * Starts a session on this machine: its keeper, which starts its host. Both outlive the caller: they are no children
 * of it and share neither its process group nor its terminal.
 */
#ifndef RUNNER_LOCAL_H
#define RUNNER_LOCAL_H

#include <sys/types.h>

#include "base/error.h"

/*
 * Starts the installed ganger-keeper and ganger-host for the session, in `working_dir`, with the caller's environment
 * and umask (which the agents get), and waits at most 15 s until the host serves. `session_dir` is an absolute path of
 * an existing folder. `lifeline`: a descriptor of which the keeper gets a copy: once it reads as at its end (a pipe whose other
 * end is closed everywhere) the session is ended; -1: none. Returns 0 and both process ids, or -1; then nothing goes on running.
 */
int runner_local_start(const char *uuid, const char *session_dir, const char *working_dir, int lifeline,
                       pid_t *keeper, pid_t *host, struct error *error);

/* The same with the executables named by absolute paths. */
int runner_local_launch(const char *keeper_path, const char *host_path, const char *uuid,
                        const char *session_dir, const char *working_dir, int lifeline, pid_t *keeper,
                        pid_t *host, struct error *error);

#endif
