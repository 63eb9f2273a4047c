/*
 * The Agent Client Protocol (https://agentclientprotocol.com, version 1), which Gemini CLI and opencode speak on
 * stdin and stdout: stream_acp.c holds the conversation, stream_acp_updates.c what the agent tells during a turn,
 * stream_acp_permission.c what it asks.
 */
#ifndef AGENT_STREAM_ACP_H
#define AGENT_STREAM_ACP_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/json_rpc.h"
#include "agent/observation.h"
#include "agent/stream_exec.h"
#include "agent/stream_turn.h"
#include "base/buffer.h"

struct acp {
    struct json_rpc rpc;
    struct stream_turn turn;
    struct stream_exec exec; /* the agent's one-way format, when it speaks that instead */
    char *folder;
    char *resume_id; /* NULL: a new conversation; "": the latest of the folder */
    char *session_id;
    char *version;
    char *model;
    bool ready;  /* a prompt can be sent */
    bool opened; /* the conversation is open; its history may still be told */
    bool failed; /* no conversation could be opened; told */
    bool can_load, can_resume, can_list;
    bool loaded;        /* the conversation was opened by session/load */
    bool commands_told; /* available_commands_update came */
    json_t *tools;      /* object: tool calls that are not over, by id: see stream_acp_updates.c */
};

/* The agent's commands were told: the history of a conversation that was loaded is at its end. */
void acp_commands_told(struct acp *acp, const struct observer *observer);
/* A session/update notification. */
void acp_update(struct acp *acp, const json_t *params, const struct observer *observer);
/* Tells the conversation's id, model and the agent's version. */
void acp_tell_session(const struct acp *acp, const struct observer *observer);
/* Keeps the model that is selected among `options`, a session's configOptions. Returns true when it changed. */
bool acp_take_model(struct acp *acp, const char *model);
const char *acp_model_option(const json_t *options);

/*
 * What is known of the tool call that `call` (a tool_call, tool_call_update or the toolCall of a permission
 * request) is about, with its members taken over unless `ask`. Borrowed. Members: name, title, kind, input,
 * locations, diffs, running, denied,
 * told.
 */
json_t *acp_tool(struct acp *acp, const json_t *call, bool ask);
/* Tells the call unless it was told. */
void acp_tool_tell(json_t *tool, const char *id, const struct observer *observer);
/* Appends what a tool call's content shows: texts, and with `diffs` its diffs as unified diffs. */
void acp_content_append(struct buffer *out, const json_t *content, bool diffs);

/* A session/request_permission request. */
void acp_ask(struct acp *acp, const json_t *id, const json_t *params, const struct observer *observer);
int acp_answer(struct acp *acp, const char *request, const struct approval_answer *answer,
               const struct observer *observer);
/* Answers as cancelled and forgets the requests of this tool call, or all (NULL). */
void acp_withdraw(struct acp *acp, const char *tool, const struct observer *observer);
/* A request with that id is no longer asked. */
void acp_request_gone(struct acp *acp, const json_t *id, const struct observer *observer);
/* Tells the phase of a running turn that nothing is said in: approval, tool, or connecting. */
void acp_settle(struct acp *acp, const struct observer *observer);

#endif
