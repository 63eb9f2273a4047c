/*
 * Prompts into the agent's terminal, each at most once. A prompt is pasted when the agent is idle (or gives no
 * evidence), its prompt box was seen, no approval is open and the person has no unsent text in the input; Enter follows
 * as a second write when the paste shows on the screen. What stage it is in stands in the ring's header and in
 * session.json before the first byte is typed, so that a crash never sends it twice.
 */
#ifndef HOST_DELIVERY_H
#define HOST_DELIVERY_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/prompt_queue.h"

struct host;

enum delivery_stage {
    DELIVERY_NONE,
    DELIVERY_PASTING,
    DELIVERY_SHOWING,
    DELIVERY_ENTERING,
    DELIVERY_STREAMING
};

struct delivery {
    struct prompt_queue queue;
    enum delivery_stage stage;
    uint64_t number;    /* of the prompt in work */
    uint64_t write_id;  /* whose answer is awaited; in stream mode a ticket */
    int64_t pasted_at;  /* monotonic ns */
    bool drawn;         /* anything, since the paste */
    unsigned seen;      /* how often its beginning stood on the screen before */
    char beginning[96]; /* of the prompt, without blanks */
    struct event *timer;
    int64_t output_at;     /* monotonic ns of the last output */
    int64_t waiting_since; /* for the agent to be ready or its screen to be quiet; 0: not waiting */
    bool clear;            /* the agent's prompt box may hold text that nobody typed */
    bool ready;            /* its prompt box was seen in this attempt */
};

void delivery_init(struct host *host);
void delivery_finish(struct host *host);
/* A host that follows another, and the highest write that the keeper took: a prompt whose last write it took will arrive, one
 * of which it took none waits on, any other that was being typed is uncertain from here on. */
void delivery_recover(struct host *host, uint64_t accepted_write);
/* Begins a delivery if one is due. Call after anything that could allow it. */
void delivery_consider(struct host *host);
/* Output was parsed. */
void delivery_output(struct host *host);
/* The keeper answered a write; error 0 or an errno value. */
void delivery_written(struct host *host, uint64_t id, int error);
/* In stream mode: the message of that ticket is written, or never will be. */
void delivery_streamed(struct host *host, uint64_t ticket, int error);
/* The attempt is over. */
void delivery_stop(struct host *host);
/* The queue changed: session.json and the session object follow. */
void delivery_changed(struct host *host);

#endif
