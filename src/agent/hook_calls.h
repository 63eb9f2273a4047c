/*
 * What the channels of hooks have in common: whose payloads they are, and the tool calls that have no result yet.
 */
#ifndef AGENT_HOOK_CALLS_H
#define AGENT_HOOK_CALLS_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/observation.h"
#include "base/buffer.h"

#define HOOK_ID_MAX 80

/*
 * The conversation that the session shows. The agent may be started once more inside itself, with the same hooks: that
 * one's payloads are not ours.
 */
struct hook_conversation {
    char id[HOOK_ID_MAX];
    bool ended;
};

/* A conversation begins; `source` is "startup", "resume", "clear" …. Returns false when it is another program's. */
bool hook_conversation_begin(struct hook_conversation *conversation, const json_t *payload);
/* Is the payload of this conversation? The first one decides when no beginning was seen. */
bool hook_conversation_has(struct hook_conversation *conversation, const json_t *payload);

/* The same, asking only. `hooks`: a channel's state, which begins with the conversation. */
bool hook_conversation_knows(const void *hooks, const json_t *payload);

/* Calls in the order in which they were made: [{id, name, input, parent, asked}], at most 64. */
struct hook_calls {
    json_t *list;
    unsigned asked; /* requests so far whose call is not known */
};

void hook_calls_init(struct hook_calls *calls);
void hook_calls_finish(struct hook_calls *calls);
void hook_calls_add(struct hook_calls *calls, const char *id, const char *name, const json_t *input,
                    const char *parent);
/* Marks the latest call of that tool (NULL: of any) whose input has the same members (NULL: whatever it has) and that was not
 * asked about. Its id goes to `id`; an invented one when there is no such call. */
void hook_calls_ask(struct hook_calls *calls, const char *name, const json_t *input, const char *parent,
                    char id[HOOK_ID_MAX]);
/* Is anything asked that was not answered? */
bool hook_calls_asking(const struct hook_calls *calls);
/* The call (by id, else by tool and input) has its result. Tells the answer to what was asked about it. Its id goes to `id`, ""
 * when it is not known. */
void hook_calls_settle(struct hook_calls *calls, const json_t *payload, const char *outcome,
                       const struct observer *observer, char id[HOOK_ID_MAX]);
/* Nothing runs any more, of that subagent (NULL: at all). What is still asked is gone. */
void hook_calls_clear(struct hook_calls *calls, const char *parent, const struct observer *observer);
/* The tool of the main loop that was called last and runs, or NULL. */
const char *hook_calls_running(const struct hook_calls *calls);

void hook_tell_phase(const struct observer *observer, enum phase phase, const char *detail);
/* What a tool is about to do, whole, for a person who decides: its command, its file and the change, else its input. */
void hook_append_request(struct buffer *out, const char *tool, const json_t *input);
/* What a tool printed or returned, as text. */
void hook_append_result(struct buffer *out, const json_t *result);

#endif
