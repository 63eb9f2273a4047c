/*
 * What the stream channels of all agents have in common: the turn that runs, the phase that was told last, prompts
 * that came too early, kinds of messages that were not understood. It only speaks to the observer.
 */
#ifndef AGENT_STREAM_TURN_H
#define AGENT_STREAM_TURN_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/observation.h"

struct stream_turn {
    bool running;
    bool interrupted;            /* the person asked for the end of this turn */
    bool error_told;             /* why this turn fails was said */
    enum phase phase;            /* told last; PHASE_COUNT: none */
    char *detail;                /* told with it */
    json_t *prompts;             /* array of texts that wait, oldest first */
    json_t *unknown;             /* object: kinds of messages that were told as unknown */
    struct observed_usage usage; /* totals of the conversation, as far as known */
    struct observed_usage usage_told;
};

void stream_turn_init(struct stream_turn *turn);
void stream_turn_finish(struct stream_turn *turn);

/* Tells a phase unless it is what was told last. `detail` may be NULL. */
void stream_turn_phase(struct stream_turn *turn, const struct observer *observer, enum phase phase,
                       const char *detail);
/* The same for a running tool: detail is its name and a line that says what it does (or NULL). */
void stream_turn_tool_phase(struct stream_turn *turn, const struct observer *observer, const char *name,
                            const char *line);
/* A prompt (or NULL: the agent began by itself) is with the agent. Does nothing while a turn runs. */
void stream_turn_begin(struct stream_turn *turn, const struct observer *observer, const char *text);
/* The turn is over. Tells the usage too when it is known and was not told as it is. The phase is the caller's. */
void stream_turn_end(struct stream_turn *turn, const struct observer *observer, const char *outcome,
                     const char *why);

/* Keeps a prompt for later; returns false when too many wait. */
bool stream_turn_queue(struct stream_turn *turn, const char *text);
/* The next prompt, for the caller to free; NULL when none waits. */
char *stream_turn_next(struct stream_turn *turn);

/* Tells once that messages of this kind are not understood. */
void stream_turn_unknown(struct stream_turn *turn, const struct observer *observer, const char *kind);
/* `name`: class, or NULL: from the text. `code` may be NULL. */
void stream_turn_error(struct stream_turn *turn, const struct observer *observer, const char *name,
                       const char *code, const char *text);
/* An observation of which only the kind and the text matter; does nothing when there is no text. */
void stream_turn_say(const struct observer *observer, enum observation_kind kind, const char *name,
                     const char *text);
/* A list of things to do: an array of objects with "content", "step" or "text" and "status" or "completed". Nothing
 * is told when it has no such items. */
void stream_turn_todo(const struct observer *observer, const json_t *entries);
void stream_turn_usage(struct stream_turn *turn, const struct observer *observer);

/* A usage of which nothing is known. */
struct observed_usage observed_usage_unknown(void);

#endif
