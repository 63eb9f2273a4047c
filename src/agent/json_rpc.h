/*
 * One side of a JSON-RPC conversation over lines (https://www.jsonrpc.org/specification): the ids of the requests
 * that were sent, the agent's requests that wait for a person, and the messages themselves. It keeps no
 * connection: messages go to the observer's `send`, one line each.
 */
#ifndef AGENT_JSON_RPC_H
#define AGENT_JSON_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/observation.h"

/* Codes of errors that are sent or understood; the last is the Agent Client Protocol's. */
enum { JSON_RPC_NO_METHOD = -32601, JSON_RPC_BAD_PARAMETERS = -32602, JSON_RPC_NOT_LOGGED_IN = -32000 };

/* How many requests of either side are kept; an agent has one or two at a time. */
#define JSON_RPC_PENDING_MAX 64

struct json_rpc_call {
    json_int_t id;
    int purpose; /* the caller's own number, above 0 */
};

struct json_rpc {
    bool versioned; /* every message says "jsonrpc": "2.0" */
    json_int_t last_id;
    struct json_rpc_call calls[JSON_RPC_PENDING_MAX]; /* sent and not answered, oldest first */
    size_t call_count;
    json_t *held; /* array of {key, id, ...}: the agent's requests that wait */
};

void json_rpc_init(struct json_rpc *rpc, bool versioned);
void json_rpc_finish(struct json_rpc *rpc);

/* The following take the reference to `params`, `result`, which may be NULL for none (null for a result). */
void json_rpc_call(struct json_rpc *rpc, const struct observer *observer, int purpose, const char *method,
                   json_t *params);
void json_rpc_notify(struct json_rpc *rpc, const struct observer *observer, const char *method,
                     json_t *params);
void json_rpc_reply(struct json_rpc *rpc, const struct observer *observer, const json_t *id, json_t *result);
void json_rpc_refuse(struct json_rpc *rpc, const struct observer *observer, const json_t *id, int code,
                     const char *text);

/* The purpose of the call that this message answers, which is then forgotten; 0 when it answers none. */
int json_rpc_answered(struct json_rpc *rpc, const json_t *message);
/* Whether a call of that purpose has no answer yet. */
bool json_rpc_waits(const struct json_rpc *rpc, int purpose);

/* The agent's id as text, which is how a person refers to the request. The caller frees it; NULL when it is
 * neither a string nor an integer. */
char *json_rpc_key(const json_t *id);
/*
 * Keeps a request of the agent until it is taken. `fields`: what the caller wants to find again, an object whose
 * reference is taken; "key" and "id" are added. Returns false, and keeps nothing, when the id is no id, is held
 * already or too many are held.
 */
bool json_rpc_hold(struct json_rpc *rpc, const json_t *id, json_t *fields);
/* The held request, borrowed; NULL when there is none. */
json_t *json_rpc_held(const struct json_rpc *rpc, const char *key);
/* The same for the caller to keep: it is not held any more. */
json_t *json_rpc_take(struct json_rpc *rpc, const char *key);
size_t json_rpc_held_count(const struct json_rpc *rpc);
/* The held request that came first, borrowed; NULL when there is none. */
json_t *json_rpc_first_held(const struct json_rpc *rpc);

#endif
