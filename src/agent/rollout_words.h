/*
 * Words of Codex' record of a conversation: kinds of errors, windows of limits, counts of tokens, changes of files.
 */
#ifndef AGENT_ROLLOUT_WORDS_H
#define AGENT_ROLLOUT_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/observation.h"

/* `kind` is codex_error_info: "usage_limit_exceeded", or {"http_connection_failed": {…}}. Its name, borrowed, or NULL. */
const char *rollout_error_code(const json_t *kind);
/* Its class in the taxonomy of errors, or NULL. */
const char *rollout_error_class(const json_t *kind);
/* "five_hour" and "seven_day" by the window's length, else "2_hour", "90_minute"; with the limit's id before it, unless it
 * is the account's ordinary one: "codex_other:five_hour". */
void rollout_window_name(const char *limit, int64_t minutes, char *name, size_t size);
/* Takes totals and the context's share from {total_token_usage, last_token_usage, model_context_window}. False when there
 * are none. Tokens of the cache are not counted as input. */
bool rollout_usage(const json_t *counts, struct observed_usage *usage);
/* Files of {path: {"add": …} or {"type": "add" | "delete" | "update", …}}, or [{path, kind, diff}]. */
void rollout_tell_changes(const json_t *changes, const struct observer *observer);

#endif
