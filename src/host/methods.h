/*
 * The methods of the protocol: one table of what can be called, requests in, answers out. Whatever a client
 * sends gets an answer and changes nothing else.
 */
#ifndef HOST_METHODS_H
#define HOST_METHODS_H

#include <jansson.h>
#include <stddef.h>

#include "base/buffer.h"

struct connection;
struct host;

struct call {
    struct host *host;
    struct connection *client;
    const json_t *params; /* an object; NULL when there are none */
    const json_t *id;     /* NULL: a notification */
    struct buffer result; /* JSON text; empty counts as {} */
    uint64_t after;       /* the answer waits for this event; 0: it does not */
    const char *message;  /* of an error */
    char text[640];       /* room for a message */
};

struct method {
    const char *name;
    /* 0, or the enum rpc_code of a failure with `message` set. */
    int (*run)(struct call *call);
};

/* One line from a client; it is changed in place. */
void methods_line(struct connection *client, char *line, size_t length);
void methods_line_too_long(struct connection *client);

int call_fail(struct call *call, int code, const char *message);
/* Refuses a parameter that is given and is not of this type: JSON_STRING, JSON_INTEGER, or JSON_TRUE for either truth value.
 * Returns 0 or the code. */
int call_expect(struct call *call, const char *key, json_type type);

/* methods_session.c */
int method_session_get(struct call *call);
int method_session_subscribe(struct call *call);
int method_session_prompt(struct call *call);
int method_session_cancel(struct call *call);
int method_session_retry(struct call *call);
int method_session_kill(struct call *call);
int method_session_rename(struct call *call);
int method_session_approve(struct call *call);
int method_session_upgrade(struct call *call);
/* What is wrong with the text of a prompt, from prompt_text_check. Returns the code. */
int call_refuse_text(struct call *call, int code);
/* methods_queue.c */
int method_session_queue(struct call *call);
/* methods_why.c */
int method_session_why(struct call *call);
/* methods_input.c */
int method_session_input(struct call *call);
int method_session_keys(struct call *call);
int method_session_paste(struct call *call);
int method_session_view(struct call *call);
/* methods_screen.c */
int method_screen_get(struct call *call);
int method_screen_ack(struct call *call);
int method_scrollback_get(struct call *call);
int method_scrollback_search(struct call *call);

#endif
