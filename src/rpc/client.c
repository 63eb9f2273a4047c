#include "rpc/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/local_socket.h"
#include "base/memory.h"
#include "rpc/line.h"
#include "rpc/protocol.h"

/* Notifications kept while a call waits for its answer. */
#define KEPT_MAX (16 * 1024 * 1024)
/* Bytes taken by one client_receive, so that one busy session does not starve the others. */
#define RECEIVE_MAX (1024 * 1024)

struct client {
    int descriptor;
    uint64_t last_id;
    struct line_reader reader;
    struct buffer out;
    struct buffer kept; /* whole lines, each ended by NUL */
    size_t kept_start;
};

struct client *client_over(int descriptor)
{
    struct client *client = xcalloc(1, sizeof *client);

    client->descriptor = descriptor;
    line_reader_init(&client->reader);
    buffer_init(&client->out);
    buffer_init(&client->kept);
    return client;
}

void client_destroy(struct client *client)
{
    if (client == NULL)
        return;
    close(client->descriptor);
    line_reader_finish(&client->reader);
    buffer_finish(&client->out);
    buffer_finish(&client->kept);
    free(client);
}

int client_descriptor(const struct client *client)
{
    return client->descriptor;
}

/* ---- deadlines ---- */

static int64_t deadline_after(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
}

static int left_until(int64_t deadline)
{
    int64_t left;

    if (deadline == INT64_MAX)
        return -1;
    left = (deadline - clock_monotonic_ns() + 999999) / 1000000;
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static int timed_out(struct error *error)
{
    errno = ETIMEDOUT;
    return error_errno(error, "the session's host does not answer");
}

static int gone(struct error *error)
{
    errno = EPIPE;
    return error_errno(error, "the session's host closed the connection");
}

/* ---- the two directions ---- */

static void queue_request(struct client *client, uint64_t id, const char *method, json_t *params)
{
    struct buffer *out = &client->out;

    buffer_append_string(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buffer_append_number(out, id);
    buffer_append_string(out, ",\"method\":");
    json_append_quoted(out, method, strlen(method));
    if (params != NULL) {
        buffer_append_string(out, ",\"params\":");
        json_append_value(out, params);
        json_decref(params);
    }
    buffer_append_string(out, "}\n");
}

uint64_t client_send(struct client *client, const char *method, json_t *params)
{
    queue_request(client, ++client->last_id, method, params);
    return client->last_id;
}

void client_send_lines(struct client *client, const struct buffer *lines)
{
    buffer_append(&client->out, lines->bytes, lines->length);
}

int client_flush(struct client *client)
{
    struct buffer *out = &client->out;
    size_t sent = 0;

    while (sent < out->length) {
        ssize_t wrote =
            send(client->descriptor, out->bytes + sent, out->length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno != EAGAIN)
            return -1;
        if (wrote < 0)
            break;
        sent += (size_t)wrote;
    }
    buffer_consume(out, sent);
    return out->length > 0;
}

int client_receive(struct client *client)
{
    size_t total = 0;

    while (total < RECEIVE_MAX) {
        size_t room;
        char *space = line_reader_space(&client->reader, &room);
        ssize_t got = recv(client->descriptor, space, room, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got <= 0)
            return total > 0 ? 0 : -1;
        line_reader_added(&client->reader, (size_t)got);
        total += (size_t)got;
        if ((size_t)got < room)
            return 0;
    }
    return 0;
}

/* ---- lines ---- */

static bool received_line(struct client *client, char **line, size_t *length)
{
    enum line_result result;

    do {
        result = line_reader_next(&client->reader, line, length);
    } while (result == LINE_TOO_LONG);
    return result == LINE_COMPLETE;
}

static bool kept_line(struct client *client, char **line, size_t *length)
{
    struct buffer *kept = &client->kept;

    if (client->kept_start == kept->length) {
        buffer_clear(kept);
        client->kept_start = 0;
        return false;
    }
    *line = kept->bytes + client->kept_start;
    *length = strlen(*line);
    client->kept_start += *length + 1;
    return true;
}

static int keep_line(struct client *client, const char *line, size_t length, struct error *error)
{
    if (client->kept.length + length > KEPT_MAX) {
        errno = ENOBUFS;
        return error_errno(error, "the session's host sends notifications and no answer");
    }
    buffer_append(&client->kept, line, strnlen(line, length));
    buffer_append_char(&client->kept, '\0');
    return 0;
}

bool client_line(struct client *client, char **line, size_t *length)
{
    return kept_line(client, line, length) || received_line(client, line, length);
}

/* Answers have no "method"; ganger's own notifications begin with it. */
static bool is_notification(const char *line, size_t length)
{
    static const char usual[] = "{\"jsonrpc\":\"2.0\",\"method\":";
    json_t *message;
    bool result;

    if (length >= sizeof usual - 1 && memcmp(line, usual, sizeof usual - 1) == 0)
        return true;
    message = json_loadb(line, length, 0, NULL);
    result = json_object_get(message, "method") != NULL;
    json_decref(message);
    return result;
}

/* Writes what is queued and reads what comes, for a while. Returns 1 when something came, 0 at the deadline, or -1. */
static int exchange(struct client *client, int64_t deadline, struct error *error)
{
    for (;;) {
        int left = client_flush(client), ready;
        struct pollfd waited = {.fd = client->descriptor,
                                .events = (short)(left > 0 ? POLLIN | POLLOUT : POLLIN)};

        if (left < 0 && client_receive(client) < 0)
            return gone(error);
        if (left < 0)
            return 1;
        ready = poll(&waited, 1, left_until(deadline));
        if (ready < 0 && errno != EINTR)
            return error_errno(error, "cannot wait for the session's host");
        if (ready == 0)
            return 0;
        if (ready > 0 && (waited.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            return client_receive(client) < 0 ? gone(error) : 1;
    }
}

int client_wait(struct client *client, int timeout_ms, struct error *error)
{
    int result = exchange(client, deadline_after(timeout_ms), error);

    if (result == 0)
        (void)timed_out(error);
    return result;
}

int client_next(struct client *client, int timeout_ms, char **line, size_t *length, struct error *error)
{
    int64_t deadline = deadline_after(timeout_ms);

    for (;;) {
        int result;
        while (client_line(client, line, length)) {
            if (is_notification(*line, *length))
                return 1;
        }
        result = exchange(client, deadline, error);
        if (result <= 0)
            return result;
    }
}

/* ---- calls ---- */

static json_t *take_answer(const json_t *answer, struct error *error)
{
    json_t *result = json_object_get(answer, "result");
    const json_t *problem = json_object_get(answer, "error");

    if (result != NULL && problem == NULL)
        return json_incref(result);
    error_set(error, "%s",
              json_member_string(problem, "message", "the session's host sent an answer without a result"));
    if (error != NULL)
        error->code = (int)json_member_integer(problem, "code", RPC_INTERNAL_ERROR);
    return NULL;
}

/* An error without an id is about a line that could not be read, or says why the connection is refused. */
static bool is_answer(const json_t *message, uint64_t id)
{
    return json_member_integer(message, "id", -1) == (int64_t)id ||
           (json_is_null(json_object_get(message, "id")) &&
            json_is_object(json_object_get(message, "error")));
}

/* Looks through the lines that came for the answer. Returns 1 with *result, 0 when it is not there yet, or -1. */
static int find_answer(struct client *client, uint64_t id, json_t **result, struct error *error)
{
    char *line;
    size_t length;

    while (received_line(client, &line, &length)) {
        json_t *message;
        if (is_notification(line, length)) {
            if (keep_line(client, line, length, error) < 0)
                return -1;
            continue;
        }
        message = json_loadb(line, length, 0, NULL);
        if (is_answer(message, id)) {
            *result = take_answer(message, error);
            json_decref(message);
            return *result != NULL ? 1 : -1;
        }
        json_decref(message);
    }
    return 0;
}

json_t *client_call(struct client *client, const char *method, json_t *params, int timeout_ms,
                    struct error *error)
{
    int64_t deadline = deadline_after(timeout_ms);
    uint64_t id = client_send(client, method, params);
    json_t *result = NULL;

    for (;;) {
        int state = find_answer(client, id, &result, error);
        if (state != 0)
            return result;
        state = exchange(client, deadline, error);
        if (state == 0)
            (void)timed_out(error);
        if (state <= 0)
            return NULL;
    }
}

/* ---- connecting ---- */

/* A host that is busy has a full queue of connections for a moment. */
static int connect_until(const char *runtime_dir, const char *name, int64_t deadline, struct error *error)
{
    for (;;) {
        struct error local = {0};
        int connection = local_socket_connect(runtime_dir, name, &local);
        if (connection >= 0)
            return connection;
        if (local.code != EAGAIN || left_until(deadline) == 0) {
            if (error != NULL)
                *error = local;
            return -1;
        }
        (void)poll(NULL, 0, 5);
    }
}

static int say_hello(struct client *client, int64_t deadline, struct error *error)
{
    json_t *hello = client_call(client, "hello", json_pack("{s:i}", "protocol", RPC_PROTOCOL),
                                left_until(deadline), error);
    int64_t protocol = json_member_integer(hello, "protocol", 0);

    if (hello == NULL)
        return -1;
    json_decref(hello);
    if (protocol == RPC_PROTOCOL)
        return 0;
    errno = EPROTO;
    return error_errno(error, "the session's host speaks protocol %lld, this program %d", (long long)protocol,
                       RPC_PROTOCOL);
}

struct client *client_connect(const char *runtime_dir, const char *uuid, int timeout_ms, struct error *error)
{
    int64_t deadline = deadline_after(timeout_ms);
    char *name = xasprintf("%s.sock", uuid);
    int connection = connect_until(runtime_dir, name, deadline, error);
    struct client *client;

    free(name);
    if (connection < 0)
        return NULL;
    client = client_over(connection);
    if (say_hello(client, deadline, error) == 0)
        return client;
    client_destroy(client);
    return NULL;
}
