#include "host/session_timer.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "host/ending.h"
#include "host/host.h"
#include "host/observe.h"

#define KEPT "deadline_ms" /* monotonic */
#define AGAIN_MS 200       /* until a running attempt is taken over */

static double allowed_s(const struct host *host)
{
    return json_member_number(host->session.start, "timeout_s", 0);
}

static int64_t deadline_ms(const struct host *host)
{
    return json_integer_value(session_kept(&host->session, KEPT));
}

static void wait_ms(struct host *host, int64_t ms)
{
    host_timer(host->session_timer.timer, ms * 1000000);
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    char elapsed[16], text[128];

    (void)descriptor;
    (void)what;
    if (deadline_ms(host) == 0)
        return;
    if (host->attempt.number == 0 || host->attempt.replaying) {
        wait_ms(host, AGAIN_MS);
        return;
    }
    clock_format_duration_ms((int64_t)(allowed_s(host) * 1000), elapsed, sizeof elapsed);
    (void)snprintf(text, sizeof text, "the session has taken %s, as long as it may (--timeout)", elapsed);
    log_warning("%s", text);
    observe_agent(host, EVIDENCE_PROCESS,
                  &(struct observation){
                      .kind = OBSERVED_ERROR, .name = "timeout", .outcome = "session_timeout", .text = text});
    ending_session(host, PHASE_TIMEOUT, (int)(config_number(host->config, "timeouts.cancel_grace_s") * 1000));
}

void session_timer_init(struct host *host)
{
    host->session_timer.timer = evtimer_new(host->loop, timer_fired, host);
    /* What a session that was lost had left counts no more. */
    if (host->activity.reported == PHASE_LOST)
        session_timer_end(host);
    else if (deadline_ms(host) != 0)
        wait_ms(host, deadline_ms(host) - host_now_ms());
}

void session_timer_finish(struct host *host)
{
    event_free(host->session_timer.timer);
}

void session_timer_begin(struct host *host)
{
    if (allowed_s(host) <= 0 || deadline_ms(host) != 0)
        return;
    session_keep(host, KEPT, json_integer(host_now_ms() + (int64_t)(allowed_s(host) * 1000)));
    wait_ms(host, deadline_ms(host) - host_now_ms());
}

void session_timer_end(struct host *host)
{
    session_keep(host, KEPT, json_null());
    event_del(host->session_timer.timer);
}
