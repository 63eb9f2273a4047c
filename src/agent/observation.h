/*
 * What an agent says through a channel of its own (JSON stream, hooks, session file, server), in words common
 * to all agents. Parsers of such channels are pure: a message in, observations and answers out. The host makes
 * evidence, events, the session object and, in stream mode, the transcript in the pane out of observations.
 */
#ifndef AGENT_OBSERVATION_H
#define AGENT_OBSERVATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/phase.h"

enum observation_kind {
    /* id: the agent's own conversation id; name: model; text: the agent's version. Each may be NULL. */
    OBSERVED_SESSION,
    /* phase; text: detail; until_ms */
    OBSERVED_PHASE,
    /* The agent took a prompt: text; at_ms */
    OBSERVED_TURN_STARTED,
    /* outcome: "completed", "cancelled", "failed"; text: why; at_ms */
    OBSERVED_TURN_ENDED,
    /* text: more of what the agent says, or thinks. `whole`: it is complete, not a piece of a sequence. */
    OBSERVED_TEXT,
    OBSERVED_THINKING,
    /* id, name, input: an object; `text`: one line that says what it does, else it is made from input.
     * server: "server tool use" (runs at the vendor). */
    OBSERVED_TOOL_CALL,
    /* id of the call; text: what it printed; failed */
    OBSERVED_TOOL_RESULT,
    /* id: the agent's request id; name: tool; request: "permission", "question", "plan", "auth"; text: what is
     * asked; input: the tool's; choices: array of texts */
    OBSERVED_APPROVAL,
    /* id, or NULL: all; outcome: "approved", "denied", "answered", "gone" */
    OBSERVED_APPROVAL_RESOLVED,
    /* id, name; `ended` */
    OBSERVED_SUBAGENT,
    /* The agent retries by itself: attempt, attempts (0: unknown), until_ms, error class in `name`, text */
    OBSERVED_RETRY,
    /* The account's limit: until_ms (0: unknown), text; name: window, percent 0 to 100 or -1. `ended`: it no
     * longer holds back; `failed`: work is refused until then */
    OBSERVED_LIMIT,
    /* usage and context_pct; numbers below 0 are not known. Totals of the conversation. */
    OBSERVED_USAGE,
    /* name: class of the design's taxonomy (or NULL), outcome: code, text: message */
    OBSERVED_ERROR,
    /* input: [{text, state: pending|active|done}] */
    OBSERVED_TODO,
    /* A file the agent changed: text: path; outcome: created, modified, deleted; input: {"diff": text} or NULL */
    OBSERVED_FILE,
    /* Anything else worth a line: name: label, text */
    OBSERVED_NOTE,
    /* The message was not understood: text says which (its type, say). Told once per kind of message. */
    OBSERVED_UNKNOWN,
};

struct observed_usage {
    int64_t input_tokens, output_tokens, cache_read_tokens, cache_write_tokens;
    double cost_usd;    /* below 0: not known */
    double context_pct; /* the same */
};

/* Texts are UTF-8, borrowed, valid within the call; NULL when not given. */
struct observation {
    enum observation_kind kind;
    enum phase phase;
    const char *id;
    const char *parent; /* the tool call or subagent within which it happened; NULL: the main loop */
    const char *name;
    const char *text;
    const char *outcome;
    const char *request;
    const json_t *input;
    const json_t *choices;
    int64_t until_ms;    /* wall clock; 0: none */
    int64_t at_ms;       /* wall clock, when it happened; 0: at this moment */
    int64_t duration_ms; /* of a turn that ended; 0: not known */
    int attempt, attempts;
    double percent;
    bool whole, failed, ended, server;
    struct observed_usage usage;
};

/* Who is told. */
struct observer {
    void (*observe)(void *argument, const struct observation *observation);
    /* Bytes for the agent's stdin, whole messages; stream mode only. */
    void (*send)(void *argument, const char *bytes, size_t length);
    void *argument;
};

/* An answer to a request for approval. */
struct approval_answer {
    bool approve;
    int choice;       /* 1 for the first; 0: as `approve` says */
    const char *text; /* what the person adds, or NULL */
};

/*
 * One agent's JSON protocol, in one direction or both. `state` is the channel's own. Messages are JSON objects;
 * unknown fields, types and values are ignored (OBSERVED_UNKNOWN at most).
 */
struct agent_channel {
    void *(*create)(void);
    void (*destroy)(void *state);
    void (*message)(void *state, const json_t *message, const struct observer *observer);

    /* Stream mode only, NULL otherwise. */
    /* The agent runs: says what comes first. `resume_id`: go on with this conversation, or NULL. `folder`: the
     * working folder. Emits PHASE_IDLE as soon as a prompt can be sent. */
    void (*begin)(void *state, const char *resume_id, const char *folder, const struct observer *observer);
    void (*prompt)(void *state, const char *text, const struct observer *observer);
    void (*interrupt)(void *state, const struct observer *observer);
    /* Returns 0, or -1 when no such request is pending or it has no such choice. */
    int (*answer)(void *state, const char *request, const struct approval_answer *answer,
                  const struct observer *observer);
};

#endif
