/*
 * What a session asks a person: the requests of its object's pending_approvals, and what became of the last one.
 */
#ifndef TUI_ASKED_H
#define TUI_ASKED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define ASKED_ID_SIZE 64

struct asked {
    json_t *list;                /* of objects with an id; never NULL */
    char settled[ASKED_ID_SIZE]; /* id of the request that was resolved last */
    char outcome[64];            /* how, in words */
    char said[256];              /* what the status line says when the answer that was sent has arrived */
};

void asked_init(struct asked *asked);
void asked_finish(struct asked *asked);

/* Takes what a session object says. True when it is something else than before. */
bool asked_take(struct asked *asked, const json_t *object);
/* Takes an approval_resolved event. True when that request was pending. */
bool asked_settle(struct asked *asked, const json_t *event);

size_t asked_count(const struct asked *asked);
/* The request with this id, or NULL. */
const json_t *asked_find(const struct asked *asked, const char *id);
/* The one after it; the first when `id` is NULL, the last or not there; NULL when there is none. */
const json_t *asked_after(const struct asked *asked, const char *id);
/* Its place, from 1; 0: it is not there. */
size_t asked_place(const struct asked *asked, const char *id);
/* What became of a request that is not pending any more, in words. */
const char *asked_outcome(const struct asked *asked, const char *id);

#endif
