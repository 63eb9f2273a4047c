#include "host/event_memory.h"

#include <stdlib.h>

#include "rpc/protocol.h"
#include "test.h"

static void add(struct event_memory *memory, const char *type, const char *text)
{
    event_memory_add(memory, type, text, strlen(text));
}

TEST(events_are_found_by_number)
{
    struct event_memory memory;

    event_memory_init(&memory, 5);
    CHECK(event_memory_get(&memory, 5) == NULL);
    add(&memory, "phase", "{1}");
    add(&memory, "title", "{2}");
    CHECK_STRING(event_memory_get(&memory, 5)->text, "{1}");
    CHECK_STRING(event_memory_get(&memory, 6)->type, "title");
    CHECK(event_memory_get(&memory, 4) == NULL);
    CHECK(event_memory_get(&memory, 7) == NULL);
    event_memory_finish(&memory);
}

TEST(the_oldest_go)
{
    struct event_memory memory;
    char text[32];

    event_memory_init(&memory, 1);
    for (int i = 1; i <= RPC_EVENTS_IN_MEMORY + 10; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        add(&memory, "text", text);
    }
    CHECK_NUMBER(memory.count, RPC_EVENTS_IN_MEMORY);
    CHECK_NUMBER(memory.first, 11);
    CHECK(event_memory_get(&memory, 10) == NULL);
    CHECK_STRING(event_memory_get(&memory, 11)->text, "11");
    CHECK_STRING(event_memory_get(&memory, RPC_EVENTS_IN_MEMORY + 10)->text, text);
    event_memory_finish(&memory);
}

TEST(bytes_are_bounded)
{
    struct event_memory memory;
    size_t size = 100 * 1024;
    char *text = malloc(size + 1);

    memset(text, 'x', size);
    text[size] = '\0';
    event_memory_init(&memory, 1);
    for (int i = 0; i < 50; i++)
        event_memory_add(&memory, "text", text, size);
    CHECK(memory.bytes <= EVENT_MEMORY_BYTES);
    CHECK_NUMBER(memory.count, EVENT_MEMORY_BYTES / size);
    CHECK_NUMBER(memory.first + memory.count, 51);
    event_memory_finish(&memory);
    free(text);
}

TEST(long_types_are_cut)
{
    struct event_memory memory;

    event_memory_init(&memory, 1);
    add(&memory, "a_type_that_is_longer_than_any", "{}");
    CHECK_NUMBER(strlen(event_memory_get(&memory, 1)->type), EVENT_TYPE_SIZE - 1);
    event_memory_finish(&memory);
}

TEST_MAIN
