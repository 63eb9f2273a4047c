#include "host/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/local_socket.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/connection_events.h"
#include "host/host.h"
#include "host/methods.h"
#include "host/peer.h"

#define CLIENTS_MAX 200
#define OUT_PAUSE (1024 * 1024) /* bytes of output at which a client is not read any more */
#define OUT_KEEP (64 * 1024)    /* an empty buffer above this is given back */
#define READS_A_WAKE 8

/* ---- output ---- */

void connection_drop(struct connection *client)
{
    if (client->gone)
        return;
    client->gone = true;
    event_del(client->readable);
    event_del(client->writable);
    event_active(client->host->clients.sweep, EV_TIMEOUT, 0);
}

static bool write_out(struct connection *client)
{
    while (client->out_done < client->out.length) {
        ssize_t sent = send(client->descriptor, client->out.bytes + client->out_done,
                            client->out.length - client->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            client->out_done += (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return false;
        } else if (errno != EINTR) {
            connection_drop(client);
            return false;
        }
    }
    client->out_done = 0;
    buffer_clear(&client->out);
    if (client->out.capacity > OUT_KEEP)
        buffer_finish(&client->out);
    return true;
}

void connection_flush(struct connection *client)
{
    if (client->gone || client->out.length == 0)
        return;
    if (!write_out(client) && !client->gone)
        event_add(client->writable, NULL);
    if (!client->paused && !client->gone && client->out.length - client->out_done > OUT_PAUSE) {
        client->paused = true;
        event_del(client->readable);
    }
}

void connection_send(struct connection *client, const char *bytes, size_t length)
{
    if (client->gone)
        return;
    buffer_append(&client->out, bytes, length);
}

static void late_replies(struct connection *client)
{
    while (client->late != NULL && client->late->seq <= client->host->events.stored) {
        struct late_reply *late = client->late;
        client->late = late->next;
        connection_send(client, late->line, strlen(late->line));
        free(late->line);
        free(late);
    }
}

static void pump(struct connection *client)
{
    if (client->gone)
        return;
    late_replies(client);
    connection_events_pump(client);
    connection_flush(client);
    /* The socket took all there was, and there is more: after others had their turn. */
    if (!client->gone && client->out.length == 0 && connection_events_more(client))
        event_active(client->writable, EV_WRITE, 0);
}

void clients_pump(struct host *host)
{
    struct connection *client;

    LIST_FOREACH(client, &host->clients.list, entries)
    {
        pump(client);
    }
}

void clients_notify(struct host *host, const char *method, const char *data, size_t length)
{
    struct connection *client;

    LIST_FOREACH(client, &host->clients.list, entries)
    {
        if (client->gone || !client->screen.on || client->out.length > 0)
            continue;
        buffer_printf(&client->out, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{", method);
        if (length > 0) {
            buffer_append_string(&client->out, "\"data\":");
            json_append_quoted(&client->out, data, length);
        }
        buffer_append_string(&client->out, "}}\n");
        connection_flush(client);
    }
}

static void writable(evutil_socket_t descriptor, short what, void *argument)
{
    struct connection *client = argument;

    (void)descriptor;
    (void)what;
    connection_flush(client);
    if (client->gone || client->out.length > 0)
        return;
    pump(client);
    if (client->paused && client->out.length == 0) {
        client->paused = false;
        event_add(client->readable, NULL);
        event_active(client->readable, EV_READ, 0);
    }
}

/* ---- replies ---- */

static void append_head(struct buffer *out, const json_t *id)
{
    buffer_append_string(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    json_append_value(out, id);
}

void connection_reply(struct connection *client, const json_t *id, const char *result, size_t length)
{
    if (id == NULL || client->gone)
        return;
    append_head(&client->out, id);
    buffer_append_string(&client->out, ",\"result\":");
    buffer_append(&client->out, result, length);
    buffer_append_string(&client->out, "}\n");
}

void connection_reply_error(struct connection *client, const json_t *id, int code, const char *message)
{
    if (id == NULL || client->gone)
        return;
    append_head(&client->out, id);
    buffer_printf(&client->out, ",\"error\":{\"code\":%d,\"message\":", code);
    json_append_quoted(&client->out, message, strlen(message));
    buffer_append_string(&client->out, "}}\n");
}

void connection_reply_late(struct connection *client, const json_t *id, const char *result, size_t length,
                           uint64_t seq)
{
    struct late_reply *late, **last = &client->late;
    struct buffer line;

    if (id == NULL)
        return;
    buffer_init(&line);
    append_head(&line, id);
    buffer_append_string(&line, ",\"result\":");
    buffer_append(&line, result, length);
    buffer_append_string(&line, "}\n");
    late = xcalloc(1, sizeof *late);
    late->seq = seq;
    late->line = buffer_steal(&line);
    while (*last != NULL)
        last = &(*last)->next;
    *last = late;
    late_replies(client);
}

/* ---- input ---- */

static void take_lines(struct connection *client)
{
    enum line_result result;
    char *line;
    size_t length;

    while (!client->gone && !client->paused &&
           (result = line_reader_next(&client->reader, &line, &length)) != LINE_MORE) {
        if (result == LINE_COMPLETE)
            methods_line(client, line, length);
        else
            methods_line_too_long(client);
        if (client->out.length - client->out_done > OUT_PAUSE)
            connection_flush(client);
    }
    connection_flush(client);
}

static void readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct connection *client = argument;

    (void)what;
    /* Lines that were left when the client was paused. */
    take_lines(client);
    for (int i = 0; i < READS_A_WAKE && !client->gone && !client->paused; i++) {
        size_t room;
        char *space = line_reader_space(&client->reader, &room);
        ssize_t got = recv(descriptor, space, room, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            break;
        if (got <= 0) {
            connection_drop(client);
            break;
        }
        line_reader_added(&client->reader, (size_t)got);
        take_lines(client);
        if ((size_t)got < room)
            break;
    }
}

/* ---- subscription, views ---- */

void connection_subscribe(struct connection *client, json_t *types, uint64_t since, bool screen)
{
    struct clients *clients = &client->host->clients;

    json_decref(client->types);
    client->types = types;
    client->subscribed = true;
    client->next_seq = since + 1;
    if (client->screen.on)
        clients->screens--;
    client->screen.on = false;
    if (screen) {
        screen_start(&client->screen);
        clients->screens++;
    }
    resources_wake(client->host);
}

void connection_typed(struct connection *client)
{
    client->view.typed = ++client->host->clients.order;
    clients_choose_size(client->host);
}

void connection_viewed(struct connection *client, int cols, int rows)
{
    view_clamp(&cols, &rows);
    client->view.cols = cols;
    client->view.rows = rows;
    client->view.viewed = ++client->host->clients.order;
    clients_choose_size(client->host);
}

void clients_choose_size(struct host *host)
{
    struct clients *clients = &host->clients;
    struct view views[CLIENTS_MAX];
    struct connection *client;
    int64_t due;
    size_t count = 0;
    int cols, rows;

    if (json_member_bool(host->session.start, "size_fixed", 0))
        return;
    LIST_FOREACH(client, &clients->list, entries)
    {
        if (!client->gone && count < CLIENTS_MAX)
            views[count++] = client->view;
    }
    if (!view_choose(views, count, &cols, &rows))
        return;
    due = clients->resized_at + VIEW_INTERVAL_NS - host_now_ns();
    if (due > 0) {
        host_timer(clients->resize, due);
        return;
    }
    if (host->attempt.terminal != NULL &&
        (terminal_cols(host->attempt.terminal) != cols || terminal_rows(host->attempt.terminal) != rows)) {
        clients->resized_at = host_now_ns();
        attempt_resize(host, cols, rows);
    }
}

static void resize_due(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    clients_choose_size(argument);
}

static void screen_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct connection *client = argument;

    (void)descriptor;
    (void)what;
    frames_update(client->host);
}

/* ---- coming and going ---- */

static void connection_destroy(struct connection *client)
{
    struct clients *clients = &client->host->clients;

    LIST_REMOVE(client, entries);
    clients->count--;
    if (client->screen.on)
        clients->screens--;
    event_free(client->readable);
    event_free(client->writable);
    close(client->descriptor);
    line_reader_finish(&client->reader);
    buffer_finish(&client->out);
    screen_finish(&client->screen);
    json_decref(client->types);
    while (client->late != NULL) {
        struct late_reply *late = client->late;
        client->late = late->next;
        free(late->line);
        free(late);
    }
    free(client);
}

static void sweep(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct connection *client, *next;

    (void)descriptor;
    (void)what;
    LIST_FOREACH_SAFE(client, &host->clients.list, entries, next)
    {
        if (client->gone)
            connection_destroy(client);
    }
    clients_choose_size(host);
    host_consider_leaving(host);
}

static void connection_create(struct host *host, int descriptor)
{
    struct connection *client = xcalloc(1, sizeof *client);

    client->host = host;
    client->descriptor = descriptor;
    line_reader_init(&client->reader);
    buffer_init(&client->out);
    client->readable = event_new(host->loop, descriptor, EV_READ | EV_PERSIST, readable, client);
    client->writable = event_new(host->loop, descriptor, EV_WRITE, writable, client);
    client->screen.timer = evtimer_new(host->loop, screen_due, client);
    event_add(client->readable, NULL);
    LIST_INSERT_HEAD(&host->clients.list, client, entries);
    host->clients.count++;
    host_consider_leaving(host);
}

static void refuse(int descriptor, const struct error *error)
{
    struct buffer line;

    buffer_init(&line);
    buffer_printf(&line, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":%d,\"message\":", error->code);
    json_append_quoted(&line, error->text, strlen(error->text));
    buffer_append_string(&line, "}}\n");
    (void)send(descriptor, line.bytes, line.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    buffer_finish(&line);
    close(descriptor);
}

static void accepting(evutil_socket_t listener, short what, void *argument)
{
    struct host *host = argument;
    struct error error;

    (void)what;
    for (;;) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor < 0)
            return;
        if (host->clients.count >= CLIENTS_MAX) {
            error_set(&error, "%d clients are connected already", CLIENTS_MAX);
            error.code = 3;
            refuse(descriptor, &error);
        } else if (peer_check(host, descriptor, &error) < 0) {
            log_warning("a connection was refused: %s", error.text);
            refuse(descriptor, &error);
        } else {
            connection_create(host, descriptor);
        }
    }
}

static char *socket_name(const struct host *host)
{
    return xasprintf("%s.sock", host->uuid);
}

int clients_open(struct host *host, struct error *error)
{
    struct clients *clients = &host->clients;
    char *name = socket_name(host);

    LIST_INIT(&clients->list);
    clients->listener = local_socket_listen(host->runtime_dir, name, error);
    free(name);
    if (clients->listener < 0)
        return -1;
    clients->accepting = event_new(host->loop, clients->listener, EV_READ | EV_PERSIST, accepting, host);
    clients->sweep = evtimer_new(host->loop, sweep, host);
    clients->resize = evtimer_new(host->loop, resize_due, host);
    return 0;
}

void clients_admit(struct host *host)
{
    event_add(host->clients.accepting, NULL);
}

static int listen_again(struct host *host, const char *name, struct error *error)
{
    char *folder = path_runtime_dir(error); /* made when it is gone */
    int listener = folder == NULL ? -1 : local_socket_listen(host->runtime_dir, name, error);

    free(folder);
    return listener;
}

void clients_bind_again(struct host *host)
{
    struct clients *clients = &host->clients;
    char *name = socket_name(host), *path = path_join(host->runtime_dir, name);
    bool admitted = event_pending(clients->accepting, EV_READ, NULL);
    struct error error;
    int listener = access(path, F_OK) == 0 ? -1 : listen_again(host, name, &error);

    if (listener >= 0) {
        event_free(clients->accepting);
        close(clients->listener);
        clients->listener = listener;
        clients->accepting = event_new(host->loop, listener, EV_READ | EV_PERSIST, accepting, host);
        if (admitted)
            clients_admit(host);
    } else if (access(path, F_OK) != 0) {
        log_warning("%s", error.text);
    }
    free(path);
    free(name);
}

void clients_close(struct host *host)
{
    struct clients *clients = &host->clients;
    char *name = socket_name(host), *path = xasprintf("%s/%s", host->runtime_dir, name);

    (void)unlink(path);
    free(path);
    free(name);
    while (!LIST_EMPTY(&clients->list)) {
        connection_flush(LIST_FIRST(&clients->list));
        connection_destroy(LIST_FIRST(&clients->list));
    }
    event_free(clients->accepting);
    event_free(clients->sweep);
    event_free(clients->resize);
    close(clients->listener);
}
