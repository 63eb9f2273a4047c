#include "host/turn_timer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "host/ending.h"
#include "host/host.h"
#include "host/observe.h"

#define KEPT "turn_timer"
#define INTERRUPT_MS 10000 /* that an interrupted turn has to end */
#define AGAIN_MS 1000      /* until the attempt is taken over */

static const char *const over_names[] = {
    [TURN_NOTHING] = "", [TURN_CONNECT_OVER] = "connect", [TURN_WARN] = "", [TURN_OVER] = "hard"};

/* ---- time ---- */

static int64_t age_ms(const struct turn_timer *timer, int64_t now)
{
    int64_t waiting = timer->waits_at == 0 ? 0 : now - timer->waits_at;

    return now - timer->began_ms - timer->waited_ms - waiting;
}

/* `urgent`: what is told next must not be told again by a host that follows. */
static void keep(struct host *host, bool urgent)
{
    const struct turn_timer *timer = &host->turn_timer;

    session_keep(host, KEPT,
                 json_pack("{sI sI sI sI sb si ss sI}", "turn", (json_int_t)host->activity.turn.number,
                           "began_ms", (json_int_t)timer->began_ms, "waited_ms", (json_int_t)timer->waited_ms,
                           "waits_at", (json_int_t)timer->waits_at, "answered", timer->answered, "warned",
                           timer->warned, "over", over_names[timer->over], "over_at",
                           (json_int_t)timer->over_at));
    session_changed(host, urgent);
}

static void wait_ms(struct host *host, int64_t ms)
{
    host_timer(host->turn_timer.timer, ms * 1000000);
}

/* ---- what is due ---- */

static void interrupt(struct host *host)
{
    if (!stream_spoken(host))
        host->activity.turn.cancelled = host->activity.turn.open;
    cancel_begin(host);
}

static void over(struct host *host, enum turn_due due)
{
    struct turn_timer *timer = &host->turn_timer;
    int64_t limit_ms = due == TURN_OVER ? timer->times.hard_ms : timer->times.connect_ms;
    const char *class = due == TURN_OVER ? "timeout" : "connect_timeout";
    char elapsed[16], text[160];

    clock_format_duration_ms(limit_ms, elapsed, sizeof elapsed);
    (void)snprintf(text, sizeof text,
                   due == TURN_OVER ? "the turn has taken %s, as long as it may (timeouts.hard_s)"
                                    : "no sign of an answer within %s (timeouts.connect_s)",
                   elapsed);
    log_warning("%s: it is interrupted", text);
    timer->over = due;
    timer->over_at = host_now_ms();
    keep(host, true);
    observe_agent(
        host, EVIDENCE_PROCESS,
        &(struct observation){.kind = OBSERVED_ERROR, .name = class, .outcome = class, .text = text});
    wait_ms(host, INTERRUPT_MS);
    interrupt(host);
}

static void warn(struct host *host, int64_t age)
{
    char elapsed[16], text[96];

    host->turn_timer.warned++;
    keep(host, true);
    clock_format_duration(age / 1000, elapsed, sizeof elapsed);
    (void)snprintf(text, sizeof text, "the turn has taken %s so far", elapsed);
    log_warning("%s", text);
    (void)events_emit(host, "warning",
                      json_pack("{ss ss sI sf}", "code", "turn_long", "message", text, "turn",
                                (json_int_t)host->activity.turn.number, "age_s", (double)age / 1000));
}

static void give_up(struct host *host)
{
    log_warning("the turn did not end although it was interrupted: the session is ended");
    ending_session(host, PHASE_TIMEOUT, (int)(config_number(host->config, "timeouts.cancel_grace_s") * 1000));
}

/* Does what is due, and waits for what comes next. */
static void look(struct host *host)
{
    struct turn_timer *timer = &host->turn_timer;
    int64_t age = age_ms(timer, host_now_ms()), next;
    enum turn_due due;

    if (!timer->running || timer->over != TURN_NOTHING || timer->waits_at != 0)
        return;
    due = turn_time_due(&timer->times, age, timer->answered, timer->warned, &next);
    if (due == TURN_WARN)
        warn(host, age);
    if (due == TURN_CONNECT_OVER || due == TURN_OVER)
        over(host, due);
    else if (next > 0)
        wait_ms(host, next > age ? next - age : 0);
    else
        event_del(timer->timer);
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct turn_timer *timer = &host->turn_timer;

    (void)descriptor;
    (void)what;
    if (!timer->running || host->attempt.over)
        return;
    if (!attempt_running(&host->attempt) || host->attempt.replaying)
        wait_ms(host, AGAIN_MS);
    else if (timer->over == TURN_NOTHING)
        look(host);
    else if (!host->attempt.ending)
        give_up(host);
}

/* ---- life ---- */

static enum turn_due over_of(const char *name)
{
    if (strcmp(name, over_names[TURN_OVER]) == 0)
        return TURN_OVER;
    return strcmp(name, over_names[TURN_CONNECT_OVER]) == 0 ? TURN_CONNECT_OVER : TURN_NOTHING;
}

/* The host before this one may have been killed before it kept the beginning: then the wall clock says it. */
static void go_on(struct host *host)
{
    const json_t *kept = session_kept(&host->session, KEPT);
    struct turn_timer *timer = &host->turn_timer;
    const struct turn *turn = &host->activity.turn;
    int64_t now = host_now_ms(), age = clock_realtime_ms() - turn->changed_ms;

    timer->running = true;
    timer->began_ms = now - (turn->changed_ms == 0 || age < 0 ? 0 : age);
    if (json_member_integer(kept, "turn", 0) == (int64_t)turn->number &&
        json_member_integer(kept, "began_ms", INT64_MAX) <= now) {
        timer->began_ms = json_member_integer(kept, "began_ms", 0);
        timer->waited_ms = json_member_integer(kept, "waited_ms", 0);
        timer->waits_at = json_member_integer(kept, "waits_at", 0);
        timer->answered = json_member_bool(kept, "answered", 0);
        timer->warned = (int)json_member_integer(kept, "warned", 0);
        timer->over = over_of(json_member_string(kept, "over", ""));
        timer->over_at = json_member_integer(kept, "over_at", 0);
    }
    wait_ms(host, timer->over == TURN_NOTHING ? AGAIN_MS : timer->over_at + INTERRUPT_MS - now);
}

void turn_timer_init(struct host *host)
{
    struct turn_timer *timer = &host->turn_timer;

    *timer = (struct turn_timer){.timer = evtimer_new(host->loop, timer_fired, host)};
    turn_times_load(&timer->times, host->config, !stream_mode(host));
    if (host->activity.turn.open)
        go_on(host);
}

void turn_timer_finish(struct host *host)
{
    event_free(host->turn_timer.timer);
}

void turn_timer_began(struct host *host)
{
    struct turn_timer *timer = &host->turn_timer;

    *timer = (struct turn_timer){
        .times = timer->times, .timer = timer->timer, .running = true, .began_ms = host_now_ms()};
    keep(host, false);
    look(host);
}

static void answered(struct host *host)
{
    struct turn_timer *timer = &host->turn_timer;

    if (!timer->running || timer->answered)
        return;
    timer->answered = true;
    keep(host, false);
    look(host);
}

static bool waits(enum phase phase)
{
    return phase == PHASE_APPROVAL || phase == PHASE_LIMITED || phase == PHASE_RETRYING;
}

void turn_timer_follow(struct host *host, enum phase phase)
{
    struct turn_timer *timer = &host->turn_timer;
    int64_t now = host_now_ms();

    if (!timer->running)
        return;
    if (waits(phase) != (timer->waits_at != 0)) {
        timer->waited_ms += timer->waits_at == 0 ? 0 : now - timer->waits_at;
        timer->waits_at = waits(phase) ? now : 0;
        keep(host, false);
        if (timer->over == TURN_NOTHING)
            event_del(timer->timer);
        look(host);
    }
    if (phase == PHASE_APPROVAL || (phase_is_working(phase) && phase != PHASE_CONNECTING))
        answered(host);
}

void turn_timer_observed(struct host *host, const struct observation *observation)
{
    switch (observation->kind) {
    case OBSERVED_TEXT:
    case OBSERVED_THINKING:
    case OBSERVED_TOOL_CALL:
    case OBSERVED_APPROVAL:
        answered(host);
        break;
    default:
        break;
    }
}

const char *turn_timer_ended(struct host *host, const char *outcome)
{
    struct turn_timer *timer = &host->turn_timer;
    enum turn_due due = timer->over;

    timer->running = false;
    timer->over = TURN_NOTHING;
    event_del(timer->timer);
    /* A channel says "completed" of an answer that came after all. */
    if (due == TURN_NOTHING || strcmp(outcome, "killed") == 0 ||
        (stream_spoken(host) && strcmp(outcome, "completed") == 0))
        return outcome;
    return due == TURN_OVER ? "timeout" : "failed";
}
