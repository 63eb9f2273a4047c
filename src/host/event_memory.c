#include "host/event_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rpc/protocol.h"

void event_memory_init(struct event_memory *memory, uint64_t next)
{
    *memory = (struct event_memory){.first = next};
}

static void drop_oldest(struct event_memory *memory)
{
    struct stored_event *oldest = &memory->items[memory->start];

    memory->bytes -= oldest->length;
    free(oldest->text);
    memory->start = (memory->start + 1) % memory->capacity;
    memory->count--;
    memory->first++;
}

void event_memory_finish(struct event_memory *memory)
{
    while (memory->count > 0)
        drop_oldest(memory);
    free(memory->items);
    event_memory_init(memory, memory->first);
}

static void grow(struct event_memory *memory)
{
    size_t capacity = memory->capacity == 0 ? 16 : memory->capacity * 2;
    struct stored_event *items;

    if (capacity > RPC_EVENTS_IN_MEMORY)
        capacity = RPC_EVENTS_IN_MEMORY;
    items = xcalloc(capacity, sizeof *items);
    for (size_t i = 0; i < memory->count; i++)
        items[i] = memory->items[(memory->start + i) % memory->capacity];
    free(memory->items);
    memory->items = items;
    memory->capacity = capacity;
    memory->start = 0;
}

void event_memory_add(struct event_memory *memory, const char *type, const char *text, size_t length)
{
    struct stored_event *slot;

    while (memory->count > 0 &&
           (memory->count >= RPC_EVENTS_IN_MEMORY || memory->bytes + length > EVENT_MEMORY_BYTES))
        drop_oldest(memory);
    if (memory->count == memory->capacity)
        grow(memory);
    slot = &memory->items[(memory->start + memory->count) % memory->capacity];
    slot->text = xstrndup(text, length);
    slot->length = length;
    (void)strlcpy(slot->type, type, sizeof slot->type);
    memory->count++;
    memory->bytes += length;
}

const struct stored_event *event_memory_get(const struct event_memory *memory, uint64_t seq)
{
    if (seq < memory->first || seq - memory->first >= memory->count)
        return NULL;
    return &memory->items[(memory->start + (size_t)(seq - memory->first)) % memory->capacity];
}
