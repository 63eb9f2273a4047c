/* Gathering of text, in a host that has little more than its events. */
#include "small_host.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* "type: text" of an event, until the next call. */
static const char *said(struct host *host, uint64_t seq)
{
    static struct buffer shown;
    json_t *object = told(host, seq);

    buffer_finish(&shown);
    buffer_printf(&shown, "%s: %s", json_member_string(object, "type", "none"),
                  json_member_string(object, "text", ""));
    json_decref(object);
    return shown.bytes;
}

static void say(struct host *host, const char *text)
{
    coalesce_text(host, text, strlen(text));
}

static void think(struct host *host, const char *text)
{
    coalesce_thinking(host, text, strlen(text));
}

TEST(pieces_are_told_together_after_a_while)
{
    struct host *host = host_open();
    int64_t began = host_now_ms();

    say(host, "one ");
    say(host, "two");
    CHECK_NUMBER(host->events.last, 0);
    (void)event_base_dispatch(host->loop);
    CHECK_NUMBER(host->events.last, 1);
    CHECK_STRING(said(host, 1), "text: one two");
    CHECK(host_now_ms() - began >= COALESCE_MS);
    say(host, "three");
    (void)event_base_dispatch(host->loop);
    CHECK_STRING(said(host, 2), "text: three");
    host_close(host);
}

TEST(the_order_is_that_of_the_causes)
{
    struct host *host = host_open();

    think(host, "hm");
    say(host, "a");
    say(host, "b");
    think(host, "well");
    (void)events_emit(host, "tool_call", NULL);
    say(host, "c");
    coalesce_flush(host);
    coalesce_flush(host);
    CHECK_STRING(said(host, 1), "thinking: hm");
    CHECK_STRING(said(host, 2), "text: ab");
    CHECK_STRING(said(host, 3), "thinking: well");
    CHECK_STRING(said(host, 4), "tool_call: ");
    CHECK_STRING(said(host, 5), "text: c");
    CHECK_NUMBER(host->events.last, 5);
    CHECK(!event_pending(host->coalesce.timer, EV_TIMEOUT, NULL));
    host_close(host);
}

TEST(characters_are_never_split)
{
    struct host *host = host_open();

    say(host, "gr\xC3");
    coalesce_flush(host);
    coalesce_flush(host);
    CHECK_STRING(said(host, 1), "text: gr");
    CHECK_NUMBER(host->events.last, 1);
    say(host, "\xBC\xC3\x9F");
    say(host, "e\xF0\x9F\x98");
    coalesce_flush(host);
    CHECK_STRING(said(host, 2), "text: \xC3\xBC\xC3\x9F"
                                "e");
    think(host, "!");
    CHECK_STRING(said(host, 3), "text: " REPLACEMENT);
    host_close(host);
}

TEST(invalid_bytes_are_replaced)
{
    struct host *host = host_open();

    coalesce_text(host, "a\0b\xFF\xC3(\x1b", 7);
    coalesce_text(host, "", 0);
    coalesce_flush(host);
    CHECK_STRING(said(host, 1), "text: a" REPLACEMENT "b" REPLACEMENT REPLACEMENT "(\x1b");
    host_close(host);
}

TEST(what_waits_is_bounded)
{
    struct host *host = host_open();
    size_t length = 3 * COALESCE_BYTES + 10, seen = 0;
    char *text = xmalloc(length + 1);

    for (size_t i = 0; i < length; i++)
        text[i] = "\xE6\xBC\xA2"[i % 3];
    text[length] = '\0';
    coalesce_text(host, text, length);
    CHECK_NUMBER(host->events.last, 3);
    coalesce_text(host, "\xBC\xA2", 2);
    coalesce_flush(host);
    CHECK_NUMBER(host->events.last, 4);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        const char *one = said(host, seq) + strlen("text: ");
        CHECK_NUMBER(strlen(one) % 3, 0);
        CHECK(strlen(one) <= COALESCE_BYTES && strncmp(one, "\xE6\xBC\xA2", 3) == 0);
        seen += strlen(one);
    }
    CHECK_NUMBER(seen, length + 2);
    CHECK(host->coalesce.pending.capacity <= COALESCE_BYTES);
    free(text);
    host_close(host);
}

TEST(what_waits_at_the_end_is_told)
{
    struct host *host = host_open();
    uint64_t before;

    say(host, "last \xC3");
    before = host->events.last;
    coalesce_finish(host);
    CHECK_NUMBER(before, 0);
    CHECK_STRING(said(host, 1), "text: last " REPLACEMENT);
    coalesce_init(host);
    host_close(host);
}

TEST_MAIN
