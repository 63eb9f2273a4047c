/* What goes to the agent's standard input. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "host/host.h"
#include "host/stream.h"

#define WRITE_MAX (96 * 1024) /* bytes of one write; the keeper holds more than one of them */
#define RETRY_NS 200000000
#define ESCAPED_MAX 7 /* bytes that a byte of a prompt takes in JSON at most, and what is around it */

struct stream_message {
    STAILQ_ENTRY(stream_message) entries;
    uint64_t ticket;
    size_t length, sent;
    char *bytes;
};

static void push(struct host *host)
{
    struct stream_input *input = &host->stream.input;
    struct stream_message *first = STAILQ_FIRST(&input->messages);
    size_t length;

    if (first == NULL || input->write_id != 0 || !attempt_running(&host->attempt))
        return;
    length = first->length - first->sent;
    length = length < WRITE_MAX ? length : WRITE_MAX;
    if (keeper_link_write(host->keeper, host->attempt.number, host->typing.last_id + 1, KEEPER_CHANNEL_STDIN,
                          first->bytes + first->sent, length) < 0) {
        host_timer(input->timer, RETRY_NS);
        return;
    }
    input->write_id = ++host->typing.last_id;
    input->in_flight = length;
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    push(argument);
}

void stream_input_init(struct host *host)
{
    struct stream_input *input = &host->stream.input;

    *input = (struct stream_input){.timer = evtimer_new(host->loop, timer_fired, host)};
    STAILQ_INIT(&input->messages);
}

static void remove_first(struct stream_input *input)
{
    struct stream_message *first = STAILQ_FIRST(&input->messages);

    STAILQ_REMOVE_HEAD(&input->messages, entries);
    free(first->bytes);
    free(first);
}

void stream_input_finish(struct host *host)
{
    struct stream_input *input = &host->stream.input;

    if (input->timer == NULL)
        return;
    while (!STAILQ_EMPTY(&input->messages))
        remove_first(input);
    event_free(input->timer);
    input->timer = NULL;
}

bool stream_writes_at_once(const struct host *host, size_t length)
{
    const struct stream_input *input = &host->stream.input;

    return STAILQ_EMPTY(&input->messages) && input->write_id == 0 && length < WRITE_MAX / ESCAPED_MAX;
}

void stream_input_send(struct host *host, const char *bytes, size_t length)
{
    struct stream_input *input = &host->stream.input;
    struct stream_message *message;

    if (length == 0)
        return;
    message = xcalloc(1, sizeof *message);
    message->bytes = xmalloc(length);
    memcpy(message->bytes, bytes, length);
    message->length = length;
    message->ticket = ++input->last_ticket;
    STAILQ_INSERT_TAIL(&input->messages, message, entries);
    push(host);
}

void stream_close(struct host *host)
{
    if (attempt_running(&host->attempt) &&
        keeper_link_write(host->keeper, host->attempt.number, host->typing.last_id + 1, KEEPER_CHANNEL_STDIN,
                          NULL, 0) == 0)
        host->typing.last_id++;
}

/* The pipe is gone: nothing that waits will arrive. */
static void give_up(struct host *host, int error)
{
    struct stream_input *input = &host->stream.input;

    log_warning("the agent's standard input cannot be written: %s", strerror(error));
    while (!STAILQ_EMPTY(&input->messages)) {
        uint64_t ticket = STAILQ_FIRST(&input->messages)->ticket;
        remove_first(input);
        delivery_streamed(host, ticket, error);
    }
}

void stream_written(struct host *host, uint64_t id, int error)
{
    struct stream_input *input = &host->stream.input;
    struct stream_message *first;
    uint64_t ticket;

    if (!host->stream.on || id != input->write_id || input->write_id == 0)
        return;
    input->write_id = 0;
    first = STAILQ_FIRST(&input->messages);
    if (error == EAGAIN) {
        host_timer(input->timer, RETRY_NS);
    } else if (error != 0) {
        give_up(host, error);
    } else if (first != NULL) {
        first->sent += input->in_flight;
        ticket = first->ticket;
        if (first->sent >= first->length) {
            remove_first(input);
            delivery_streamed(host, ticket, 0);
        }
        push(host);
    }
}
