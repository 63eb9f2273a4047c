/*
 * The commands that the configuration wants run before each start of the agent (agents.NAME.before_start): one after the
 * other, in the session's folder and environment, each in a process group of its own and for timeouts.before_start_s at most.
 * Nothing waits for them but the start: the host stays responsive. What they print goes to host.log, a bounded part of it. A
 * failure is a warning (code before_start), and the start goes on. A host that takes over a running attempt runs none.
 */
#ifndef HOST_BEFORE_START_H
#define HOST_BEFORE_START_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"

struct host;

struct before_start {
    uint32_t attempt;           /* that follows, or followed, the commands */
    bool runs;                  /* they run */
    size_t next;                /* index of the command after the one that runs */
    pid_t pid;                  /* of the one that runs, and of its group; 0: none */
    int process, output;        /* descriptors; -1 */
    struct event *ended, *says; /* on them */
    struct event *timer;
    struct buffer line; /* of output, not whole yet */
    size_t logged;      /* bytes of the command's output in host.log */
    char **environment; /* NAME=VALUE, NULL-terminated */
};

void before_start_init(struct host *host);
/* Kills what runs. */
void before_start_finish(struct host *host);
/* Whether commands have to run before this attempt. Then they are started, and starting_begin is called with the same number when
 * they are done; false from then on. */
bool before_start_runs(struct host *host, uint32_t attempt);
/* Ends what runs: there will be no start. False when nothing runs. */
bool before_start_stop(struct host *host);

#endif
