/*
 * A session's host: everything it holds, and its life. main.c makes one, host.c wires the modules and decides
 * when it ends; each module keeps its own part and reaches the others through here.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/driver.h"
#include "agent/rules.h"
#include "base/agent_catalogue.h"
#include "base/error.h"
#include "base/mask.h"
#include "base/name.h"
#include "config/config.h"
#include "host/activity.h"
#include "host/approvals.h"
#include "host/attempt.h"
#include "host/before_start.h"
#include "host/cancel.h"
#include "host/clients.h"
#include "host/coalesce.h"
#include "host/delivery.h"
#include "host/events.h"
#include "host/frames.h"
#include "host/headless.h"
#include "host/hooks.h"
#include "host/keeper_link.h"
#include "host/permit.h"
#include "host/progress.h"
#include "host/recorder.h"
#include "host/recordings.h"
#include "host/resources.h"
#include "host/retrying.h"
#include "host/session.h"
#include "host/session_timer.h"
#include "host/side_files.h"
#include "host/stream.h"
#include "host/turn_timer.h"
#include "host/typing.h"

struct host {
    char uuid[UUID_SIZE];
    char *state_dir, *runtime_dir;
    int session_dir;
    int lock; /* the session's, held by a host that outlives its keeper; or -1 */
    struct event_base *loop;
    struct config *config;
    const struct agent_driver *driver;
    const struct agent_entry *agent;
    struct rules *rules;
    struct event *rules_watch; /* the folder of the user's own rules */
    char rules_problem[512];   /* why they could not be used, until it was said */
    struct mask *mask;         /* the credentials that the host knows (host/secrets.h); NULL: none */
    struct recorder *recorder;
    struct keeper_link *keeper;
    struct session session;
    struct events events;
    struct coalesce coalesce;
    struct progress progress;
    struct watch *watch; /* of the working folder; NULL before the first turn */
    struct clients clients;
    struct hooks hooks;
    struct side_files *side_files; /* NULL: the agent has none */
    struct before_start before_start;
    struct attempt attempt;
    struct activity activity;
    struct turn_timer turn_timer;
    struct session_timer session_timer;
    struct headless headless;
    struct resources resources;
    struct typing typing;
    struct delivery delivery;
    struct cancel cancel;
    struct ledger_link *ledger;
    struct event *usage_late; /* the second look at what a turn used */
    struct permit permit;
    struct retrying retrying;
    struct login_check *login_check; /* NULL: none runs */
    struct stream stream;
    uint64_t logged_offset;  /* "off" of the last event that a host before wrote, */
    uint32_t logged_attempt; /* and its attempt */
    struct approvals approvals;
    struct frames frames;
    struct event *news;     /* from the recorder */
    struct event *linger;   /* the end of a host that nobody talks to */
    struct event *flush;    /* output that waits to be recorded */
    struct event *stall;    /* the disk does not keep up */
    struct event *mend;     /* whether a disk that refused can be written again */
    char disk_problem[256]; /* why files of the session cannot be written; "" when they can */
    uint64_t lost;          /* bytes missing from the recording that no event told of yet */
    uint64_t told;          /* bytes that event number told_seq speaks of, which is not in events.jsonl yet */
    uint64_t told_seq;      /* 0: it is */
    struct event *quiet;    /* a checkpoint after a while without output */
    struct event *signals[3];
    uint32_t retry_wanted;    /* attempt to spawn once nothing of the last one is left; 0: none */
    int64_t output_at;        /* monotonic ns, of the last output */
    bool compacted;           /* since the last output */
    bool failed;              /* the keeper shall start another host */
    bool handing_over;        /* as a person asked for (host/handover.h) */
    char config_problem[512]; /* why the configuration could not be used, until it was said */
};

/* Milliseconds and nanoseconds of the monotonic clock. */
int64_t host_now_ms(void);
int64_t host_now_ns(void);
/* (Re)starts a one-shot timer. */
void host_timer(struct event *timer, int64_t ns);

/* Builds everything for the session in SESSION_DIR and talks to the keeper on KEEPER_HOST_FD. NULL and the
 * error when the session cannot be served. */
struct host *host_create(const char *uuid, const char *session_dir, struct error *error);
/* Runs until the session is over. Returns the exit status. */
int host_run(struct host *host);
void host_destroy(struct host *host);

/* After anything that may begin or end the time without clients. */
void host_consider_leaving(struct host *host);
/* After output was parsed or the screen changed: frames, then the recording. */
void host_output(struct host *host);
/* What waits for the recording is written, after a moment. */
void host_flush_soon(struct host *host);
/* A warning that clients see, and a line in host.log. */
void host_warn(struct host *host, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
