#include "host/cancel.h"

#include <string.h>

#include "host/ending.h"
#include "host/host.h"

#define AGAIN_NS 2000000000
#define BETWEEN_NS 80000000
#define TRIES 2

static bool can_be_interrupted(enum phase phase)
{
    return phase_is_working(phase) || phase == PHASE_APPROVAL || phase == PHASE_LIMITED ||
           phase == PHASE_RETRYING;
}

/* The phase, or the one that is about to be entered. */
static enum phase heading(const struct host *host)
{
    const struct phase_state *state = &host->activity.detector.phase;

    return state->wanted != PHASE_COUNT && can_be_interrupted(state->wanted) ? state->wanted : state->phase;
}

static void press(struct host *host, const char *name)
{
    struct terminal_modes modes = terminal_modes(host->attempt.terminal);
    struct buffer bytes;
    struct key key;

    if (key_parse(name, &key) < 0)
        return;
    buffer_init(&bytes);
    key_encode(key, &modes.input, &bytes);
    if (typing_whole(host, bytes.bytes, bytes.length) == 0)
        (void)typing_keys(host, bytes.bytes, bytes.length);
    buffer_finish(&bytes);
}

/* One key at a time: a program must not take two Escapes for Alt+Escape. */
static void press_next(struct host *host)
{
    struct cancel *cancel = &host->cancel;
    size_t length = strcspn(cancel->rest, " ");
    char name[KEY_NAME_SIZE];

    (void)strlcpy(name, cancel->rest, length + 1 < sizeof name ? length + 1 : sizeof name);
    cancel->rest += length + strspn(cancel->rest + length, " ");
    press(host, name);
    host_timer(cancel->timer, *cancel->rest == '\0' ? AGAIN_NS : BETWEEN_NS);
}

static void interrupt(struct host *host)
{
    host->cancel.tries++;
    if (stream_spoken(host)) {
        host->cancel.rest = "";
        stream_interrupt(host);
        host_timer(host->cancel.timer, AGAIN_NS);
        return;
    }
    host->cancel.rest = host->driver->interrupt;
    press_next(host);
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    enum phase phase = host->activity.detector.phase.phase;

    (void)descriptor;
    (void)what;
    if (!attempt_running(&host->attempt)) {
        host->cancel.tries = 0;
    } else if (*host->cancel.rest != '\0' && (can_be_interrupted(phase) || phase == PHASE_UNKNOWN)) {
        press_next(host);
    } else if (!can_be_interrupted(phase)) {
        host->cancel.tries = 0;
    } else if (host->cancel.tries < TRIES) {
        interrupt(host);
    } else {
        host->cancel.tries = 0;
        host->activity.turn.cancelled = false;
        (void)events_emit(host, "error",
                          json_pack("{ss ss ss}", "code", "cancel_failed", "message",
                                    "the agent goes on although it was interrupted twice", "hint",
                                    "end the session with `ganger cancel --session`"));
    }
}

void cancel_init(struct host *host)
{
    host->cancel.timer = evtimer_new(host->loop, timer_fired, host);
}

void cancel_finish(struct host *host)
{
    event_free(host->cancel.timer);
}

const char *cancel_turn(struct host *host)
{
    enum phase phase = heading(host);

    if (retrying_drop(host, "a person cancelled it")) {
        if (host->attempt.over)
            ending_give_up(host, PHASE_CANCELLED);
        return "interrupted";
    }
    if (host->attempt.ending && !host->attempt.over)
        return "ending";
    if (!attempt_running(&host->attempt) || (!can_be_interrupted(phase) && phase != PHASE_UNKNOWN))
        return "nothing to cancel";
    if (host->cancel.tries > 0)
        return "interrupted";
    host->activity.turn.cancelled = host->activity.turn.open;
    (void)events_emit(host, "cancelled", json_pack("{ss}", "scope", "turn"));
    interrupt(host);
    return "interrupted";
}

void cancel_begin(struct host *host)
{
    if (host->cancel.tries == 0)
        interrupt(host);
}

void cancel_follow(struct host *host)
{
    enum phase phase = host->activity.detector.phase.phase;

    if (host->cancel.tries == 0 || can_be_interrupted(phase) || phase == PHASE_UNKNOWN)
        return;
    host->cancel.tries = 0;
    event_del(host->cancel.timer);
}
