/*
 * What is remembered of an opencode server between two of its events, and the parts of their reading: sessions and turns
 * in hooks_opencode.c, messages in opencode_messages.c, requests for approval in opencode_requests.c. An event is
 * {type, properties}; identifiers of messages rise.
 */
#ifndef AGENT_OPENCODE_H
#define AGENT_OPENCODE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/observation.h"

#define OPENCODE_ID_SIZE 96

struct opencode {
    json_t *children; /* session id -> true while it works; those that have a parent */
    json_t *usages;   /* session id -> {tokens, cost}: the main one and its children */
    json_t *parts;    /* id of a part of a message -> {kind, told: bytes} */
    json_t *users;    /* ids of messages of users -> true */
    json_t *calls;    /* tool calls that run: id -> {input, child} */
    json_t *pending;  /* what waits for a person: id -> session */
    char main[OPENCODE_ID_SIZE];
    char asked[OPENCODE_ID_SIZE]; /* the newest message of the user in the main session */
    char turn[OPENCODE_ID_SIZE];  /* the one that the turn answers; "": none does */
    char *queued;                 /* text of `asked` while another turn runs, or NULL */
    char model[128], version[32];
    int64_t context, context_used; /* tokens; 0: not known */
    enum phase phase, told_phase;
    int64_t until_ms, told_until_ms;
    char detail[160];
    bool working;         /* a turn is open */
    bool aborted, failed; /* the turn, so far */
    bool limited;
};

/* Puts `value` (taken) into one of the memories, which are bounded: what is too old is forgotten. */
void opencode_remember(json_t *memory, const char *key, json_t *value);
bool opencode_is_child(const struct opencode *state, const char *session);
bool opencode_is_main(const struct opencode *state, const char *session);
/* The main session is in this phase, unless a person is asked for something. */
void opencode_enter(struct opencode *state, enum phase phase, const struct observer *observer);
void opencode_tell_phase(struct opencode *state, const struct observer *observer);
void opencode_tell_session(const struct opencode *state, const struct observer *observer);
void opencode_tell_usage(struct opencode *state, const struct observer *observer);
/* A session without a parent that works or is prompted becomes the main one: the one that the person sees. */
void opencode_take_main(struct opencode *state, const char *session, const struct observer *observer);
/* The user's newest message has this text. */
void opencode_prompted(struct opencode *state, const char *message, const char *text,
                       const struct observer *observer);
/* The agent works on an answer to that message. */
void opencode_answers(struct opencode *state, const char *message, const struct observer *observer);
/* Copies text that is cut between characters; NULL is "". */
void opencode_copy(char *to, size_t size, const char *text);

void opencode_message_updated(struct opencode *state, const json_t *properties,
                              const struct observer *observer);
void opencode_part_updated(struct opencode *state, const json_t *properties, const struct observer *observer);
void opencode_part_delta(struct opencode *state, const json_t *properties, const struct observer *observer);
void opencode_file_edited(struct opencode *state, const json_t *properties, const struct observer *observer);
void opencode_todo_updated(struct opencode *state, const json_t *properties, const struct observer *observer);

void opencode_permission_asked(struct opencode *state, const json_t *properties,
                               const struct observer *observer);
void opencode_question_asked(struct opencode *state, const json_t *properties,
                             const struct observer *observer);
void opencode_request_replied(struct opencode *state, const json_t *properties,
                              const struct observer *observer);
void opencode_question_rejected(struct opencode *state, const json_t *properties,
                                const struct observer *observer);
/* A session that rests asks nothing. Says nothing of the phase. */
void opencode_forget_requests(struct opencode *state, const char *session, const struct observer *observer);

#endif
