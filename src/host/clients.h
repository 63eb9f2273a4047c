/*
 * Connections to the session's socket: who may connect, lines in, a bounded amount of output, and the events
 * that each subscribed to. A client that does not read gets no frames, its events wait in memory and on disk,
 * and its requests are not read; nothing else slows down.
 */
#ifndef HOST_CLIENTS_H
#define HOST_CLIENTS_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buffer.h"
#include "base/error.h"
#include "host/frames.h"
#include "host/view_size.h"
#include "rpc/line.h"

struct host;

/* A reply that waits until an event is stored. */
struct late_reply {
    uint64_t seq;
    char *line;
    struct late_reply *next;
};

struct connection {
    LIST_ENTRY(connection) entries;
    struct host *host;
    int descriptor;
    struct event *readable, *writable;
    struct line_reader reader;
    struct buffer out;
    size_t out_done; /* bytes of `out` that were written */
    bool hello;
    bool gone;   /* destroyed when the loop comes back */
    bool paused; /* not read from until its output was taken */
    bool subscribed;
    json_t *types;     /* of events it wants; NULL: all */
    uint64_t next_seq; /* of the next event to send */
    struct late_reply *late;
    struct screen screen;
    struct view view;
};

LIST_HEAD(connection_list, connection);

struct clients {
    struct connection_list list;
    int listener;
    struct event *accepting;
    struct event *sweep;
    struct event *resize;
    size_t count;
    size_t screens; /* that look at the screen */
    uint64_t order; /* of views and typing */
    int64_t resized_at;
};

/* Binds RUNTIME_DIR/UUID.sock. Returns 0 or -1 and the error. */
int clients_open(struct host *host, struct error *error);
/* Who connects is kept waiting until then: the attempt is known, so that requests find it. */
void clients_admit(struct host *host);
/* Binds again when the socket's file is gone, as after a log-out that emptied the runtime folder. */
void clients_bind_again(struct host *host);
/* Closes everything and removes the socket. */
void clients_close(struct host *host);

/* Tells those who look at the screen what is no event: `bell` {}, `clipboard` {data: base64}. Left out for who does
 * not read. */
void clients_notify(struct host *host, const char *method, const char *data, size_t length);

/* Sends stored events and late replies. */
void clients_pump(struct host *host);
/* Chooses the terminal's size from the views. */
void clients_choose_size(struct host *host);

/* Appends and sends; connection_flush sends what stands in `out`. */
void connection_send(struct connection *client, const char *bytes, size_t length);
void connection_flush(struct connection *client);
/* A result (JSON text) or an error as the answer to the request with this id; NULL id: nothing. */
void connection_reply(struct connection *client, const json_t *id, const char *result, size_t length);
void connection_reply_error(struct connection *client, const json_t *id, int code, const char *message);
/* The answer goes out once event `seq` is stored. */
void connection_reply_late(struct connection *client, const json_t *id, const char *result, size_t length,
                           uint64_t seq);
/* Closes it soon. */
void connection_drop(struct connection *client);
/* Begins to send the events after `since`. `types` is stolen. */
void connection_subscribe(struct connection *client, json_t *types, uint64_t since, bool screen);
/* The client typed or has another view. */
void connection_typed(struct connection *client);
void connection_viewed(struct connection *client, int cols, int rows);

#endif
