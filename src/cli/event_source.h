/*
 * One session's events, each once and in order: first those in its file, then what its host has not written yet or tells
 * later. A host that went away is looked for again, and asked for what came after the last event taken.
 */
#ifndef CLI_EVENT_SOURCE_H
#define CLI_EVENT_SOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "rpc/client.h"

struct event_source {
    char uuid[UUID_SIZE];
    uint64_t seq;  /* of the last event taken */
    json_t *batch; /* taken and not yet given, from `at` on */
    size_t at;
    bool stored; /* all of the file was taken */
    bool asked;  /* and the host was asked for the rest, or is to be asked no more */
    bool over;   /* the last event taken says that the session has ended, or it is gone */
    int watch;   /* of its file, for who follows; 0: none, -1: none wanted */
    struct client *client;
    uint64_t request; /* id of the subscription, until it was answered */
    int64_t lost_ms;  /* since when no host could be asked, 0: it can */
    int64_t retry_ms; /* when to look for one again */
};

struct event_request {
    const char *types; /* comma-separated; NULL: all */
    uint64_t since;
    bool follow;
};

void event_source_init(struct event_source *source, const char *uuid, uint64_t since);
void event_source_finish(struct event_source *source);

/* The next event, or NULL when there is none at the moment; the source's until event_source_taken. Without `follow` it waits for the
 * host, at most as long as a call. */
const json_t *event_source_next(struct event_source *source, const struct event_request *request);
void event_source_taken(struct event_source *source);

/* ---- to follow: nothing waits ---- */

/* Takes what the host has sent, and looks for a host when there is none. */
void event_source_receive(struct event_source *source, const struct event_request *request);
/* The descriptor to wait for, or -1. */
int event_source_descriptor(const struct event_source *source);
/* Milliseconds until event_source_receive is due without it, or -1. */
int event_source_due(const struct event_source *source);
/* The file of a session that was over has grown: what is there says whether it still is. */
void event_source_grown(struct event_source *source);
/* A host has begun to listen, also of a session that was over. */
void event_source_host(struct event_source *source);

#endif
