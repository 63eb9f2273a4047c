/*
 * The public protocol in names and numbers: JSON-RPC 2.0, one message a line, over a session's Unix socket.
 * docs/ganger-protocol.7 is the reference; this header is what both ends compile.
 */
#ifndef RPC_PROTOCOL_H
#define RPC_PROTOCOL_H

#define RPC_PROTOCOL 1
#define RPC_LINE_MAX (1024 * 1024) /* bytes of a line, its \n included */
#define RPC_PROMPT_MAX (100 * 1024)
#define RPC_EVENTS_IN_MEMORY 10000

/* Error codes: those of JSON-RPC, then ours. */
enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_NO_HELLO = 1,     /* hello {protocol: 1} must come first */
    RPC_BAD_PROTOCOL = 2, /* the other end speaks another protocol */
    RPC_NOT_ALLOWED = 3,  /* the caller runs inside a session */
    RPC_ENDED = 4,        /* the attempt has ended: retry first */
    RPC_RUNNING = 5,      /* the attempt has not ended */
    RPC_STALE = 6,        /* the approval or the prompt is no longer there */
    RPC_INPUT_FULL = 7,   /* the agent does not read its input */
    RPC_TOO_LARGE = 8,    /* prompt above 100 KiB, line above 1 MiB */
    RPC_BAD_TEXT = 9,     /* NUL or a control byte in a prompt */
    RPC_NOT_FOUND = 10,   /* no such line, attempt, approval */
    RPC_BUSY = 11,        /* not at this moment: ask again */
};

#endif
