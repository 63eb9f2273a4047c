/*
 * Reads the agent's own transcript for what its conversation has used: only what was added since the last reading, a piece
 * at a time, so that a long one holds nothing up. The driver understands the lines (struct agent_transcript).
 */
#ifndef HOST_USAGE_FILE_H
#define HOST_USAGE_FILE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/line.h"

struct host;

struct usage_file {
    struct event *seek;  /* the next look for the file of an agent that reports no hooks */
    int64_t since_ms;    /* what was said before that is not said again */
    char *path;          /* NULL: none yet */
    void *state;         /* the driver's */
    struct event *timer; /* the next piece, or another look for what the agent wrote late */
    struct line_reader reader;
    int64_t offset; /* bytes read */
    int looks;      /* still to be taken */
};

/* The agent names its transcript, and something was added to it: observes it, at once if it is short. What is not a regular file
 * "….jsonl" of this user is ignored. */
void usage_file_grew(struct host *host, const char *path);
/* Nothing is known of the agent's transcript. */
void usage_file_forget(struct host *host);

void usage_file_init(struct host *host);
void usage_file_finish(struct host *host);
/* An attempt will begin; `variable` gives what the agent will have in its environment. */
void usage_file_begin(struct host *host, const char *(*variable)(void *argument, const char *name),
                      void *argument);

#endif
