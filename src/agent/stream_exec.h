/*
 * The one-way JSON of an agent that runs one prompt and ends: `codex exec --json`, `gemini -o stream-json`,
 * `opencode run --format json`. Nothing can be asked or answered in it.
 */
#ifndef AGENT_STREAM_EXEC_H
#define AGENT_STREAM_EXEC_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/observation.h"
#include "agent/stream_turn.h"

enum stream_exec_dialect { STREAM_EXEC_GEMINI, STREAM_EXEC_OPENCODE };

struct stream_exec {
    enum stream_exec_dialect dialect;
    bool spoken;      /* the agent spoke so: it takes no prompts */
    char *session_id; /* told */
};

void stream_exec_init(struct stream_exec *exec, enum stream_exec_dialect dialect);
void stream_exec_finish(struct stream_exec *exec);
/* Returns false when the message has no "type": it is of another format. */
bool stream_exec_message(struct stream_exec *exec, struct stream_turn *turn, const json_t *message,
                         const struct observer *observer);

#endif
