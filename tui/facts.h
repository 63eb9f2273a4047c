/*
 * What a session's object tells beyond its phase: what it used, which prompts wait, what it is held back for, and what to do
 * about its error.
 */
#ifndef TUI_FACTS_H
#define TUI_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why ganger holds a prompt or a retry back: `waiting.for`. */
enum waiting_for {
    WAITING_NOT,
    WAITING_LIMIT,
    WAITING_ORDER,
    WAITING_PROBE,
    WAITING_CAP,
    WAITING_BACKOFF,
    WAITING_BUDGET,
    WAITING_ACCOUNT, /* as WAITING_LIMIT, and a person may choose another account */
    WAITING_OTHER,   /* for a reason that this program does not know */
};

struct facts {
    char *model, *hint; /* never NULL */
    int64_t tokens;     /* of all kinds; below 0: not known */
    double cost_usd;    /* below 0: not known */
    bool cost_estimated;
    double context_pct; /* below 0: not known */
    json_t *queue;      /* [{id, text, priority, state}]; never NULL */
    enum waiting_for waiting;
    int64_t waiting_until_ms; /* 0: not known */
    char *waiting_reason;     /* never NULL */
    char *unrecorded;         /* why its output cannot be recorded at the moment; never NULL, "" when it is */
};

void facts_init(struct facts *facts);
void facts_finish(struct facts *facts);

/* Takes what a session object says. True when something shown has changed. */
bool facts_take(struct facts *facts, const json_t *object);
/* Takes a list of prompts that wait, as in the object. True when it is another. */
bool facts_take_queue(struct facts *facts, const json_t *queue);

/* Whether there is anything to show of usage or model. */
bool facts_used(const struct facts *facts);
/* The model without what its agent's name says already, nor its date: "opus-4-1". Points into the facts. Sets the length. */
const char *facts_model(const struct facts *facts, const char *agent, size_t *length);
/* What it is held back for, in a few words: "waits for claude/work", or `brief`, "claude/work"; "" when it is not. `key` is its
 * account's. */
void facts_waiting_text(const struct facts *facts, const char *key, bool brief, char *out, size_t size);
/* The prompt that is sent next (or is being sent), by its place; the queue's length when none is. */
size_t facts_next(const struct facts *facts);

/*
 * A hint for a row of so many columns: as it is when it fits, or when its first command does; else the command comes first, "ganger
 * retry api · the service failed …".
 */
void facts_hint_row(const char *hint, int cols, char *out, size_t size);

#endif
