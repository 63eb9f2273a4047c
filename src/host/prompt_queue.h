/*
 * The prompts of a session: those that wait, in the order in which they are sent, and the last ones that were
 * sent, so that an id seen before is never sent twice. Pure: delivery (host/delivery.h) carries out what it
 * says and persists it.
 */
#ifndef HOST_PROMPT_QUEUE_H
#define HOST_PROMPT_QUEUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum prompt_priority { PROMPT_NOW, PROMPT_NEXT, PROMPT_LATER };

/* `sending` begins before the first byte is typed. A prompt found in it after a crash is `uncertain`, and is
 * never sent again by itself. `removed` by a person before it was sent. */
enum prompt_state { PROMPT_QUEUED, PROMPT_SENDING, PROMPT_SENT, PROMPT_UNCERTAIN, PROMPT_REMOVED };

struct prompt {
    uint64_t number; /* rises by one within a session */
    char *id;        /* unique within a session */
    char *text;      /* NULL once it is settled */
    enum prompt_priority priority;
    enum prompt_state state;
    uint64_t seq; /* of its prompt_queued event */
};

#define PROMPTS_WAITING_MAX 200
#define PROMPTS_WAITING_BYTES                                                                                \
    (400 * 1024) /* of their texts: the session object fits a line of the protocol */
#define PROMPTS_REMEMBERED 512

struct prompt_queue {
    struct prompt *waiting; /* queued or sending, first to be sent first */
    size_t waiting_count;
    struct prompt *settled; /* sent, uncertain or removed, oldest first */
    size_t settled_count;
    uint64_t last_number;
};

void prompt_queue_init(struct prompt_queue *queue);
void prompt_queue_finish(struct prompt_queue *queue);
/* The prompt of that id, waiting or settled; NULL when it was never seen. Valid until the next change. */
struct prompt *prompt_queue_find(struct prompt_queue *queue, const char *id);
/* Adds a prompt whose id was not seen before: `now` before all that is not being sent, `next` before what
 * waits but the `now` ones, `later` at the end. NULL when as much waits as may. */
struct prompt *prompt_queue_add(struct prompt_queue *queue, const char *id, const char *text,
                                enum prompt_priority priority);

/*
 * Changes of one that is queued, by its id. They return 0, or the enum rpc_code that says why not: RPC_NOT_FOUND when
 * the id was never seen, RPC_STALE when the prompt is being sent, was sent or was removed, and with a text what
 * prompt_text_check says of it, or RPC_INPUT_FULL.
 */
/* The id stays known: a prompt that comes with it again is not taken. */
int prompt_queue_remove(struct prompt_queue *queue, const char *id);
/* Another text of `length` bytes; number and place stay. */
int prompt_queue_edit(struct prompt_queue *queue, const char *id, const char *text, size_t length);
/* To where a prompt of that priority would be added. */
int prompt_queue_move(struct prompt_queue *queue, const char *id, enum prompt_priority priority);
/* To a place among the queued ones, 0: the next to be sent; beyond the last: the end. One of priority `now` is `next`
 * from then on: what has a place of its own interrupts nothing. */
int prompt_queue_place(struct prompt_queue *queue, const char *id, size_t at);
/* The place of a queued prompt, as prompt_queue_place takes it; -1 when it is not queued. */
int prompt_queue_index(const struct prompt_queue *queue, const char *id);

/* The next to send: the one in state sending, else the first queued one; NULL when none waits. */
struct prompt *prompt_queue_first(struct prompt_queue *queue);
/* Moves a waiting prompt to the settled ones. False when no such number waits. */
bool prompt_queue_settle(struct prompt_queue *queue, uint64_t number, enum prompt_state state);
/* After a restart: `number` was in state sending when the host died (0: none). What is marked as sending is
 * uncertain from here on. Returns how many became so. */
size_t prompt_queue_recover(struct prompt_queue *queue, uint64_t number);

/* [{id, text, priority, state}], the public form. The caller owns it. */
json_t *prompt_queue_public(const struct prompt_queue *queue);
json_t *prompt_queue_save(const struct prompt_queue *queue);
/* Into an empty queue; what cannot be read is left out. */
void prompt_queue_load(struct prompt_queue *queue, const json_t *saved);

const char *prompt_state_name(enum prompt_state state);
const char *prompt_priority_name(enum prompt_priority priority);
/* -1 when there is no such priority. */
int prompt_priority_parse(const char *name);

/* 0, or the enum rpc_code that says why the text is no prompt: empty, too large, invalid UTF-8, or a control
 * byte other than \n and \t. */
int prompt_text_check(const char *text, size_t length);

#endif
