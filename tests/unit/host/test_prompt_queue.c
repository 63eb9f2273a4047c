#include "host/prompt_queue.h"

#include <stdlib.h>

#include "rpc/protocol.h"
#include "test.h"

static const char *order(const struct prompt_queue *queue)
{
    static char text[256];

    text[0] = '\0';
    for (size_t i = 0; i < queue->waiting_count; i++)
        (void)strncat(text, queue->waiting[i].id, 16);
    return text;
}

TEST(priorities_order_the_queue)
{
    struct prompt_queue queue;

    prompt_queue_init(&queue);
    prompt_queue_add(&queue, "a", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "b", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "c", "x", PROMPT_NEXT);
    CHECK_STRING(order(&queue), "cab");
    prompt_queue_add(&queue, "d", "x", PROMPT_NOW);
    prompt_queue_add(&queue, "e", "x", PROMPT_NEXT);
    prompt_queue_add(&queue, "f", "x", PROMPT_NOW);
    CHECK_STRING(order(&queue), "dfecab");
    queue.waiting[0].state = PROMPT_SENDING;
    prompt_queue_add(&queue, "g", "x", PROMPT_NOW);
    CHECK_STRING(order(&queue), "dfgecab");
    prompt_queue_finish(&queue);
}

TEST(what_is_being_sent_stays_first)
{
    struct prompt_queue queue;

    prompt_queue_init(&queue);
    prompt_queue_add(&queue, "a", "x", PROMPT_LATER)->state = PROMPT_SENDING;
    prompt_queue_add(&queue, "b", "x", PROMPT_NOW);
    CHECK_STRING(order(&queue), "ab");
    CHECK_STRING(prompt_queue_first(&queue)->id, "a");
    prompt_queue_finish(&queue);
}

TEST(settled_prompts_are_known_by_their_id)
{
    struct prompt_queue queue;
    uint64_t number;

    prompt_queue_init(&queue);
    CHECK(prompt_queue_find(&queue, "a") == NULL);
    number = prompt_queue_add(&queue, "a", "x", PROMPT_LATER)->number;
    CHECK(prompt_queue_settle(&queue, number, PROMPT_SENT));
    CHECK(!prompt_queue_settle(&queue, number, PROMPT_SENT));
    CHECK(prompt_queue_first(&queue) == NULL);
    CHECK_NUMBER(prompt_queue_find(&queue, "a")->state, PROMPT_SENT);
    prompt_queue_finish(&queue);
}

TEST(memory_of_settled_prompts_is_bounded)
{
    struct prompt_queue queue;
    char id[16];

    prompt_queue_init(&queue);
    for (int i = 0; i < PROMPTS_REMEMBERED + 3; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        prompt_queue_settle(&queue, prompt_queue_add(&queue, id, "x", PROMPT_LATER)->number, PROMPT_SENT);
    }
    CHECK_NUMBER(queue.settled_count, PROMPTS_REMEMBERED);
    CHECK(prompt_queue_find(&queue, "2") == NULL);
    CHECK(prompt_queue_find(&queue, "3") != NULL);
    prompt_queue_finish(&queue);
}

TEST(too_many_waiting_are_refused)
{
    struct prompt_queue queue;
    char id[16];

    prompt_queue_init(&queue);
    for (int i = 0; i < PROMPTS_WAITING_MAX; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        CHECK(prompt_queue_add(&queue, id, "x", PROMPT_LATER) != NULL);
    }
    CHECK(prompt_queue_add(&queue, "more", "x", PROMPT_NOW) == NULL);
    prompt_queue_finish(&queue);
}

TEST(too_much_text_is_refused)
{
    struct prompt_queue queue;
    char *text = malloc(RPC_PROMPT_MAX + 1);

    prompt_queue_init(&queue);
    memset(text, 'a', RPC_PROMPT_MAX);
    text[RPC_PROMPT_MAX] = '\0';
    CHECK(prompt_queue_add(&queue, "a", text, PROMPT_LATER) != NULL);
    CHECK(prompt_queue_add(&queue, "b", text, PROMPT_LATER) != NULL);
    CHECK(prompt_queue_add(&queue, "c", text, PROMPT_LATER) != NULL);
    CHECK(prompt_queue_add(&queue, "d", "x", PROMPT_LATER) != NULL);
    CHECK(prompt_queue_add(&queue, "e", text, PROMPT_LATER) == NULL);
    CHECK_NUMBER(prompt_queue_edit(&queue, "a", text, RPC_PROMPT_MAX), 0);
    CHECK(prompt_queue_add(&queue, "e", "x", PROMPT_LATER) != NULL);
    CHECK_NUMBER(prompt_queue_edit(&queue, "e", text, RPC_PROMPT_MAX), RPC_INPUT_FULL);
    CHECK_NUMBER(prompt_queue_remove(&queue, "a"), 0);
    CHECK_NUMBER(prompt_queue_edit(&queue, "e", text, RPC_PROMPT_MAX), 0);
    free(text);
    prompt_queue_finish(&queue);
}

TEST(crash_makes_the_prompt_in_work_uncertain)
{
    struct prompt_queue queue, next;
    json_t *saved;

    prompt_queue_init(&queue);
    prompt_queue_init(&next);
    prompt_queue_add(&queue, "a", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "b", "y", PROMPT_NEXT)->seq = 7;
    saved = prompt_queue_save(&queue);
    prompt_queue_load(&next, saved);
    CHECK_STRING(order(&next), "ba");
    CHECK_NUMBER(next.last_number, 2);
    /* The ring says that number 2 was being typed; session.json did not know yet. */
    CHECK_NUMBER(prompt_queue_recover(&next, 2), 1);
    CHECK_STRING(order(&next), "a");
    CHECK_NUMBER(prompt_queue_find(&next, "b")->state, PROMPT_UNCERTAIN);
    CHECK_NUMBER(prompt_queue_find(&next, "b")->seq, 7);
    CHECK_NUMBER(prompt_queue_recover(&next, 0), 0);
    CHECK_NUMBER(prompt_queue_add(&next, "c", "x", PROMPT_LATER)->number, 3);
    json_decref(saved);
    prompt_queue_finish(&queue);
    prompt_queue_finish(&next);
}

TEST(number_in_the_ring_is_never_given_again)
{
    struct prompt_queue queue;

    prompt_queue_init(&queue);
    CHECK_NUMBER(prompt_queue_recover(&queue, 9), 0);
    CHECK_NUMBER(prompt_queue_add(&queue, "a", "x", PROMPT_LATER)->number, 10);
    prompt_queue_finish(&queue);
}

TEST(queued_prompts_are_removed_and_their_ids_stay_known)
{
    struct prompt_queue queue, next;
    json_t *saved;

    prompt_queue_init(&queue);
    prompt_queue_init(&next);
    prompt_queue_add(&queue, "a", "x", PROMPT_LATER)->state = PROMPT_SENDING;
    prompt_queue_add(&queue, "b", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "c", "x", PROMPT_LATER);
    CHECK_NUMBER(prompt_queue_remove(&queue, "nobody"), RPC_NOT_FOUND);
    CHECK_NUMBER(prompt_queue_remove(&queue, "a"), RPC_STALE);
    CHECK_NUMBER(prompt_queue_remove(&queue, "b"), 0);
    CHECK_NUMBER(prompt_queue_remove(&queue, "b"), RPC_STALE);
    CHECK_STRING(order(&queue), "ac");
    saved = prompt_queue_save(&queue);
    prompt_queue_load(&next, saved);
    CHECK_STRING(order(&next), "ac");
    CHECK_NUMBER(prompt_queue_find(&next, "b")->state, PROMPT_REMOVED);
    json_decref(saved);
    prompt_queue_finish(&queue);
    prompt_queue_finish(&next);
}

TEST(edited_prompts_keep_number_and_place)
{
    struct prompt_queue queue;
    char *large = malloc(RPC_PROMPT_MAX + 2);

    prompt_queue_init(&queue);
    prompt_queue_add(&queue, "a", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "b", "y", PROMPT_LATER);
    CHECK_NUMBER(prompt_queue_edit(&queue, "a", "other words", 5), 0);
    CHECK_STRING(order(&queue), "ab");
    CHECK_STRING(prompt_queue_first(&queue)->text, "other");
    CHECK_NUMBER(prompt_queue_first(&queue)->number, 1);
    CHECK_NUMBER(prompt_queue_edit(&queue, "a", "", 0), RPC_INVALID_PARAMS);
    CHECK_NUMBER(prompt_queue_edit(&queue, "a", "a\0b", 3), RPC_BAD_TEXT);
    memset(large, 'a', RPC_PROMPT_MAX + 1);
    large[RPC_PROMPT_MAX + 1] = '\0';
    CHECK_NUMBER(prompt_queue_edit(&queue, "a", large, RPC_PROMPT_MAX + 1), RPC_TOO_LARGE);
    CHECK_STRING(prompt_queue_first(&queue)->text, "other");
    prompt_queue_first(&queue)->state = PROMPT_SENDING;
    CHECK_NUMBER(prompt_queue_edit(&queue, "a", "late", 4), RPC_STALE);
    CHECK_NUMBER(prompt_queue_edit(&queue, "nobody", "late", 4), RPC_NOT_FOUND);
    free(large);
    prompt_queue_finish(&queue);
}

TEST(prompts_move_by_priority)
{
    struct prompt_queue queue;

    prompt_queue_init(&queue);
    prompt_queue_add(&queue, "a", "x", PROMPT_LATER)->state = PROMPT_SENDING;
    prompt_queue_add(&queue, "b", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "c", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "d", "x", PROMPT_LATER);
    CHECK_NUMBER(prompt_queue_move(&queue, "d", PROMPT_NOW), 0);
    CHECK_STRING(order(&queue), "adbc");
    CHECK_NUMBER(prompt_queue_move(&queue, "c", PROMPT_NEXT), 0);
    CHECK_STRING(order(&queue), "adcb");
    CHECK_NUMBER(prompt_queue_move(&queue, "d", PROMPT_LATER), 0);
    CHECK_STRING(order(&queue), "acbd");
    CHECK_NUMBER(queue.waiting[3].priority, PROMPT_LATER);
    CHECK_NUMBER(prompt_queue_move(&queue, "a", PROMPT_LATER), RPC_STALE);
    CHECK_NUMBER(prompt_queue_move(&queue, "nobody", PROMPT_LATER), RPC_NOT_FOUND);
    prompt_queue_finish(&queue);
}

TEST(prompts_move_to_a_place_behind_what_is_being_sent)
{
    struct prompt_queue queue;

    prompt_queue_init(&queue);
    prompt_queue_add(&queue, "a", "x", PROMPT_LATER)->state = PROMPT_SENDING;
    prompt_queue_add(&queue, "b", "x", PROMPT_NOW);
    prompt_queue_add(&queue, "c", "x", PROMPT_LATER);
    prompt_queue_add(&queue, "d", "x", PROMPT_LATER);
    CHECK_NUMBER(prompt_queue_place(&queue, "d", 0), 0);
    CHECK_STRING(order(&queue), "adbc");
    CHECK_NUMBER(prompt_queue_index(&queue, "d"), 0);
    CHECK_NUMBER(prompt_queue_index(&queue, "c"), 2);
    CHECK_NUMBER(prompt_queue_index(&queue, "a"), -1);
    CHECK_NUMBER(prompt_queue_place(&queue, "b", 2), 0);
    CHECK_STRING(order(&queue), "adcb");
    CHECK_NUMBER(queue.waiting[3].priority, PROMPT_NEXT);
    CHECK_NUMBER(prompt_queue_place(&queue, "d", SIZE_MAX), 0);
    CHECK_STRING(order(&queue), "acbd");
    CHECK_NUMBER(queue.waiting[3].priority, PROMPT_LATER);
    CHECK_NUMBER(prompt_queue_place(&queue, "a", 1), RPC_STALE);
    CHECK_NUMBER(prompt_queue_place(&queue, "nobody", 1), RPC_NOT_FOUND);
    prompt_queue_finish(&queue);
}

TEST(damaged_copies_are_left_out)
{
    struct prompt_queue queue;
    json_t *saved =
        json_loads("{\"last\":3,\"prompts\":[{\"id\":\"a\"},7,{\"id\":\"b\",\"priority\":\"later\","
                   "\"state\":\"queued\"},{\"id\":\"c\",\"priority\":\"later\",\"state\":\"sent\"}]}",
                   0, NULL);

    prompt_queue_init(&queue);
    prompt_queue_load(&queue, saved);
    CHECK_NUMBER(queue.waiting_count, 0);
    CHECK_NUMBER(queue.settled_count, 1);
    json_decref(saved);
    prompt_queue_finish(&queue);
}

TEST(public_form_shows_what_waits)
{
    struct prompt_queue queue;
    json_t *list;

    prompt_queue_init(&queue);
    prompt_queue_add(&queue, "a", "do it", PROMPT_LATER);
    prompt_queue_settle(&queue, prompt_queue_add(&queue, "b", "y", PROMPT_LATER)->number, PROMPT_SENT);
    list = prompt_queue_public(&queue);
    CHECK_NUMBER(json_array_size(list), 1);
    CHECK_STRING(json_string_value(json_object_get(json_array_get(list, 0), "text")), "do it");
    CHECK_STRING(json_string_value(json_object_get(json_array_get(list, 0), "priority")), "later");
    json_decref(list);
    prompt_queue_finish(&queue);
}

TEST(texts_are_checked)
{
    static const struct {
        const char *text;
        size_t length;
        int code;
    } cases[] = {
        {"", 0, RPC_INVALID_PARAMS}, {"plain", 5, 0},
        {"two\nlines\t.", 11, 0},    {"a\0b", 3, RPC_BAD_TEXT},
        {"\x1b[A", 3, RPC_BAD_TEXT}, {"\r", 1, RPC_BAD_TEXT},
        {"\x7f", 1, RPC_BAD_TEXT},   {"\xc2\x9b", 2, RPC_BAD_TEXT},
        {"\xc3\xa9", 2, 0},          {"\xff", 1, RPC_BAD_TEXT},
        {"\xc2\xa0", 2, 0},
    };
    char *large = malloc(RPC_PROMPT_MAX + 2);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_NUMBER(prompt_text_check(cases[i].text, cases[i].length), cases[i].code);
    memset(large, 'a', RPC_PROMPT_MAX + 1);
    large[RPC_PROMPT_MAX + 1] = '\0';
    CHECK_NUMBER(prompt_text_check(large, RPC_PROMPT_MAX), 0);
    CHECK_NUMBER(prompt_text_check(large, RPC_PROMPT_MAX + 1), RPC_TOO_LARGE);
    free(large);
}

TEST_MAIN
