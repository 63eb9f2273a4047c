#include "host/headless.h"

#include <event2/event.h>
#include <string.h>

#include "base/json.h"
#include "host/ending.h"
#include "host/host.h"
#include "host/login_check.h"

#define KEPT "last_outcome"
#define STREAM_SETTLE_MS 300
#define TERMINAL_SETTLE_MS 2000
#define AGAIN_MS 1000
#define LEAVE_MS 2000
#define GRACE_MS 2000

static bool is_headless(const struct host *host)
{
    return json_member_bool(host->session.start, "headless", 0) && strcmp(host->driver->name, "command") != 0;
}

/* Of the last turn of this attempt; NULL: none has ended. */
static const char *last_outcome(const struct host *host)
{
    const json_t *kept = session_kept(&host->session, KEPT);

    return json_member_integer(kept, "attempt", 0) == host->attempt.number
               ? json_member_string(kept, "outcome", NULL)
               : NULL;
}

static bool goes_on(struct host *host)
{
    const struct retrying *retrying = &host->retrying;

    return host->activity.turn.open || host->delivery.stage != DELIVERY_NONE ||
           prompt_queue_first(&host->delivery.queue) != NULL || retrying->decided || retrying->rotating ||
           retrying->respawn || retrying->turn != 0 || host->retry_wanted != 0 || login_check_runs(host) ||
           host->attempt.replaying || !attempt_running(&host->attempt);
}

static enum phase phase_of(const char *outcome)
{
    enum phase phase = phase_parse(outcome);

    return phase < PHASE_COUNT && phase_is_end(phase) ? phase : PHASE_COMPLETED;
}

/* An agent whose input ends leaves by itself. */
static void ask_to_leave(struct host *host)
{
    host->headless.leaving = true;
    stream_close(host);
    host_timer(host->headless.timer, LEAVE_MS * INT64_C(1000000));
}

static void due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    const char *outcome = last_outcome(host);

    (void)descriptor;
    (void)what;
    if (host->headless.leaving) {
        host->headless.leaving = false;
        ending_go_on(host, GRACE_MS);
        return;
    }
    if (host->activity.turn.open || host->attempt.ending || host->attempt.over)
        return;
    if (outcome == NULL || goes_on(host)) {
        host_timer(host->headless.timer, AGAIN_MS * INT64_C(1000000));
        return;
    }
    ending_done(host, phase_of(outcome));
    if (stream_spoken(host))
        ask_to_leave(host);
    else
        ending_go_on(host, GRACE_MS);
}

static void look_later(struct host *host)
{
    int64_t ms = stream_spoken(host) ? STREAM_SETTLE_MS : TERMINAL_SETTLE_MS;

    host_timer(host->headless.timer, ms * 1000000);
}

void headless_init(struct host *host)
{
    host->headless.timer = evtimer_new(host->loop, due, host);
    /* Of an attempt that is taken over. */
    if (is_headless(host) && json_is_object(session_kept(&host->session, KEPT)))
        look_later(host);
}

void headless_finish(struct host *host)
{
    event_free(host->headless.timer);
}

void headless_turn_ended(struct host *host, const char *outcome)
{
    if (!is_headless(host))
        return;
    session_keep(host, KEPT, json_pack("{si ss}", "attempt", (int)host->attempt.number, "outcome", outcome));
    look_later(host);
}
