/*
 * The host's end of the socket to its keeper (base/keeper_protocol.h), on the host's event loop. Requests are sent in
 * order; what the socket does not take at once waits here, so that no call blocks. What the keeper says comes through the calls.
 */
#ifndef HOST_KEEPER_LINK_H
#define HOST_KEEPER_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keeper_protocol.h"

struct keeper_link;

/* The calls may use the link, but not destroy it. */
struct keeper_calls {
    /* First of all, once. `attempt` is not 0 when the keeper holds one: `started` follows. */
    void (*hello)(void *argument, const struct keeper_hello *hello, uint32_t attempt);
    /*
     * The answer to a spawn, or an attempt taken over. With error 0: fds by enum keeper_descriptor, -1 where there is
     * none; the callee sets those it takes to -1, the others are closed. Otherwise errno and attempt->exec_step; EMFILE
     * also when this process could not receive the descriptors.
     */
    void (*started)(void *argument, const struct keeper_attempt *attempt, int error,
                    int fds[KEEPER_DESCRIPTORS]);
    /* Error 0: this id and all before it on the channel are written; else (base/keeper_protocol.h) it never will be. */
    void (*written)(void *argument, uint32_t attempt, int channel, uint64_t id, int error);
    void (*exited)(void *argument, const struct keeper_exit *exit);
    /* Who started the session is gone, and with it the lifeline. */
    void (*forsaken)(void *argument);
    /* The keeper is gone; nothing comes any more and nothing can be sent. */
    void (*lost)(void *argument);
};

/* What to start: `argv` and the two lists end with NULL; `unset` and `set` may be NULL. */
struct keeper_start {
    const char *folder;
    const char *const *argv;
    const char *const *unset; /* names */
    const char *const *set;   /* NAME=VALUE */
    int cols, rows;
    bool stream_mode;
};

/* Takes the socket (KEEPER_HOST_FD) and makes it non-blocking and close-on-exec. The calls must outlive the link. */
struct keeper_link *keeper_link_create(struct event_base *loop, int socket, const struct keeper_calls *calls,
                                       void *argument);
void keeper_link_destroy(struct keeper_link *link);

/* Each returns 0, or -1 with errno: EPIPE: the keeper is gone, EMSGSIZE: above KEEPER_PACKET_MAX. */
int keeper_link_ready(struct keeper_link *link);
int keeper_link_spawn(struct keeper_link *link, uint32_t attempt, const struct keeper_start *start);
/* Ids rise within an attempt, from attempt->accepted_write + 1 on. No bytes on the stdin channel close it. */
int keeper_link_write(struct keeper_link *link, uint32_t attempt, uint64_t id, enum keeper_channel channel,
                      const void *bytes, size_t length);
int keeper_link_signal(struct keeper_link *link, int signal);
int keeper_link_end(struct keeper_link *link, int grace_ms);

#endif
