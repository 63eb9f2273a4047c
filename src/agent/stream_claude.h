/* Within the channel of Claude's stream-json: its state, and what the agent asks of a person (stream_claude_ask.c),
 * and what its messages hold (stream_claude_content.c). */
#ifndef AGENT_STREAM_CLAUDE_H
#define AGENT_STREAM_CLAUDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/observation.h"
#include "agent/stream_turn.h"
#include "base/buffer.h"

#define CLAUDE_MESSAGES 8

/* A message of the model that is being streamed. Messages of subagents come among those of the main loop. */
struct claude_message {
    char *parent, *id;
    uint64_t streamed; /* blocks (by index) of which pieces were shown */
    unsigned whole;    /* blocks that came whole so far */
};

struct claude {
    struct stream_turn turn;
    struct claude_message messages[CLAUDE_MESSAGES];
    unsigned next_message;
    json_t *tools;    /* id: {"name", "line"} of calls without a result */
    json_t *requests; /* id: {"request", "question": index, "answers"} that wait for a person */
    json_t *tasks;    /* id: {"name", "behind"} of subagents; behind: in the background, where
                       * the tool's result is not the end */
    int64_t limited_until_ms;
    bool limited;
    bool ready;    /* it reads its input */
    unsigned sent; /* control requests */
    int64_t context_tokens, context_window;
};

/* One block of an assistant's message. `shown`: its pieces were. */
void claude_content(struct claude *claude, const char *parent, const json_t *block, bool shown,
                    const struct observer *observer);
/* Appends the texts of a content: a string, or a list of blocks. */
void claude_append_content(struct buffer *out, const json_t *content);
/* A message in the person's name: the results of tools. */
void claude_results(struct claude *claude, const json_t *message, const struct observer *observer);

/* A system message about a task that runs beside the main loop. */
void claude_task(struct claude *claude, const char *subtype, const json_t *message,
                 const struct observer *observer);

/* A control_request of the agent. */
void claude_asked(struct claude *claude, const json_t *message, const struct observer *observer);
/* The agent takes it back, or nothing waits any more (NULL). */
void claude_unasked(struct claude *claude, const char *request, const struct observer *observer);
/* The tool has its result: what was asked about it was answered. */
void claude_tool_settled(struct claude *claude, const char *tool, const struct observer *observer);
int claude_answer(void *state, const char *request, const struct approval_answer *answer,
                  const struct observer *observer);

/* Says what the agent does while no other message tells: waits for a person, runs a tool, or waits for the model. */
void claude_tell_phase(struct claude *claude, const struct observer *observer);
/* Sends a message; steals it. */
void claude_send(const struct observer *observer, json_t *message);

#endif
