/*
 * What the agent is doing: feeds the phase machine with what its program, its title, its process and the
 * person's keys say, and follows turns. Every change of phase becomes an event, a marker in the recording and
 * part of the session object.
 */
#ifndef HOST_ACTIVITY_H
#define HOST_ACTIVITY_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/detector.h"
#include "base/buffer.h"
#include "host/typed.h"

struct host;

struct turn {
    uint64_t number; /* of the turn that runs or ran last; counts through the session */
    bool open;
    bool worked; /* the agent was seen working in it */
    bool cancelled;
    bool told;          /* the agent itself said that it ended */
    int64_t changed_ms; /* wall clock, when it began or, unless open, ended; 0: not known */
    char *prompt_id;    /* NULL: begun at the keyboard */
};

#define ACTIVITY_UNKNOWN_MAX 16

struct activity {
    struct detector detector;
    enum phase reported;              /* what clients were told */
    enum phase told_phase;            /* what the agent was in then, behind what ganger waits for */
    enum evidence_source told_source; /* and from which evidence */
    int64_t told_at;
    uint64_t looked_version, looked_epoch; /* of the screen when it was looked at last */
    struct event *timer;                   /* of the phase's debounce */
    struct event *title_timer;             /* a title that waits to be told */
    char *title;                           /* as last told, without a spinner */
    int64_t title_at;                      /* monotonic ms */
    struct turn turn;
    bool strange_said;                   /* that nothing known is shown */
    unsigned subagents;                  /* that run */
    char *unknown[ACTIVITY_UNKNOWN_MAX]; /* kinds of messages not understood, told once each */
    size_t unknown_count;
    int64_t error_ms; /* monotonic, of the last error that the agent told in words; 0: none */
    bool entered;     /* a person typed Enter: what begins then is a conversation */
};

void activity_init(struct host *host);
void activity_finish(struct host *host);
/* A new attempt: no evidence. */
void activity_begin(struct host *host);
/* The agent's process runs. */
void activity_started(struct host *host);
/* It runs since before this host, and its screen is there again: clients are told what is different. */
void activity_taken_over(struct host *host);
/* A host that follows another goes on with the phase that was told last, until anything else is known. */
void activity_resume(struct host *host);
/* The attempt ended as `phase`. */
void activity_end(struct host *host, enum phase phase, const char *detail);

/* Evidence. `quiet`: a replay, nothing is told; call activity_tell afterwards. */
void activity_title(struct host *host, const char *title);
void activity_progress(struct host *host, int state);
void activity_program_status(struct host *host, const char *payload, size_t length);
void activity_prompt_mark(struct host *host, char mark);
void activity_reset(struct host *host);
void activity_output(struct host *host);
void activity_keys(struct host *host, struct typed_keys keys);
void activity_prompt_sent(struct host *host, const char *prompt_id);

/* The agent's own channels, and a source that has no more to say. */
void activity_observe(struct host *host, enum evidence_source source, enum phase phase, bool coarse,
                      const char *detail, int64_t until_ms);
/* The rules of the agent changed. */
void activity_rules(struct host *host);

/* Tells clients what changed since they were told. */
void activity_tell(struct host *host);
/* The records of OSC 7501 as bytes for a checkpoint, and back. */
void activity_save(const struct host *host, struct buffer *out);
void activity_load(struct host *host, const char *bytes, size_t length);

/* May a prompt be typed at this moment, as far as the phase says? */
bool activity_accepts_prompt(const struct host *host);

#endif
