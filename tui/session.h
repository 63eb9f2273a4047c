/*
 * One session as the dashboard knows it: what its object says, the connection to its host, and its screen. The connection
 * comes and goes; the session keeps showing what it last knew. Everything is asynchronous.
 */
#ifndef TUI_SESSION_H
#define TUI_SESSION_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/name.h"
#include "rpc/client.h"
#include "tui/asked.h"
#include "tui/facts.h"
#include "tui/phase.h"
#include "tui/screen.h"

struct ui;
struct session;

enum session_link { LINK_NONE, LINK_GREETING, LINK_UP };

/* An answer: `result` is NULL when there is an `error`, a message for people. */
typedef void (*session_reply)(struct session *session, const json_t *result, const char *error);

struct session_request {
    uint64_t id; /* 0: free */
    session_reply reply;
    int64_t sent_ns;
};
#define SESSION_REQUESTS 32

struct session {
    struct ui *ui;
    char uuid[UUID_SIZE];
    char name[NAME_MAX_LENGTH + 1];
    char *agent, *account, *title, *created_at, *detail; /* never NULL; detail: last_error's message */
    enum phase phase;
    int64_t since_ms, until_ms; /* wall clock; 0: unknown */
    uint32_t attempt;
    struct asked asked;
    struct facts facts;
    bool alive;    /* a keeper holds its lock, or did when we looked */
    bool stored;   /* the screen came from screen.json */
    bool attended; /* it had not ended when this dashboard first saw it, or since: it keeps its pane */
    bool shown;    /* it has a pane, or would with more room */
    bool marked;   /* for a broadcast */
    char retry_account[NAME_MAX_LENGTH + 1]; /* that a retry was asked for */

    enum session_link link;
    struct client *client;
    struct event *readable, *writable, *again, *refresh;
    int backoff_ms;
    struct session_request requests[SESSION_REQUESTS];
    bool screen_wanted, screen_asked; /* shown; subscribed */
    bool connected_once;
    int view_cols, view_rows;   /* what the pane offers; 0: none */
    int asked_cols, asked_rows; /* what was sent */
    unsigned unacknowledged;    /* small frames painted since the last ack */
    struct screen screen;
    int folder_watch; /* inotify; -1: none */
};

struct session *session_create(struct ui *ui, const char *uuid);
void session_destroy(struct session *session);

/* Takes what a session object says. True when something shown has changed. */
bool session_take(struct session *session, const json_t *object);
/* Connects when there is a host; else tries again later as long as the session lives. */
void session_connect(struct session *session);
/* The host's socket has appeared. */
void session_socket_appeared(struct session *session);

/* Whether the screen is shown: hidden sessions cost no screen traffic. */
void session_want_screen(struct session *session, bool wanted);
/* The size of the pane's inside. Sent when it differs from what was. */
void session_want_size(struct session *session, int cols, int rows);
/* The colours of the terminal outside are known now: programs may ask for them. */
void session_tell_colours(struct session *session);

/* Sends a request. `params` is stolen. False when there is no connection, or too many requests wait; then `reply` is
 * not called. `reply` may be NULL. */
bool session_call(struct session *session, const char *method, json_t *params, session_reply reply);
/* Bytes for the program, sent at once. False when there is no connection. */
bool session_input(struct session *session, const void *bytes, size_t length);

#endif
