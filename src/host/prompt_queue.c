#include "host/prompt_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "rpc/protocol.h"

static const char *const state_names[] = {"queued", "sending", "sent", "uncertain", "removed"};
static const char *const priority_names[] = {"now", "next", "later"};

const char *prompt_state_name(enum prompt_state state)
{
    return state_names[state];
}

const char *prompt_priority_name(enum prompt_priority priority)
{
    return priority_names[priority];
}

static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (name != NULL && strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

int prompt_priority_parse(const char *name)
{
    return index_of(priority_names, 3, name);
}

void prompt_queue_init(struct prompt_queue *queue)
{
    *queue = (struct prompt_queue){0};
}

static void prompt_finish(struct prompt *prompt)
{
    free(prompt->id);
    free(prompt->text);
}

void prompt_queue_finish(struct prompt_queue *queue)
{
    for (size_t i = 0; i < queue->waiting_count; i++)
        prompt_finish(&queue->waiting[i]);
    for (size_t i = 0; i < queue->settled_count; i++)
        prompt_finish(&queue->settled[i]);
    free(queue->waiting);
    free(queue->settled);
    prompt_queue_init(queue);
}

struct prompt *prompt_queue_find(struct prompt_queue *queue, const char *id)
{
    for (size_t i = 0; i < queue->waiting_count; i++) {
        if (strcmp(queue->waiting[i].id, id) == 0)
            return &queue->waiting[i];
    }
    for (size_t i = 0; i < queue->settled_count; i++) {
        if (strcmp(queue->settled[i].id, id) == 0)
            return &queue->settled[i];
    }
    return NULL;
}

/* How many are being sent: these stay first. */
static size_t sending(const struct prompt_queue *queue)
{
    size_t count = 0;

    while (count < queue->waiting_count && queue->waiting[count].state == PROMPT_SENDING)
        count++;
    return count;
}

static size_t place_of(const struct prompt_queue *queue, enum prompt_priority priority)
{
    size_t at = sending(queue);

    while (priority != PROMPT_LATER && at < queue->waiting_count && queue->waiting[at].priority == PROMPT_NOW)
        at++;
    return priority == PROMPT_LATER ? queue->waiting_count : at;
}

static struct prompt *insert(struct prompt_queue *queue, size_t at, const struct prompt *prompt)
{
    struct prompt *slot;

    queue->waiting = xreallocarray(queue->waiting, queue->waiting_count + 1, sizeof *queue->waiting);
    slot = &queue->waiting[at];
    memmove(slot + 1, slot, (queue->waiting_count - at) * sizeof *slot);
    queue->waiting_count++;
    *slot = *prompt;
    return slot;
}

/* Of `length` more bytes in place of `instead`, which may be NULL. */
static bool has_room(const struct prompt_queue *queue, size_t length, const struct prompt *instead)
{
    size_t bytes = length;

    for (size_t i = 0; i < queue->waiting_count; i++)
        bytes += &queue->waiting[i] == instead ? 0 : strlen(queue->waiting[i].text);
    return bytes <= PROMPTS_WAITING_BYTES;
}

struct prompt *prompt_queue_add(struct prompt_queue *queue, const char *id, const char *text,
                                enum prompt_priority priority)
{
    struct prompt prompt = {.priority = priority};

    if (queue->waiting_count >= PROMPTS_WAITING_MAX || !has_room(queue, strlen(text), NULL))
        return NULL;
    prompt.number = ++queue->last_number;
    prompt.id = xstrdup(id);
    prompt.text = xstrdup(text);
    return insert(queue, place_of(queue, priority), &prompt);
}

struct prompt *prompt_queue_first(struct prompt_queue *queue)
{
    return queue->waiting_count > 0 ? &queue->waiting[0] : NULL;
}

/* Takes it out of those that wait, without freeing anything. */
static struct prompt take(struct prompt_queue *queue, size_t at)
{
    struct prompt prompt = queue->waiting[at];

    queue->waiting_count--;
    memmove(&queue->waiting[at], &queue->waiting[at + 1],
            (queue->waiting_count - at) * sizeof *queue->waiting);
    return prompt;
}

static void remember(struct prompt_queue *queue, struct prompt prompt)
{
    free(prompt.text);
    prompt.text = NULL;
    if (queue->settled_count == PROMPTS_REMEMBERED) {
        prompt_finish(&queue->settled[0]);
        queue->settled_count--;
        memmove(queue->settled, queue->settled + 1, queue->settled_count * sizeof *queue->settled);
    }
    queue->settled = xreallocarray(queue->settled, queue->settled_count + 1, sizeof *queue->settled);
    queue->settled[queue->settled_count++] = prompt;
}

bool prompt_queue_settle(struct prompt_queue *queue, uint64_t number, enum prompt_state state)
{
    for (size_t i = 0; i < queue->waiting_count; i++) {
        struct prompt prompt;
        if (queue->waiting[i].number != number)
            continue;
        prompt = take(queue, i);
        prompt.state = state;
        remember(queue, prompt);
        return true;
    }
    return false;
}

/* ---- changes by a person ---- */

/* 0 and where it stands among those that wait. */
static int queued(struct prompt_queue *queue, const char *id, size_t *at)
{
    const struct prompt *prompt = prompt_queue_find(queue, id);

    if (prompt == NULL)
        return RPC_NOT_FOUND;
    if (prompt->state != PROMPT_QUEUED)
        return RPC_STALE;
    *at = (size_t)(prompt - queue->waiting);
    return 0;
}

int prompt_queue_remove(struct prompt_queue *queue, const char *id)
{
    size_t at;
    int code = queued(queue, id, &at);

    if (code == 0)
        (void)prompt_queue_settle(queue, queue->waiting[at].number, PROMPT_REMOVED);
    return code;
}

int prompt_queue_edit(struct prompt_queue *queue, const char *id, const char *text, size_t length)
{
    size_t at;
    int code = prompt_text_check(text, length);

    if (code == 0)
        code = queued(queue, id, &at);
    if (code == 0 && !has_room(queue, length, &queue->waiting[at]))
        code = RPC_INPUT_FULL;
    if (code != 0)
        return code;
    free(queue->waiting[at].text);
    queue->waiting[at].text = xstrndup(text, length);
    return 0;
}

int prompt_queue_move(struct prompt_queue *queue, const char *id, enum prompt_priority priority)
{
    struct prompt prompt;
    size_t at;
    int code = queued(queue, id, &at);

    if (code != 0)
        return code;
    prompt = take(queue, at);
    prompt.priority = priority;
    (void)insert(queue, place_of(queue, priority), &prompt);
    return 0;
}

int prompt_queue_place(struct prompt_queue *queue, const char *id, size_t at)
{
    struct prompt prompt;
    size_t from, first = sending(queue);
    int code = queued(queue, id, &from);

    if (code != 0)
        return code;
    prompt = take(queue, from);
    if (prompt.priority == PROMPT_NOW)
        prompt.priority = PROMPT_NEXT;
    if (at > queue->waiting_count - first)
        at = queue->waiting_count - first;
    (void)insert(queue, first + at, &prompt);
    return 0;
}

int prompt_queue_index(const struct prompt_queue *queue, const char *id)
{
    size_t first = sending(queue);

    for (size_t i = first; i < queue->waiting_count; i++) {
        if (strcmp(queue->waiting[i].id, id) == 0)
            return (int)(i - first);
    }
    return -1;
}

size_t prompt_queue_recover(struct prompt_queue *queue, uint64_t number)
{
    size_t found = 0;

    for (size_t i = queue->waiting_count; i-- > 0;) {
        const struct prompt *prompt = &queue->waiting[i];
        if (prompt->state == PROMPT_SENDING || prompt->number == number)
            found += prompt_queue_settle(queue, prompt->number, PROMPT_UNCERTAIN);
    }
    if (number > queue->last_number)
        queue->last_number = number;
    return found;
}

json_t *prompt_queue_public(const struct prompt_queue *queue)
{
    json_t *list = json_array();

    for (size_t i = 0; i < queue->waiting_count; i++) {
        const struct prompt *prompt = &queue->waiting[i];
        json_array_append_new(list, json_pack("{ss ss ss ss}", "id", prompt->id, "text", prompt->text,
                                              "priority", priority_names[prompt->priority], "state",
                                              state_names[prompt->state]));
    }
    return list;
}

static void save_one(json_t *list, const struct prompt *prompt)
{
    json_array_append_new(list, json_pack("{sI ss ss* ss ss sI}", "number", (json_int_t)prompt->number, "id",
                                          prompt->id, "text", prompt->text, "priority",
                                          priority_names[prompt->priority], "state",
                                          state_names[prompt->state], "seq", (json_int_t)prompt->seq));
}

json_t *prompt_queue_save(const struct prompt_queue *queue)
{
    json_t *list = json_array();

    for (size_t i = 0; i < queue->settled_count; i++)
        save_one(list, &queue->settled[i]);
    for (size_t i = 0; i < queue->waiting_count; i++)
        save_one(list, &queue->waiting[i]);
    return json_pack("{sI so}", "last", (json_int_t)queue->last_number, "prompts", list);
}

static void load_one(struct prompt_queue *queue, const json_t *saved)
{
    const char *id = json_member_string(saved, "id", NULL), *text = json_member_string(saved, "text", NULL);
    int priority = prompt_priority_parse(json_member_string(saved, "priority", NULL));
    int state = index_of(state_names, sizeof state_names / sizeof state_names[0],
                         json_member_string(saved, "state", NULL));
    struct prompt prompt = {.number = (uint64_t)json_member_integer(saved, "number", 0),
                            .seq = (uint64_t)json_member_integer(saved, "seq", 0)};

    if (id == NULL || priority < 0 || state < 0 || (text == NULL && state <= PROMPT_SENDING))
        return;
    prompt.priority = (enum prompt_priority)priority;
    prompt.state = (enum prompt_state)state;
    prompt.id = xstrdup(id);
    if (prompt.number > queue->last_number)
        queue->last_number = prompt.number;
    if (prompt.state > PROMPT_SENDING) {
        remember(queue, prompt);
        return;
    }
    prompt.text = xstrdup(text);
    (void)insert(queue, queue->waiting_count, &prompt);
}

void prompt_queue_load(struct prompt_queue *queue, const json_t *saved)
{
    size_t index;
    json_t *prompt;

    queue->last_number = (uint64_t)json_member_integer(saved, "last", 0);
    json_array_foreach(json_object_get(saved, "prompts"), index, prompt)
    {
        load_one(queue, prompt);
    }
}

int prompt_text_check(const char *text, size_t length)
{
    if (length == 0)
        return RPC_INVALID_PARAMS;
    if (length > RPC_PROMPT_MAX)
        return RPC_TOO_LARGE;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F)
            return RPC_BAD_TEXT;
        /* C1 controls, U+0080 to U+009F. */
        if (byte == 0xC2 && (unsigned char)text[i + 1] < 0xA0)
            return RPC_BAD_TEXT;
    }
    return utf8_valid(text, length) ? 0 : RPC_BAD_TEXT;
}
