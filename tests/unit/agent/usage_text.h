/* Feeds lines to a source of usage and keeps what it tells as text, one answer a line:
 * MESSAGE REQUEST CONVERSATION MODEL AT input output read write hour searches cost[ side][ subscription][ us][ copied] */
#ifndef TESTS_USAGE_TEXT_H
#define TESTS_USAGE_TEXT_H

#include <inttypes.h>
#include <string.h>

#include "agent/usage_record.h"
#include "base/buffer.h"

static struct buffer told;

static const char *or_dash(const char *text)
{
    return text == NULL ? "-" : text;
}

static void take(void *argument, const struct usage_record *r)
{
    (void)argument;
    buffer_printf(&told,
                  "%s %s %s %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                  " %" PRId64 " %g%s%s%s%s\n",
                  r->message, or_dash(r->request), or_dash(r->conversation), or_dash(r->model), r->at_ms,
                  r->input_tokens, r->output_tokens, r->cache_read_tokens, r->cache_write_tokens,
                  r->cache_write_1h_tokens, r->web_searches, r->cost_usd, r->sidechain ? " side" : "",
                  r->subscription ? " subscription" : "", r->us_only ? " us" : "",
                  r->copied ? " copied" : "");
}

static void begin(void)
{
    buffer_finish(&told);
    buffer_init(&told);
    buffer_append_string(&told, "");
    (void)buffer_reserve(&told, 1);
    told.bytes[0] = '\0';
}

/* The lines of a text that ends in \n, each from memory of exactly its size, so that the sanitizer sees reading beyond. */
static void feed_state(const struct usage_source *source, void *state, const char *text)
{
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        size_t length = (size_t)(end - text);
        char *line = malloc(length + (length == 0));
        memcpy(line, text, length);
        source->line(state, line, length, take, NULL);
        free(line);
    }
}

__attribute__((unused)) static const char *feed(const struct usage_source *source, const char *text)
{
    void *state = source->create == NULL ? NULL : source->create("/nonexistent", 0);

    begin();
    feed_state(source, state, text);
    if (source->destroy != NULL)
        source->destroy(state);
    return told.bytes;
}

#endif
