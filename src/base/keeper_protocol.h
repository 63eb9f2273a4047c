/*
 * What host and keeper say to each other over a SOCK_SEQPACKET pair, one message a packet, frozen at version 1 because a running
 * keeper is never upgraded; types may be added, and who does not know one passes it over. Every packet is a `struct
 * keeper_message`, followed by `length` bytes of payload; descriptors travel beside FDS as SCM_RIGHTS. All integers are in the
 * machine's order.
 *
 * From the keeper to the host:
 *
 * - HELLO: payload struct keeper_hello; first, to every new host. `attempt` is not 0 when FDS follows.
 *
 * - FDS: answer to SPAWN, and once more to every new host until the next SPAWN: payload struct keeper_attempt; descriptors: enum
 *   keeper_descriptor, two, or seven in stream mode; none when error is set.
 *
 * - WRITE {id, channel}: everything up to this id on this channel has been written whole. With error set this id was not
 *   written: EAGAIN: input full, EIO: the terminal or pipe is gone, ECANCELED: no leader is running, EINVAL: no such channel.
 *
 * - EXITED: payload struct keeper_exit: the leader was reaped, or nothing is left. Repeated to every new host.
 *
 * - FORSAKEN: the lifeline of the session has closed: it is being ended with 5 s of grace, as by END. Repeated to every new host.
 *
 * From the host to the keeper:
 *
 * - READY: the host serves its socket; a host that does not say so within 10 s is replaced.
 *
 * - SPAWN {attempt}: start it: payload struct keeper_spawn and its strings. EBUSY while a leader runs or something is being ended.
 *
 * - WRITE {id, channel}: payload is written whole, in order; ids rise. No payload on the stdin channel: the keeper closes its end
 *   of the pipe once what came before is written.
 *
 * - SIGNAL {value: signal}: to the foreground process group of the PTY, else to the leader's.
 *
 * - END {value: grace in ms}: INT to the foreground and the leader's group, after grace TERM, after grace KILL to all descendants
 *   but the host and its children; a repeat only shortens the wait. EXITED with KEEPER_EXIT_ALL_GONE follows, also when nothing
 *   was running.
 *
 * A host that was READY and exits with status 0 is done: the keeper ends what is left and exits. One that exits with
 * KEEPER_HANDOVER_STATUS makes room for the host that is installed: it is no failure, and when that one is not READY, the host that
 * the session started with follows. Any other end of a host gets a new one. SIGTERM to the keeper is END with 5 s, then SIGTERM to
 * the host, which has 5 s to exit; what the agent leaves of itself meanwhile carries KEEPER_EXIT_TOLD.
 */
#ifndef BASE_KEEPER_PROTOCOL_H
#define BASE_KEEPER_PROTOCOL_H

#include <stdint.h>

#define KEEPER_PROTOCOL_VERSION 1
/* Largest packet, header included. A prompt is at most 100 KiB and an environment 64 KiB. */
#define KEEPER_PACKET_MAX (192 * 1024)
/* Bytes, headers included, the keeper holds for a terminal or pipe that does not read; more is refused with
 * EAGAIN. */
#define KEEPER_INPUT_MAX (160 * 1024)
/* The descriptor on which a host finds the socket to its keeper. */
#define KEEPER_HOST_FD 3
#define KEEPER_HANDOVER_STATUS 64

enum keeper_type {
    KEEPER_HELLO = 1,
    KEEPER_FDS,
    KEEPER_SPAWN,
    KEEPER_WRITE,
    KEEPER_SIGNAL,
    KEEPER_END,
    KEEPER_EXITED,
    KEEPER_READY,
    KEEPER_FORSAKEN,
};

/* The order of the descriptors beside FDS; a pipe's end is the host's. */
enum keeper_descriptor {
    KEEPER_DESCRIPTOR_PTY,
    KEEPER_DESCRIPTOR_RING,
    KEEPER_DESCRIPTOR_STDIN,
    KEEPER_DESCRIPTOR_STDOUT,
    KEEPER_DESCRIPTOR_STDERR,
    KEEPER_DESCRIPTOR_STDOUT_RING,
    KEEPER_DESCRIPTOR_STDERR_RING,
    KEEPER_DESCRIPTORS
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

struct keeper_hello {
    char session[40]; /* the session's UUID, NUL-terminated */
    int32_t keeper_pid;
    uint32_t hosts;      /* started so far, this one included: above 1 it replaces another */
    int32_t last_status; /* wait status of the host before; 0 for the first */
    int32_t padding;
};

struct keeper_attempt {
    uint32_t attempt;
    int32_t pid;         /* the agent; 0 when exec failed */
    int32_t stream_mode; /* 1: seven descriptors, 0: two */
    int32_t exec_step;   /* when error is set: 'e' exec, 'd' working folder, 'p' PTY or pipes, 'f' fork, 's'
                            SPAWN */
    uint64_t last_write; /* highest WRITE id completed in this attempt */
    uint64_t accepted_write; /* highest one taken: those between are pending and will be answered */
    uint64_t refused_write;  /* highest one answered with an error */
    int64_t started_ms;      /* CLOCK_REALTIME */
};

enum {
    KEEPER_EXIT_LEADER = 1, /* status holds the leader's wait status */
    KEEPER_EXIT_ALL_GONE =
        2,                /* no descendant but the host is left, or, with KEPT, none that is to be ended */
    KEEPER_EXIT_KEPT = 4, /* children of the agent go on: its environment has GANGER_KEEP_CHILDREN=1 */
    KEEPER_EXIT_TOLD =
        8, /* the keeper was told to end, as when the machine goes down: nobody wished the session's end */
};

struct keeper_exit {
    uint32_t attempt;
    int32_t status; /* as from waitpid */
    uint32_t flags;
    uint32_t padding;
    int64_t at_ms; /* CLOCK_REALTIME of the reaping */
};

/*
 * Followed by NUL-terminated strings: the working folder, `arguments` argv strings, `unset` names to remove
 * from the keeper's own environment, `set` strings NAME=VALUE to add to it. PWD and GANGER_SESSION are set by
 * the keeper. argv[0] is looked up in the PATH that results; no shell is involved.
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
