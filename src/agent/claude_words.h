/*
 * What Claude Code says in the same form through its hooks and its JSON stream, in ganger's words.
 */
#ifndef AGENT_CLAUDE_WORDS_H
#define AGENT_CLAUDE_WORDS_H

#include <jansson.h>

#include "agent/observation.h"
#include "base/buffer.h"

/* The design's class of an error, or NULL. */
const char *claude_error_class(const char *error);
/* The same, or what the words with it say, where they say more: "invalid_request" and "server_error" cover much. */
const char *claude_error_class_in(const char *error, const char *text);
/* Observes the file that a tool's result (of Edit, Write …) says was changed, with its diff. */
void claude_tell_file(const char *id, const char *parent, const json_t *result,
                      const struct observer *observer);
/* A question of AskUserQuestion with its numbered options, and their labels (the caller owns the array). */
void claude_append_question(struct buffer *out, const json_t *question);
json_t *claude_question_choices(const json_t *question);

#endif
