/*
 * A connection to one session's host, for commands (blocking calls) and for the dashboard (an event loop). The
 * connection is made and hello exchanged by client_connect.
 */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct client;

/* Connects and says hello, waiting at most timeout_ms. NULL and the error when there is no host (error.code ENOENT or
 * ECONNREFUSED) or it speaks another protocol. */
struct client *client_connect(const char *runtime_dir, const char *uuid, int timeout_ms, struct error *error);
/* A client over an existing socket, hello not yet said (tests, proxy). Takes the descriptor. */
struct client *client_over(int descriptor);
void client_destroy(struct client *client);
int client_descriptor(const struct client *client);

/*
 * Calls and waits for the answer; notifications that come meanwhile are kept for client_next. `params` is stolen and may
 * be NULL. Returns the result, which the caller owns, or NULL with the error: error.code is the enum rpc_code of an
 * error answer, or ETIMEDOUT, EPIPE, ….
 */
json_t *client_call(struct client *client, const char *method, json_t *params, int timeout_ms,
                    struct error *error);

/* Waits at most timeout_ms (-1: for ever) for the next notification. Returns 1 and the line (valid until the next call),
 * 0 on time-out, -1 when the connection is gone. */
int client_next(struct client *client, int timeout_ms, char **line, size_t *length, struct error *error);

/* For several requests at once (client_send): writes what is queued and waits until something comes, at most timeout_ms.
 * Returns 1, then client_line has it; 0 on time-out; -1 when the connection is gone. */
int client_wait(struct client *client, int timeout_ms, struct error *error);

/* ---- in an event loop: the caller watches the descriptor ---- */

/* Queues a request and returns its id; `params` is stolen. The answer comes as a line with that id. */
uint64_t client_send(struct client *client, const char *method, json_t *params);
/* Queues raw lines (frame_write_ack, frame_write_input): what the buffer holds, each ending with \n. */
void client_send_lines(struct client *client, const struct buffer *lines);
/* Writes what can be written. Returns 1 when something is left (watch for writing), 0, or -1 when the peer is gone. */
int client_flush(struct client *client);
/* Reads what is there, without blocking. Returns 0, or -1 when the connection is gone. */
int client_receive(struct client *client);
/* The next line received, of any kind. False when there is none. */
bool client_line(struct client *client, char **line, size_t *length);

#endif
