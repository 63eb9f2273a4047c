#include "host/typing.h"

#include <errno.h>
#include <unistd.h>

#include "base/keeper_protocol.h"
#include "host/host.h"
#include "rpc/protocol.h"

/* Writes what it can of the buffer, what a person `typed` or not. False when the rest has to wait. */
static bool write_out(struct host *host, struct buffer *buffer, bool typed)
{
    size_t done = 0;

    while (done < buffer->length) {
        /* Before it is written: then it may be answered, and the terminal be another. */
        bool recorded = typed && recordings_take_input(host);
        ssize_t wrote = write(host->attempt.pty, buffer->bytes + done, buffer->length - done);
        if (wrote > 0) {
            if (recorded)
                recordings_input(host, buffer->bytes + done, (size_t)wrote);
            done += (size_t)wrote;
        } else if (wrote < 0 && errno == EINTR) {
            continue;
        } else if (wrote < 0 && errno != EAGAIN) {
            done = buffer->length;
        } else {
            break;
        }
    }
    buffer_consume(buffer, done);
    if (buffer->length == 0 && buffer->capacity > 1024)
        buffer_finish(buffer);
    return buffer->length == 0;
}

static void flush(struct host *host)
{
    struct typing *typing = &host->typing;

    if (host->attempt.pty < 0 || typing->pending_id != 0)
        return;
    if (!write_out(host, &typing->replies, false) || (!typing->held && !write_out(host, &typing->keys, true)))
        event_add(typing->writable, NULL);
}

static void writable(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    flush(host);
    delivery_consider(host);
}

void typing_init(struct host *host)
{
    struct typing *typing = &host->typing;

    buffer_init(&typing->replies);
    buffer_init(&typing->keys);
}

void typing_begin(struct host *host, uint64_t last_id, uint64_t pending)
{
    struct typing *typing = &host->typing;

    typing->last_id = last_id;
    typing->pending_id = pending;
    typing->writable = event_new(host->loop, host->attempt.pty, EV_WRITE, writable, host);
    /* What was typed while the agent was being started. */
    flush(host);
}

void typing_end(struct host *host)
{
    struct typing *typing = &host->typing;

    if (typing->writable != NULL)
        event_free(typing->writable);
    typing->writable = NULL;
    typing->pending_id = 0;
    typing->held = false;
    typing->typed = (struct typed){0};
    buffer_finish(&typing->replies);
    buffer_finish(&typing->keys);
}

void typing_finish(struct host *host)
{
    typing_end(host);
}

int typing_keys(struct host *host, const char *bytes, size_t length)
{
    struct typing *typing = &host->typing;
    bool unsent = typing->typed.unsent;
    struct typed_keys keys;

    if (host->attempt.over)
        return RPC_ENDED;
    /* Nobody reads the terminal. */
    if (stream_spoken(host)) {
        keys = typed_scan(&typing->typed, bytes, length);
        typing->typed.unsent = false;
        if (keys.escape || keys.interrupt)
            (void)cancel_turn(host);
        return 0;
    }
    if (typing->keys.length + length > TYPING_MAX && typing->keys.length > 0)
        return RPC_INPUT_FULL;
    buffer_append(&typing->keys, bytes, length);
    flush(host);
    keys = typed_scan(&typing->typed, bytes, length);
    /* What a dialog takes is not left standing in the prompt box. */
    if (host->activity.detector.phase.phase == PHASE_APPROVAL)
        typing->typed.unsent = unsent;
    activity_keys(host, keys);
    if (!typing->typed.unsent)
        delivery_consider(host);
    return 0;
}

void typing_reply(struct host *host, const char *bytes, size_t length)
{
    struct typing *typing = &host->typing;

    if (typing->writable == NULL || typing->replies.length + length > TYPING_MAX)
        return;
    buffer_append(&typing->replies, bytes, length);
    flush(host);
}

uint64_t typing_whole(struct host *host, const char *bytes, size_t length)
{
    struct typing *typing = &host->typing;

    /* Bytes that the host has begun to write come first, whole. */
    if (typing->writable == NULL || typing->replies.length > 0 || (!typing->held && typing->keys.length > 0))
        return 0;
    if (keeper_link_write(host->keeper, host->attempt.number, typing->last_id + 1, KEEPER_CHANNEL_PTY, bytes,
                          length) < 0)
        return 0;
    typing->pending_id = ++typing->last_id;
    return typing->last_id;
}

void typing_written(struct host *host, uint64_t id)
{
    if (id >= host->typing.pending_id)
        host->typing.pending_id = 0;
    flush(host);
}

void typing_hold(struct host *host, bool held)
{
    host->typing.held = held;
    flush(host);
}
