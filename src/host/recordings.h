/*
 * The recording of a session's attempts: when it begins, when another part of it begins, markers to seek by, what is typed.
 */
#ifndef HOST_RECORDINGS_H
#define HOST_RECORDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/phase.h"

struct host;
struct recorder_news;

/* The attempt's terminal is there. */
void recordings_begin(struct host *host, bool taken_over);
/* Nothing more comes: the last marker tells how the attempt ended. What is not to be kept goes. */
void recordings_end(struct host *host, enum phase phase);
/* After output: begins another part when this one is long enough. */
void recordings_follow(struct host *host);
void recordings_told(struct host *host, const struct recorder_news *news);
/* The member `recording` of the session object. */
json_t *recordings_public(struct host *host);

/* A marker for those events that somebody may look for. */
void recordings_mark_event(struct host *host, const char *type, const json_t *members);

/* Whether what a person types at the moment is recorded: it is wished, and no program asks for a password (its terminal takes
 * lines and does not echo them). */
bool recordings_take_input(const struct host *host);
void recordings_input(struct host *host, const char *bytes, size_t length);

#endif
