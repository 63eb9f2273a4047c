/*
 * Stream mode: the agent speaks JSON over pipes beside its terminal. What it prints is cut into lines, each line given
 * to the driver's channel (agent/observation.h), and what the channel observed is told (host/observe.h) and drawn into
 * the ring of the terminal as if the agent had drawn it (agent/drawing.h), so that the screen, the recording, the
 * transcript and recovery need not know. A driver without a channel has its lines drawn as they are.
 *
 * What was printed is kept in stream-N.jsonl, at the offset of its position in the stream; a place that could not be
 * written, or was given up for size, is a hole. A host that follows another goes through it to know what the channel
 * and the drawing knew, tells nothing of it, and draws on exactly where the other was killed: the ring's place (struct
 * ring_place) says with which line and where on the terminal the last piece of work began.
 *
 * What goes to the agent's standard input is sent in order, each message by one or more writes of the keeper.
 */
#ifndef HOST_STREAM_H
#define HOST_STREAM_H

#include <event2/event.h>
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

#define STREAM_LINE_MAX (16 * 1024 * 1024) /* longer lines are dropped, and said so */
#define STREAM_FILE_MAX (64 * 1024 * 1024) /* of stream-N.jsonl; above it its middle is given up */
#define STREAM_STDERR_LINE 4096            /* bytes of a line that are told */
#define STREAM_STDERR_LINES 50             /* lines a second that are told */

/* One of the agent's two pipes. */
struct stream_pipe {
    int descriptor; /* -1: none, or at its end */
    struct ring *ring;
    struct event *readable;
    struct buffer line; /* the beginning of a line */
    uint64_t line_at;   /* position at which it begins */
    uint64_t dropping;  /* bytes of a line too long, or cut into, that ends later; 0: none */
};

struct stream_message;
STAILQ_HEAD(stream_messages, stream_message);

struct stream {
    const struct agent_channel *channel; /* NULL: lines are drawn as they are */
    void *state;                         /* of the channel */
    struct drawing *drawing;
    struct stream_pipe out, err;
    struct buffer drawn; /* for the terminal's ring, which is full */
    uint64_t skip;       /* bytes of drawing that a host before has put there */
    uint64_t skip_to;    /* position up to which they are skipped */
    int cols;            /* to draw for; 0: those of the terminal */
    bool quiet;          /* goes through what a host before knew */
    bool told_dropped, told_text;
    int file; /* stream-N.jsonl, or -1 */
    struct stream_messages messages;
    uint64_t last_ticket;
    uint64_t write_id; /* of the write that the keeper has; 0: none */
    struct event *timer;
    int64_t err_second; /* monotonic, in which err_lines were told */
    unsigned err_lines, err_untold;
};

/* Whether the session is one in stream mode, and whether its driver has a channel, too. */
bool stream_mode(const struct host *host);
bool stream_spoken(const struct host *host);

/*
 * The attempt has begun, or was taken over: takes the pipes and rings of `fds` (sets them to -1). After the terminal
 * is there. Nothing when the attempt is not one of stream mode. Returns 0, or -1 and the error.
 */
int stream_begin(struct host *host, int fds[KEEPER_DESCRIPTORS], bool taken_over, struct error *error);
/* The phase machine and the clients are ready: tells the agent what comes first. */
void stream_greet(struct host *host, bool taken_over);
void stream_finish(struct host *host);

/* There is room in the ring of the terminal, or on the disk. */
void stream_resume(struct host *host);
/* The leader has ended: whether everything that it printed is drawn. Asks to be asked again (attempt_exited). */
bool stream_drained(struct host *host);
/* Something waits to be drawn: nothing may be read from the terminal. */
bool stream_draws(const struct host *host);

/* Sends a prompt and draws it. Returns a ticket for delivery_streamed, or 0 when nothing could be sent. */
uint64_t stream_prompt(struct host *host, const char *text);
/* Asks the agent to end its turn. */
void stream_interrupt(struct host *host);
/* Answers a request for approval. 0, or -1 when the agent does not wait for that one or has no such choice. */
int stream_answer(struct host *host, const char *request, const struct approval_answer *answer);
/* The keeper answered a write on the stdin channel. */
void stream_written(struct host *host, uint64_t id, int error);

#endif
