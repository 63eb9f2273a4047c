/*
 * Stream mode: the agent speaks JSON over pipes beside its terminal. What it prints is cut into lines, each line given
 * to the driver's channel (agent/observation.h), and what the channel observed is told (host/observe.h) and drawn into
 * the ring of the terminal as if the agent had drawn it (agent/drawing.h), so that the screen, the recording, the
 * transcript and recovery need not know. A driver without a channel has its output drawn as it is.
 *
 * What was printed is kept in stream-N.jsonl, at the offset of its position in the stream; a place that could not be
 * written, or was given up for size, is a hole. A host that follows another goes through it, and through what was said
 * to the agent (session.json), to know what the channel and the drawing knew; it tells nothing of it, and draws on
 * exactly where the other was killed: the place in the ring (struct ring_place) says with which line, and where on the
 * terminal, the last piece of work began.
 */
#ifndef HOST_STREAM_H
#define HOST_STREAM_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "agent/drawing.h"
#include "agent/observation.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/keeper_protocol.h"

struct host;
struct ring;

#define STREAM_LINE_MAX (16 * 1024 * 1024) /* a longer line is dropped, and said so */

/* One of the agent's two pipes. */
struct stream_pipe {
    int descriptor; /* -1: none, or at its end */
    struct ring *ring;
    struct event *readable;
    struct buffer line; /* the beginning of a line */
    uint64_t line_at;   /* position at which it begins */
    uint64_t at;        /* position up to which bytes were taken */
    uint64_t dropping;  /* bytes of a line, too long or not whole, that ends later; 0: none */
    uint64_t released;  /* position up to which the ring may give its memory back */
};

struct stream_message;
STAILQ_HEAD(stream_messages, stream_message);

/* What waits for the agent's standard input: messages, in order, each by one or more writes of the keeper. */
struct stream_input {
    struct stream_messages messages;
    uint64_t last_ticket;
    uint64_t write_id; /* of the write that the keeper has; 0: none */
    size_t in_flight;  /* its bytes */
    struct event *timer;
};

struct stream {
    bool on;
    const struct agent_channel *channel; /* NULL: output is drawn as it is */
    void *state;                         /* of the channel */
    struct drawing *drawing;
    struct stream_pipe out, err;
    struct stream_input input;
    struct buffer drawn; /* for the terminal's ring */
    int cols;            /* to draw for; 0: those of the terminal */
    bool quiet;          /* goes through what a host before drew and sent */
    bool saying;         /* says again what was said, which was told */
    bool in_line;        /* a line of the agent is in work */
    uint64_t told;       /* position up to which a host before told what lines had to say */
    struct {
        bool known;
        enum phase phase;
        int64_t until_ms;
        char *text;
    } last;        /* phase observed while quiet */
    json_t *asked; /* {id: request} that wait for a person, as last observed */
    bool told_text;
    int64_t err_second; /* monotonic, in which err_lines were told */
    unsigned err_lines, err_untold;
};

/* Whether the session is in stream mode, and whether its agent speaks through a channel then. */
bool stream_mode(const struct host *host);
bool stream_spoken(const struct host *host);

/*
 * The attempt has begun, or was taken over, and its terminal is there: takes the pipes and rings of `fds` (sets them to
 * -1). Does nothing when it has none. Returns 0, or -1 and the error.
 */
int stream_begin(struct host *host, int fds[KEEPER_DESCRIPTORS], bool taken_over, struct error *error);
/* Events can be told: says to the agent what comes first, and goes on with what a host before left. `said`: that host
 * had something written to the agent. */
void stream_greet(struct host *host, bool taken_over, bool said);
/* Nothing is read any more. */
void stream_stop(struct host *host);
void stream_finish(struct host *host);

/* There is room in a ring. */
void stream_resume(struct host *host);
/* The agent rests: memory that holds nothing is given back. */
void stream_relax(struct host *host);
/* The disk hangs: what it has not written is given up. */
void stream_drop(struct host *host);
/* The leader has ended: whether everything that it printed is drawn. */
bool stream_drained(struct host *host);
/* Where in the agent's output an event of this type has its cause. */
uint64_t stream_offset(const struct host *host, const char *type);
/* Something waits to be drawn: nothing may be read from the terminal. */
bool stream_draws(const struct host *host);

/* The channel said that the agent is idle, and nothing else since. */
bool stream_idle(const struct host *host);
/* Sends a prompt. Returns a ticket for delivery_streamed, or 0 when nothing was sent. */
uint64_t stream_prompt(struct host *host, const char *text);
/* Asks the agent to end its turn. */
void stream_interrupt(struct host *host);
/* The agent's standard input ends. */
void stream_close(struct host *host);
/* Answers a request for approval. 0, or -1 when the agent does not wait for that one or has no such choice. */
int stream_answer(struct host *host, const char *request, const struct approval_answer *answer);
/* The keeper answered a write on the stdin channel. */
void stream_written(struct host *host, uint64_t id, int error);

/* ---- within the module ---- */
/* stream_input.c */
void stream_input_init(struct host *host);
void stream_input_finish(struct host *host);
/* Whether a prompt of that length is one write, the next one. */
bool stream_writes_at_once(const struct host *host, size_t length);
void stream_input_send(struct host *host, const char *bytes, size_t length);
/* stream_lines.c: takes bytes of a pipe that begin at `position`, and what is left without a line feed at its end. */
void stream_take(struct host *host, struct stream_pipe *from, const char *bytes, size_t length,
                 uint64_t position);
void stream_take_end(struct host *host, struct stream_pipe *from);
struct observer stream_observer(struct host *host);
/* stream_replay.c: what a host before knew, from its files; what it did not tell or draw is told and drawn. */
void stream_replay(struct host *host);
/* Notes in session.json what was said to the agent, for a host that follows. Steals the entry. */
void stream_note_said(struct host *host, json_t *entry);

#endif
