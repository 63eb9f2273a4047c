/*
 * The keeper: one a session, tiny, links libc alone. It forks, signals and reaps the agent, keeps its descriptors and
 * restarts the host (base/keeper_protocol.h). It never reads what the agent prints, and nothing may make it block or
 * end: every descriptor it reads or writes is non-blocking, and a failure is an answer to the host.
 * Times are CLOCK_MONOTONIC milliseconds; a moment that does not come is KEEPER_NEVER.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/keeper_protocol.h"

#define KEEPER_NEVER INT64_MAX

struct packet {
    struct packet *next;
    size_t written; /* bytes of the payload that went out */
    struct keeper_message message;
    char payload[];
};

struct queue {
    struct packet *first, *last;
    size_t bytes; /* of packets, headers included */
};

struct host {
    pid_t pid;  /* 0: none runs */
    int socket; /* -1: none, or the host closed its end */
    int64_t started;
    int64_t kill_at;    /* no READY by then, or asked to leave and still here */
    int64_t restart_at; /* while none runs */
    unsigned hosts;     /* started so far */
    unsigned failures;  /* in a row, each soon after its start */
    int last_status;
    bool ready; /* this one said so, */
    bool ever_ready;
    bool unproven; /* the first after a hand-over: it has one try */
    bool done;     /* exited with status 0: no other one is started */
    struct queue out;
};

struct attempt {
    uint32_t number; /* 0: none since the start or the last failed SPAWN */
    pid_t leader;    /* 0: none, or reaped */
    int fds[KEEPER_DESCRIPTORS];
    int slave;     /* held in stream mode, where nobody else may have it open; else -1 */
    int exec_pipe; /* open until exec succeeded or failed; else -1 */
    bool keep_children;
    struct keeper_attempt answer;
    struct keeper_exit exit;
    struct queue input[2]; /* by enum keeper_channel */
};

enum ending_stage { ENDING_NONE, ENDING_INTERRUPT, ENDING_TERMINATE, ENDING_KILL };

struct ending {
    enum ending_stage stage;
    int64_t next; /* when the stage changes or its signal is repeated */
    int64_t grace;
    unsigned rounds; /* of KILL */
};

struct keeper {
    const char *uuid;
    const char *host_path;
    const char *session_dir;
    int kept_host; /* the host's executable as it was when the session started */
    int ready;     /* pipe to the starter, until told; else -1 */
    int lifeline;  /* pipe that closes when the session shall end with its starter; else -1 */
    bool forsaken; /* it has closed */
    mode_t user_umask;
    bool told;    /* by a signal, to end */
    bool leaving; /* ends when nothing is left */
    bool quit;
    int exit_code;
    struct host host;
    struct attempt attempt;
    struct ending ending;
};

/* ---- main.c ---- */
int64_t keeper_now(void);
int64_t keeper_realtime(void);
/* Tells the starter, once: "ok KEEPER HOST", or "error TEXT" when text is not NULL. */
void keeper_report(struct keeper *keeper, const char *text);
/* In a child: default signals, none blocked. */
void keeper_reset_signals(void);

/* ---- host.c ---- */
void host_start(struct keeper *keeper);
/* Queues a message (never blocks); dropped when no host is there to get it. */
void host_send(struct keeper *keeper, const struct keeper_message *message, const void *payload);
void host_flush(struct keeper *keeper);
/* The starter is gone: nothing when there is no host, or it is not. */
void host_tell_forsaken(struct keeper *keeper);
/* Handles one message. False when there is none. */
bool host_receive(struct keeper *keeper);
void host_reaped(struct keeper *keeper, int status);
void host_tick(struct keeper *keeper, int64_t now);
/* Asks the host to leave; without one the keeper quits. */
void host_dismiss(struct keeper *keeper);

/* ---- attempt.c ---- */
void attempt_init(struct attempt *attempt);
void attempt_spawn(struct keeper *keeper, const struct packet *packet);
/* The exec pipe speaks: the agent runs, or it could not be started. */
void attempt_launched(struct keeper *keeper);
void attempt_leader_reaped(struct keeper *keeper, int status);
/* FDS and EXITED as far as they are known. */
void attempt_announce(struct keeper *keeper);
void attempt_send_exit(struct keeper *keeper);
/* Nothing of it runs. */
void attempt_gone(struct keeper *keeper, bool kept);
void attempt_signal(struct keeper *keeper, int signal);

/* ---- exec.c: the child between fork and exec ---- */
struct launch {
    const char *folder;
    char **argv, **unset, **set;
};
/* Points into the packet's payload; finish frees the arrays. -1: the packet is malformed. */
int launch_parse(struct launch *launch, const struct packet *packet);
void launch_finish(struct launch *launch);
_Noreturn void launch_run(const struct keeper *keeper, const struct launch *launch, int slave,
                          const int stdio[3], int report);

/* ---- input.c ---- */
/* Takes the packet and frees it. */
void input_take(struct keeper *keeper, struct packet *packet);
void input_flush(struct keeper *keeper, int channel);
/* Answers all pending writes with the error. */
void input_cancel(struct keeper *keeper, int error);
void queue_add(struct queue *queue, struct packet *packet);
void queue_drop_first(struct queue *queue);
void queue_clear(struct queue *queue);

/* ---- ending.c ---- */
void ending_start(struct keeper *keeper, int64_t grace);
/* The leader left by itself: HUP and TERM, KILL after 2 s. */
void ending_leftovers(struct keeper *keeper);
/* After children were reaped, and at ending.next. */
void ending_tick(struct keeper *keeper, int64_t now);

/* ---- descendants.c ---- */
struct process {
    pid_t pid, parent, group;
    bool alive, ours;
};
/* Signals (0: only counts) every living descendant but the host and its own, or those of one process group when `group` is
 * not 0. Returns how many there are that this process may signal. */
size_t descendants_signal(const struct keeper *keeper, pid_t group, int signal);

#endif
