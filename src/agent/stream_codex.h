/*
 * Codex: the app-server protocol (`codex app-server`, JSON-RPC without "jsonrpc"; `codex app-server generate-ts`
 * prints it) and the one-way events of `codex exec --json`, whose items are nearly the same. stream_codex.c holds
 * the conversation, stream_codex_items.c what the agent says and does, stream_codex_ask.c what it asks,
 * stream_codex_limits.c errors, limits and usage.
 */
#ifndef AGENT_STREAM_CODEX_H
#define AGENT_STREAM_CODEX_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/json_rpc.h"
#include "agent/observation.h"
#include "agent/stream_turn.h"
#include "base/buffer.h"

enum codex_call {
    CODEX_INITIALIZE = 1,
    CODEX_LIST,
    CODEX_OPEN,
    CODEX_PROMPT,
    CODEX_INTERRUPT,
    CODEX_STEER,
    CODEX_LIMITS,
};

struct codex {
    struct json_rpc rpc;
    struct stream_turn turn;
    char *folder;
    char *resume_id; /* NULL: a new conversation; "": the latest of the folder */
    char *thread_id;
    char *turn_id; /* of the turn that runs, once known */
    char *model;
    char *version;
    bool ready;               /* a prompt can be sent */
    bool failed;              /* no conversation could be opened; told */
    bool one_way;             /* the agent is `codex exec`: it takes no prompts */
    bool interrupt_waits;     /* to be sent when the turn's id is known */
    json_t *items;            /* object: tool items that are not over: id → {name, line, changes, main} */
    json_t *said;             /* object: ids of items whose text was told in pieces */
    json_t *agents;           /* object: ids of subagents that run */
    json_t *limits;           /* object: window → {percent, until} as told last */
    int64_t limited_until_ms; /* the turn failed at a limit that holds until then; 0: not known or no limit */
    bool limited;
};

/* Tells the conversation's id, model and the agent's version. */
void codex_tell_session(const struct codex *codex, const struct observer *observer);
/* The turn is over; the next prompt that waits is sent. */
void codex_end_turn(struct codex *codex, const char *outcome, const char *why,
                    const struct observer *observer);
/* A message of `codex exec --json`. */
void codex_exec_message(struct codex *codex, const json_t *message, const struct observer *observer);

/* An item that began, or is complete. `parent`: the thread of a subagent, or NULL. */
void codex_item(struct codex *codex, const json_t *item, bool complete, const char *parent,
                const struct observer *observer);
/* A piece of an item's text; `kind`: OBSERVED_TEXT or OBSERVED_THINKING. */
void codex_piece(struct codex *codex, const json_t *params, enum observation_kind kind, const char *parent,
                 const struct observer *observer);
/* Appends the changes of a fileChange item as diffs. */
void codex_changes_append(struct buffer *out, const json_t *changes);
/* Tells the phase of a running turn that nothing is said in: approval, tool, or connecting. */
void codex_settle(struct codex *codex, const struct observer *observer);

/* Whether the request was one for a person (else the caller refuses it). */
bool codex_ask(struct codex *codex, const json_t *message, const struct observer *observer);
int codex_answer(struct codex *codex, const char *request, const struct approval_answer *answer,
                 const struct observer *observer);
/* The request was answered by somebody else or withdrawn. */
void codex_request_gone(struct codex *codex, const json_t *id, const struct observer *observer);
/* All that waits is over; `refuse`: the agent is told so. */
void codex_drop_requests(struct codex *codex, bool refuse, const struct observer *observer);

/* An error notification or a failed turn's error: {message, codexErrorInfo, additionalDetails}. */
void codex_error(struct codex *codex, const json_t *error, const struct observer *observer);
/* The agent tries again by itself. */
void codex_retry(struct codex *codex, const json_t *error, const struct observer *observer);
/* A RateLimitSnapshot. */
void codex_limits(struct codex *codex, const json_t *limits, const struct observer *observer);
/* {total, last, modelContextWindow} */
void codex_usage(struct codex *codex, const json_t *usage, const struct observer *observer);
/* The usage of `codex exec`: totals of the conversation. */
void codex_exec_usage(struct codex *codex, const json_t *usage);
/*
 * The time in "try again at 4:37 AM." or "try again at Nov 21st, 2026 3:45 PM.", which is local, as ms of the wall
 * clock; 0 when the text has none.
 */
int64_t codex_reset_time(const char *text, int64_t now_ms);

#endif
