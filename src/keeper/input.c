#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static size_t packet_size(const struct packet *packet)
{
    return sizeof *packet + packet->message.length;
}

void queue_add(struct queue *queue, struct packet *packet)
{
    packet->next = NULL;
    if (queue->first == NULL)
        queue->first = packet;
    else
        queue->last->next = packet;
    queue->last = packet;
    queue->bytes += packet_size(packet);
}

void queue_drop_first(struct queue *queue)
{
    struct packet *packet = queue->first;

    queue->first = packet->next;
    queue->bytes -= packet_size(packet);
    free(packet);
}

void queue_clear(struct queue *queue)
{
    while (queue->first != NULL)
        queue_drop_first(queue);
}

static int *channel_descriptor(struct attempt *attempt, int channel)
{
    return &attempt->fds[channel == KEEPER_CHANNEL_STDIN ? KEEPER_DESCRIPTOR_STDIN : KEEPER_DESCRIPTOR_PTY];
}

static void answer(struct keeper *keeper, const struct packet *packet, int error)
{
    struct keeper_attempt *known = &keeper->attempt.answer;
    struct keeper_message message = packet->message;
    uint64_t *highest = error != 0 ? &known->refused_write : &known->last_write;

    if (message.attempt == known->attempt && message.id > *highest)
        *highest = message.id;
    message.length = 0;
    message.error = error;
    host_send(keeper, &message, NULL);
}

void input_cancel(struct keeper *keeper, int error)
{
    for (int channel = KEEPER_CHANNEL_PTY; channel <= KEEPER_CHANNEL_STDIN; channel++) {
        struct queue *queue = &keeper->attempt.input[channel];
        for (; queue->first != NULL; queue_drop_first(queue))
            answer(keeper, queue->first, error);
    }
}

/* Whether the packet went out whole; errno EAGAIN: later. */
static bool packet_write(int fd, struct packet *packet)
{
    while (packet->written < packet->message.length) {
        ssize_t sent = write(fd, packet->payload + packet->written, packet->message.length - packet->written);
        if (sent > 0) {
            packet->written += (size_t)sent;
        } else if (sent == 0) {
            errno = EAGAIN;
            return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* The place of stdin is taken by /dev/null, so that a later host gets a descriptor too. */
static void close_stdin(int *fd)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)close(*fd);
    *fd = null;
}

void input_flush(struct keeper *keeper, int channel)
{
    struct queue *queue = &keeper->attempt.input[channel];
    int *fd = channel_descriptor(&keeper->attempt, channel);

    /* The file description is shared with the host and whom it hands it to: none of them may make the keeper block. */
    if (queue->first != NULL)
        (void)fcntl(*fd, F_SETFL, O_NONBLOCK);
    for (; queue->first != NULL; queue_drop_first(queue)) {
        int error = 0;
        if (!packet_write(*fd, queue->first)) {
            if (errno == EAGAIN)
                return;
            error = EIO;
        }
        if (queue->first->message.length == 0 && channel == KEEPER_CHANNEL_STDIN)
            close_stdin(fd);
        answer(keeper, queue->first, error);
    }
}

void input_take(struct keeper *keeper, struct packet *packet)
{
    struct attempt *attempt = &keeper->attempt;
    int channel = packet->message.channel;
    int error = 0;

    if (attempt->leader == 0 || packet->message.attempt != attempt->number)
        error = ECANCELED;
    else if (channel < KEEPER_CHANNEL_PTY || channel > KEEPER_CHANNEL_STDIN ||
             *channel_descriptor(attempt, channel) < 0)
        error = EINVAL;
    else if (attempt->input[channel].bytes + packet_size(packet) > KEEPER_INPUT_MAX)
        error = EAGAIN;
    if (error != 0) {
        answer(keeper, packet, error);
        free(packet);
        return;
    }
    if (packet->message.id > attempt->answer.accepted_write)
        attempt->answer.accepted_write = packet->message.id;
    queue_add(&attempt->input[channel], packet);
    input_flush(keeper, channel);
}
