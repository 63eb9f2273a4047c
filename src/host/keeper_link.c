#include "host/keeper_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

/* The keeper's own messages are small. */
#define ANSWER_MAX 4096
#define ANSWERS_A_WAKE 64

struct request {
    struct request *next;
    size_t size;
    char packet[];
};

struct keeper_link {
    int socket;
    bool lost;
    const struct keeper_calls *calls;
    void *argument;
    struct event *readable, *writable;
    struct request *first, **last;
};

struct answer {
    struct keeper_message message;
    char payload[ANSWER_MAX];
};

static void lose(struct keeper_link *link)
{
    if (link->lost)
        return;
    link->lost = true;
    event_del(link->readable);
    event_del(link->writable);
    link->calls->lost(link->argument);
}

/* ---- sending ---- */

static void drop_first(struct keeper_link *link)
{
    struct request *request = link->first;

    link->first = request->next;
    if (link->first == NULL)
        link->last = &link->first;
    free(request);
}

/* A keeper that is gone is noticed at the next reading. */
static void flush(struct keeper_link *link)
{
    for (; link->first != NULL; drop_first(link)) {
        if (send(link->socket, link->first->packet, link->first->size, MSG_NOSIGNAL) >= 0)
            continue;
        if (errno == EAGAIN || errno == EINTR) {
            event_add(link->writable, NULL);
            return;
        }
    }
}

static void on_writable(evutil_socket_t socket, short what, void *argument)
{
    (void)socket;
    (void)what;
    flush(argument);
}

static int request(struct keeper_link *link, struct keeper_message message, const void *payload,
                   size_t length)
{
    size_t size = sizeof message + length;
    struct request *new;

    errno = link->lost ? EPIPE : EMSGSIZE;
    if (link->lost || size > KEEPER_PACKET_MAX)
        return -1;
    message.version = KEEPER_PROTOCOL_VERSION;
    message.length = (uint32_t)length;
    new = xmalloc(sizeof *new + size);
    new->next = NULL;
    new->size = size;
    memcpy(new->packet, &message, sizeof message);
    if (length > 0)
        memcpy(new->packet + sizeof message, payload, length);
    *link->last = new;
    link->last = &new->next;
    if (link->first == new)
        flush(link);
    return 0;
}

int keeper_link_ready(struct keeper_link *link)
{
    return request(link, (struct keeper_message){.type = KEEPER_READY}, NULL, 0);
}

int keeper_link_write(struct keeper_link *link, uint32_t attempt, uint64_t id, enum keeper_channel channel,
                      const void *bytes, size_t length)
{
    struct keeper_message message = {
        .type = KEEPER_WRITE, .attempt = attempt, .id = id, .channel = (int32_t)channel};

    return request(link, message, bytes, length);
}

int keeper_link_signal(struct keeper_link *link, int signal)
{
    return request(link, (struct keeper_message){.type = KEEPER_SIGNAL, .value = signal}, NULL, 0);
}

int keeper_link_end(struct keeper_link *link, int grace_ms)
{
    return request(link, (struct keeper_message){.type = KEEPER_END, .value = grace_ms}, NULL, 0);
}

static uint32_t append_strings(struct buffer *out, const char *const *strings)
{
    uint32_t count = 0;

    for (; strings != NULL && strings[count] != NULL; count++)
        buffer_append(out, strings[count], strlen(strings[count]) + 1);
    return count;
}

int keeper_link_spawn(struct keeper_link *link, uint32_t attempt, const struct keeper_start *start)
{
    struct keeper_spawn spawn = {.cols = (uint16_t)start->cols, .rows = (uint16_t)start->rows};
    struct buffer payload;
    int result;

    buffer_init(&payload);
    buffer_append(&payload, &spawn, sizeof spawn);
    buffer_append(&payload, start->folder, strlen(start->folder) + 1);
    spawn.stream_mode = start->stream_mode;
    spawn.arguments = append_strings(&payload, start->argv);
    spawn.unset = append_strings(&payload, start->unset);
    spawn.set = append_strings(&payload, start->set);
    memcpy(payload.bytes, &spawn, sizeof spawn);
    result = request(link, (struct keeper_message){.type = KEEPER_SPAWN, .attempt = attempt}, payload.bytes,
                     payload.length);
    buffer_finish(&payload);
    return result;
}

/* ---- receiving ---- */

static void take_descriptors(struct msghdr *header, int fds[KEEPER_DESCRIPTORS])
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
        size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS && count <= KEEPER_DESCRIPTORS)
            memcpy(fds, CMSG_DATA(at), count * sizeof(int));
    }
}

static void handle_started(struct keeper_link *link, const struct answer *answer, int fds[KEEPER_DESCRIPTORS])
{
    struct keeper_attempt attempt;
    int error = answer->message.error, expected;

    memcpy(&attempt, answer->payload, sizeof attempt);
    expected = attempt.stream_mode ? KEEPER_DESCRIPTORS : 2;
    if (error == 0 && fds[expected - 1] < 0)
        error = EMFILE;
    link->calls->started(link->argument, &attempt, error, fds);
}

static void handle(struct keeper_link *link, const struct answer *answer, int fds[KEEPER_DESCRIPTORS])
{
    const struct keeper_message *message = &answer->message;

    if (message->type == KEEPER_HELLO && message->length >= sizeof(struct keeper_hello)) {
        struct keeper_hello hello;
        memcpy(&hello, answer->payload, sizeof hello);
        hello.session[sizeof hello.session - 1] = '\0';
        link->calls->hello(link->argument, &hello, message->attempt);
    } else if (message->type == KEEPER_FDS && message->length >= sizeof(struct keeper_attempt)) {
        handle_started(link, answer, fds);
    } else if (message->type == KEEPER_WRITE) {
        link->calls->written(link->argument, message->attempt, message->channel, message->id, message->error);
    } else if (message->type == KEEPER_EXITED && message->length >= sizeof(struct keeper_exit)) {
        struct keeper_exit exit;
        memcpy(&exit, answer->payload, sizeof exit);
        link->calls->exited(link->argument, &exit);
    } else if (message->type == KEEPER_FORSAKEN) {
        link->calls->forsaken(link->argument);
    }
}

/* False when nothing more is there. */
static bool receive(struct keeper_link *link)
{
    int fds[KEEPER_DESCRIPTORS];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fds)];
    struct answer answer = {0};
    struct iovec part = {&answer, sizeof answer};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(link->socket, &header, MSG_CMSG_CLOEXEC);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    /* A keeper that died with requests unread leaves one ECONNRESET in front of what it still said. */
    if (got < 0 && errno == ECONNRESET)
        return true;
    if (got <= 0) {
        lose(link);
        return false;
    }
    for (int i = 0; i < KEEPER_DESCRIPTORS; i++)
        fds[i] = -1;
    take_descriptors(&header, fds);
    if (got >= (ssize_t)sizeof answer.message && answer.message.version == KEEPER_PROTOCOL_VERSION &&
        answer.message.length == (size_t)got - sizeof answer.message)
        handle(link, &answer, fds);
    for (int i = 0; i < KEEPER_DESCRIPTORS; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    return true;
}

static void on_readable(evutil_socket_t socket, short what, void *argument)
{
    (void)socket;
    (void)what;
    for (int i = 0; i < ANSWERS_A_WAKE && receive(argument); i++)
        continue;
}

struct keeper_link *keeper_link_create(struct event_base *loop, int socket, const struct keeper_calls *calls,
                                       void *argument)
{
    struct keeper_link *link = xcalloc(1, sizeof *link);

    link->socket = socket;
    link->calls = calls;
    link->argument = argument;
    link->last = &link->first;
    (void)fcntl(socket, F_SETFL, O_NONBLOCK);
    (void)fcntl(socket, F_SETFD, FD_CLOEXEC);
    link->readable = event_new(loop, socket, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(loop, socket, EV_WRITE, on_writable, link);
    event_add(link->readable, NULL);
    return link;
}

void keeper_link_destroy(struct keeper_link *link)
{
    if (link == NULL)
        return;
    event_free(link->readable);
    event_free(link->writable);
    while (link->first != NULL)
        drop_first(link);
    (void)close(link->socket);
    free(link);
}
