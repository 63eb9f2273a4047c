/*
 * What the agent asks a person: permission, a question, a plan, a login. A request begins with the agent's own words
 * (hook, stream, server) or with the dialog that its rules see on the screen, is told once (approval_requested), and is
 * resolved once (approval_resolved), whoever answers it.
 *
 * A request in a terminal is answered by keys, and only while its dialog is on the screen in the same pass of the loop;
 * one that the agent asked over its stream is answered there.
 */
#ifndef HOST_APPROVALS_H
#define HOST_APPROVALS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/observation.h"

struct host;

#define APPROVALS_MAX 32
#define APPROVAL_STEPS_MAX 4

/* What is known of a request beside what session.get shows. */
struct approval {
    char id[32];
    char *asked_as; /* the agent's own id, or NULL */
    enum evidence_source source;
    uint32_t dialog;     /* hash of its dialog; 0: not seen yet */
    uint32_t size;       /* of the screen on which it was seen */
    int64_t sized_ms;    /* when that changed last; 0: never */
    bool told;           /* approval_requested was emitted */
    int64_t asked_ms;    /* monotonic */
    int64_t answered_ms; /* by a client */
    const char *answer;  /* given by a client: "approved", "denied", "answered"; NULL: none */
};

struct approvals {
    struct approval items[APPROVALS_MAX];
    size_t count;
    uint64_t given; /* ids so far; never given again */
    json_t *before; /* requests that a host before this one had told and nobody has asked again yet */
    uint32_t drawn; /* dialog that was seen once, and may still be being drawn */
    struct event *timer;
    /* Keys of an answer that wait for their turn. */
    char *steps[APPROVAL_STEPS_MAX];
    size_t step, step_count;
};

void approvals_init(struct host *host);
void approvals_finish(struct host *host);
/* A new attempt, or its end: what is pending is gone. */
void approvals_clear(struct host *host);

/* The phase is another one. */
void approvals_follow(struct host *host, enum phase phase);
/* The screen was looked at. */
void approvals_look(struct host *host);
/* The agent says that it asks, and that a request is settled. */
void approvals_asked(struct host *host, enum evidence_source source, const struct observation *observation);
void approvals_settled(struct host *host, const char *asked_as, const char *outcome);

/*
 * A client answers. `id` NULL: the only request there is; filled into `answered` (32 bytes). `choice` 1 for the first, 0:
 * as `approve` says; `text` or NULL. Returns 0, RPC_STALE, RPC_INVALID_PARAMS or RPC_NOT_FOUND with the reason in `why`.
 */
int approvals_answer(struct host *host, const char *id, const struct approval_answer *answer,
                     char answered[32], const char **why);

/* What the person said with a denial goes to the agent as the next prompt, when the dialog itself took no words. */
void approvals_say(struct host *host, const char *text);

#endif
