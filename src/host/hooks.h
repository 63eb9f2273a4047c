/*
 * The session's second socket, UUID.hook: what the agent's hooks report through `ganger hook`. One method,
 *
 *     {"jsonrpc":"2.0","method":"hook","params":{"token":T,"agent":NAME,"payload":{…}}}
 *
 * one message a line of at most RPC_LINE_MAX bytes, with an id when an answer is wanted. The token is the attempt's, known
 * to what runs inside it (GANGER_TOKEN). Whatever else arrives is answered with an error, closes the connection, is
 * counted, and told once per attempt (warning `hook_refused`). Payloads become observations (agent/observation.h).
 */
#ifndef HOST_HOOKS_H
#define HOST_HOOKS_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/error.h"
#include "host/usage_file.h"

struct host;
struct hook_connection;

#define HOOK_TOKEN_SIZE 33 /* 32 hexadecimal digits and a NUL */

LIST_HEAD(hook_connection_list, hook_connection);

struct hooks {
    struct hook_connection_list list;
    size_t count;
    int listener;
    struct event *accepting;
    char token[HOOK_TOKEN_SIZE]; /* "": no attempt was begun */
    void *channel;               /* state of the driver's channel, of this attempt */
    struct usage_file usage;
    uint64_t refused; /* messages, in this attempt */
    bool heard;       /* the agent reported something in this attempt */
};

/* Binds RUNTIME_DIR/UUID.hook; with the token of the attempt that runs, if any. Returns 0 or -1 and the error. */
int hooks_open(struct host *host, struct error *error);
/* Who connects is kept waiting until then. */
void hooks_admit(struct host *host);
/* Binds again when the socket's file is gone. */
void hooks_bind_again(struct host *host);
/* Closes everything and removes the socket. */
void hooks_close(struct host *host);

/* Another attempt will be spawned: a new token, and nothing known of the agent. */
void hooks_begin(struct host *host);
/* The command line of hooks, quoted for a shell: "'/usr/bin/ganger' hook claude". Allocated; NULL when the program cannot
 * be found. */
char *hooks_command(struct host *host);

#endif
