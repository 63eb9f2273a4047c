/*
 * One run of the agent: its terminal, read into the ring and parsed at once, until its leader was reaped and
 * nothing more comes.
 */
#ifndef HOST_ATTEMPT_H
#define HOST_ATTEMPT_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/phase.h"
#include "base/error.h"
#include "base/keeper_protocol.h"
#include "host/ring.h"
#include "term/terminal.h"
#include "term/transcript_lines.h"

struct host;

struct attempt {
    uint32_t number; /* 0: none was spawned yet */
    pid_t pid;
    int pty; /* -1: none */
    struct ring *ring;
    struct terminal *terminal; /* stays after the end, until the next attempt */
    struct event *readable;
    int64_t started_ms; /* wall clock */
    int64_t started_ns; /* monotonic */
    bool replaying;     /* a restarted host rebuilds the screen: no answers, no events */
    bool waiting;       /* for room in the ring, or for somebody to open the terminal */
    bool reaped;        /* the leader has ended, with `status` */
    bool over;          /* and its output was read to the end */
    bool all_gone;      /* no process of it is left */
    bool told;          /* its keeper was told to end, as when the machine goes down */
    bool ending;        /* by a person's wish, as `ending_phase` */
    enum phase ending_phase;
    int status;
    int64_t exited_ms;
    int64_t rang_at; /* monotonic ns, of the last bell that was told */
    struct transcript_lines transcribed;
    uint64_t limited_turn; /* whose limit the recording has a marker of, plus 1; 0: none */
    uint64_t checkpointed; /* stream position of the last checkpoint */
    size_t scrollback_lines;
};

/* The attempt has begun, or a new host takes it over: `descriptors` are from FDS and taken. Returns 0, or -1
 * and the error when the ring or the terminal is unusable. */
int attempt_begin(struct host *host, const struct keeper_attempt *told, int pty, int ring, bool taken_over,
                  struct error *error);
/* The colours that clients have told are what programs are answered. */
void attempt_colours(struct host *host);
/* Ends reading and frees what it holds. The recorder must be done with the ring. */
void attempt_finish(struct host *host);

/* The agent's process runs. */
bool attempt_running(const struct attempt *attempt);
/* Bytes of output parsed so far. */
uint64_t attempt_position(const struct attempt *attempt);
/* Nanoseconds since the attempt's start. */
int64_t attempt_time(const struct attempt *attempt);
/* The leader was reaped. */
void attempt_exited(struct host *host, int status, int64_t at_ms);
/* Parses a slice of output; within a replay nothing else happens. */
void attempt_parse(struct host *host, const char *bytes, size_t length);
/* Sets the terminal's size. */
void attempt_resize(struct host *host, int cols, int rows);
/* A marker in the recording. */
void attempt_marker(struct host *host, const char *label);
/* What the host itself draws, in stream mode. Returns how many bytes were taken; stream_resume is called when there is
 * room for the others. */
size_t attempt_draw(struct host *host, const char *bytes, size_t length);
/* A ring is full until the recorder has made room in it. */
void attempt_wait(struct host *host);
/* Looks again whether the attempt is over. */
void attempt_look(struct host *host);
/* The recorder made room in the ring. */
void attempt_resume(struct host *host);
/* Hands scrollback lines to the transcript when many wait; `last`: everything and the screen. */
void attempt_transcribe(struct host *host, bool last);
/* However few wait. */
void attempt_transcribe_waiting(struct host *host);
/* A checkpoint, when the stream has moved far enough (with `quiet`: at all) and is between sequences. */
void attempt_checkpoint(struct host *host, bool quiet);
/* Options for a terminal of this session. */
struct terminal_options attempt_options(struct host *host, int cols, int rows);

#endif
