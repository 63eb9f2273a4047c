/*
 * What goes into the agent's terminal. Keys and the answers to its queries are written by the host itself;
 * what must not be torn goes through the keeper, which writes it whole. While the keeper has something to
 * write, everything else waits; while a prompt is being delivered, keys wait but answers do not.
 */
#ifndef HOST_TYPING_H
#define HOST_TYPING_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/typed.h"

struct host;

#define TYPING_MAX (64 * 1024) /* bytes that wait for a program which does not read */

struct typing {
    struct buffer replies, keys;
    struct event *writable;
    uint64_t last_id;    /* of a write given to the keeper */
    uint64_t pending_id; /* the newest that it has not answered; 0: none */
    bool held;           /* keys wait */
    struct typed typed;
};

void typing_init(struct host *host);
void typing_finish(struct host *host);
/* The attempt's terminal is there. `last_id`: highest id that any host used; `pending`: highest still to be
 * answered, or 0. */
void typing_begin(struct host *host, uint64_t last_id, uint64_t pending);
/* It is gone. */
void typing_end(struct host *host);

/* A person's keys or paste. 0, RPC_ENDED or RPC_INPUT_FULL. */
int typing_keys(struct host *host, const char *bytes, size_t length);
/* Answers to the program's queries; dropped when too many wait. */
void typing_reply(struct host *host, const char *bytes, size_t length);
/* Through the keeper. Returns the write's id, or 0 when it cannot be given. */
uint64_t typing_whole(struct host *host, const char *bytes, size_t length);
/* The keeper's answer. */
void typing_written(struct host *host, uint64_t id);
void typing_hold(struct host *host, bool held);

#endif
