/*
 * What host and keeper say to each other over a SOCK_SEQPACKET pair, one message a packet, frozen at version 1
 * because a running keeper is never upgraded. Every packet is a `struct keeper_message`, followed by `length`
 * bytes of payload; descriptors travel beside FDS as SCM_RIGHTS. All integers are in the machine's order.
 *
 *   keeper -> host  HELLO   {session uuid, keeper version}; first, to every new host
 *                   FDS     answer to SPAWN, and once more to every new host while an attempt has not been
 *                           released: payload struct keeper_attempt; descriptors: PTY master, the ring of the PTY,
 *                           then in stream mode stdin, stdout, stderr and the rings of stdout and stderr
 *                   WRITE   {id}: everything up to this id has been written whole. With error set (EAGAIN: input full,
 *                           EIO: the terminal is gone, ECANCELED: the attempt ended) this id was not written
 *                   EXITED  the leader was reaped: payload struct keeper_exit. Repeated to every new host
 *   host -> keeper  READY   the host serves its socket; a host that does not say so within 10 s is replaced
 *                   SPAWN   start an attempt: payload struct keeper_spawn and its strings
 *                   WRITE   {id, channel}: payload is written whole, in order
 *                   SIGNAL  {value: signal}: to the foreground process group of the PTY
 *                   END     {value: grace in ms}: INT, after grace TERM, after grace KILL to all descendants but the host;
 *                           without an attempt running it ends leftovers. EXITED with KEEPER_EXIT_ALL_GONE follows
 *
 * The keeper ends when its host has exited with status 0 and no descendant is left.
 */
#ifndef BASE_KEEPER_PROTOCOL_H
#define BASE_KEEPER_PROTOCOL_H

#include <stdint.h>

#define KEEPER_PROTOCOL_VERSION 1
/* Largest packet, header included. A prompt is at most 100 KiB and an environment 64 KiB. */
#define KEEPER_PACKET_MAX (192 * 1024)
/* Bytes the keeper holds for a terminal or pipe that does not read; more is refused with EAGAIN. */
#define KEEPER_INPUT_MAX (160 * 1024)
/* The descriptor on which a host finds the socket to its keeper. */
#define KEEPER_HOST_FD 3

enum keeper_type {
    KEEPER_HELLO = 1,
    KEEPER_FDS,
    KEEPER_SPAWN,
    KEEPER_WRITE,
    KEEPER_SIGNAL,
    KEEPER_END,
    KEEPER_EXITED,
    KEEPER_READY,
};

enum keeper_channel { KEEPER_CHANNEL_PTY, KEEPER_CHANNEL_STDIN };

struct keeper_message {
    uint16_t version; /* KEEPER_PROTOCOL_VERSION */
    uint16_t type;    /* enum keeper_type */
    uint32_t length;  /* bytes of payload */
    uint64_t id;      /* WRITE */
    uint32_t attempt; /* counts from 1; 0: none */
    int32_t channel;  /* WRITE: enum keeper_channel */
    int32_t value;    /* SIGNAL: the signal. END: grace in ms */
    int32_t error;    /* FDS: errno of a failed exec, 0 when the agent runs. WRITE answer: errno or 0 */
};

struct keeper_attempt {
    uint32_t attempt;
    int32_t pid;         /* the agent; 0 when exec failed */
    int32_t stream_mode; /* 1: seven descriptors, 0: two */
    int32_t exec_step;   /* when error is set: 'e' exec, 'd' working folder, 'p' PTY or pipes, 'f' fork */
    uint64_t last_write; /* highest WRITE id completed in this attempt */
    int64_t started_ms;  /* CLOCK_REALTIME */
};

enum {
    KEEPER_EXIT_LEADER = 1,   /* status holds the leader's wait status */
    KEEPER_EXIT_ALL_GONE = 2, /* no descendant but the host is left */
};

struct keeper_exit {
    uint32_t attempt;
    int32_t status; /* as from waitpid */
    uint32_t flags;
    uint32_t padding;
    int64_t at_ms; /* CLOCK_REALTIME of the reaping */
};

/*
 * Followed by NUL-terminated strings: the working folder, `arguments` argv strings, `unset` names to remove from the
 * keeper's own environment, `set` strings NAME=VALUE to add to it.
 */
struct keeper_spawn {
    uint32_t arguments;
    uint32_t unset;
    uint32_t set;
    uint16_t cols;
    uint16_t rows;
    int32_t stream_mode;
    int32_t padding;
};

#endif
