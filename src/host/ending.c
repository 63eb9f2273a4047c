#include "host/ending.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/leftovers.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/accounting.h"
#include "host/host.h"
#include "host/resuming.h"
#include "host/starting.h"
#include "host/turn.h"
#include "store/session_life.h"

#define SCREEN_FILE "screen.json"
#define LEFTOVERS_MS 2000

/* The last screen stays readable: the params of a frame, as screen.get gives them. */
static void keep_screen(struct host *host)
{
    struct masked_cells *masked = terminal_mask(host->attempt.terminal, host->mask);
    struct buffer frame;
    const char *params;
    size_t length;

    buffer_init(&frame);
    frames_snapshot(host, &frame);
    terminal_unmask(masked);
    params = strstr(frame.bytes, "\"params\":") + strlen("\"params\":");
    length = (size_t)(frame.bytes + frame.length - params) - strlen("}\n");
    recorder_file(host->recorder, SCREEN_FILE, xstrndup(params, length), length);
    buffer_finish(&frame);
}

static enum phase outcome(const struct attempt *attempt)
{
    if (attempt->ending)
        return attempt->ending_phase;
    if (attempt->told)
        return PHASE_LOST;
    return WIFEXITED(attempt->status) && WEXITSTATUS(attempt->status) == 0 ? PHASE_COMPLETED : PHASE_FAILED;
}

/* last_error of an attempt that ended as it should not. */
static void set_error(struct host *host, enum phase phase, const char *detail)
{
    if (phase == PHASE_LOST)
        session_set_error(host, "resource", "lost",
                          "the processes of the session were told to end, as when the machine goes down",
                          "`ganger resume` goes on with it");
    else if (phase == PHASE_FAILED && !host->attempt.ending)
        session_set_error(host, "exit", WIFSIGNALED(host->attempt.status) ? "signal" : "exit", detail,
                          "its last screen stays: `ganger snapshot`; `ganger retry` runs it again");
}

static void describe(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        (void)snprintf(text, size, "the agent was ended by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else
        (void)snprintf(text, size, "the agent exited with status %d", WEXITSTATUS(status));
}

static json_t *exit_object(enum phase phase, const json_t *code, const json_t *number, int64_t at_ms)
{
    return json_pack("{ss sO sO so}", "state", phase_name(phase), "code", code, "signal", number, "at",
                     json_time_or_null(at_ms));
}

static void tell_session_ended(struct host *host, enum phase phase)
{
    const json_t *object = host->session.object;

    session_timer_end(host);
    (void)events_emit(host, "session_ended",
                      json_pack("{ss sO sO}", "state", phase_name(phase), "exit",
                                json_object_get(object, "exit"), "last_error",
                                json_object_get(object, "last_error")));
}

/* Everything but what stands on the screen: events, the session object. `code` and `number` are stolen. The session may go
 * on with another attempt. */
static void tell_end(struct host *host, enum phase phase, const char *detail, json_t *code, json_t *number,
                     int64_t at_ms)
{
    json_t *ended = exit_object(phase, code, number, at_ms);
    bool goes_on;

    delivery_stop(host);
    turn_end(host, phase == PHASE_FAILED ? "failed" : phase_name(phase));
    goes_on = retrying_attempt_ended(host, phase);
    session_set(host, "exit", json_incref(ended));
    session_set(host, "pid", json_null());
    json_object_set(session_attempt(host, host->attempt.number), "exit", ended);
    activity_end(host, phase, detail);
    resources_end(host);
    (void)events_emit(host, "attempt_ended", json_pack("{sO}", "exit", ended));
    if (!goes_on)
        tell_session_ended(host, phase);
    accounting_usage(host);
    session_changed(host, true);
    json_decref(ended);
    json_decref(code);
    json_decref(number);
    host_consider_leaving(host);
}

void ending_attempt(struct host *host)
{
    struct attempt *attempt = &host->attempt;
    enum phase phase = outcome(attempt);
    int status = attempt->status;
    char detail[160];

    describe(status, detail, sizeof detail);
    set_error(host, phase, detail);
    if (phase == PHASE_LOST)
        resuming_remember(host);
    host->cancel.tries = 0;
    event_del(host->quiet);
    event_del(host->cancel.timer);
    if (attempt->terminal != NULL) {
        attempt_transcribe(host, true);
        keep_screen(host);
    }
    recordings_end(host, phase);
    typing_end(host);
    tell_end(host, phase, detail, WIFEXITED(status) ? json_integer(WEXITSTATUS(status)) : json_null(),
             WIFSIGNALED(status) ? json_integer(WTERMSIG(status)) : json_null(), attempt->exited_ms);
    frames_update(host);
    starting_go_on(host);
}

void ending_never_started(struct host *host, const char *code, const char *message, const char *hint)
{
    log_error("%s", message);
    clients_admit(host);
    /* It would not start the next time either. */
    if (!resuming_now(host))
        (void)retrying_drop(host, "the agent cannot be started");
    host->retrying.failure.class[0] = '\0';
    host->attempt.over = host->attempt.all_gone = true;
    session_set(host, "attempt", json_integer(host->attempt.number));
    session_set_error(host, strcmp(code, "account_gone") == 0 ? "authentication" : "permanent", code, message,
                      hint);
    (void)events_emit(host, "error",
                      json_pack("{ss so so}", "code", code, "message", json_string_or_null(message), "hint",
                                json_string_or_null(hint)));
    /* A lost session stays lost: what is missing may come back. */
    tell_end(host, resuming_now(host) ? PHASE_LOST : PHASE_FAILED, message, json_null(), json_null(),
             clock_realtime_ms());
    resuming_over(host);
}

/* While commands run before the start. */
static void end_before_start(struct host *host, enum phase phase)
{
    (void)events_emit(host, "cancelled", json_pack("{ss}", "scope", "session"));
    host->attempt.over = host->attempt.all_gone = true;
    tell_end(host, phase, "before it started", json_null(), json_null(), clock_realtime_ms());
}

void ending_session(struct host *host, enum phase phase, int grace_ms)
{
    struct attempt *attempt = &host->attempt;
    bool between = host->retrying.respawn && attempt->over;

    host->retry_wanted = 0;
    (void)retrying_drop(host, "the session is ended");
    if (between)
        ending_give_up(host, phase);
    if (before_start_stop(host))
        end_before_start(host, phase);
    if (attempt->over || attempt->number == 0)
        return;
    if (!attempt->ending)
        (void)events_emit(host, "cancelled", json_pack("{ss}", "scope", "session"));
    if (!attempt->ending || phase == PHASE_KILLED)
        attempt->ending_phase = phase;
    attempt->ending = true;
    (void)keeper_link_end(host->keeper, grace_ms);
}

void ending_done(struct host *host, enum phase phase)
{
    host->attempt.ending = true;
    host->attempt.ending_phase = phase;
}

void ending_go_on(struct host *host, int grace_ms)
{
    if (host->attempt.ending && !host->attempt.over)
        (void)keeper_link_end(host->keeper, grace_ms);
}

void ending_replace(struct host *host)
{
    host->attempt.ending = true;
    host->attempt.ending_phase = PHASE_CANCELLED;
    (void)keeper_link_end(host->keeper, (int)(config_number(host->config, "timeouts.cancel_grace_s") * 1000));
}

void ending_give_up(struct host *host, enum phase phase)
{
    json_t *ended = json_object_get(host->session.object, "exit");

    if (json_is_object(ended))
        (void)json_object_set_new(ended, "state", json_string(phase_name(phase)));
    activity_end(host, phase, "it does not go on");
    tell_session_ended(host, phase);
    session_changed(host, true);
    host_consider_leaving(host);
}

void ending_keeper_lost(struct host *host)
{
    int found;

    if (host->attempt.over) {
        event_base_loopbreak(host->loop);
        return;
    }
    /* Nobody may take the session for lost before its end is written. */
    (void)session_dir_lock(host->session_dir, host->uuid, &host->lock, NULL);
    found = leftovers_end(host->uuid, LEFTOVERS_MS);
    log_error("the keeper is gone; %d processes of the session were ended", found);
    host->attempt.over = host->attempt.all_gone = true;
    session_set_error(host, "resource", "keeper_lost", "the process that kept the agent's terminal is gone",
                      "`ganger resume` goes on with it, `ganger retry` runs its last prompt again");
    resuming_remember(host);
    if (host->attempt.terminal != NULL) {
        event_del(host->attempt.readable);
        attempt_transcribe(host, true);
        keep_screen(host);
        recordings_end(host, PHASE_FAILED);
    }
    typing_end(host);
    tell_end(host, PHASE_FAILED, "keeper lost", json_null(), json_null(), clock_realtime_ms());
    event_base_loopbreak(host->loop);
}

void ending_leave(struct host *host)
{
    /* The keeper asks for this when nothing is left; from anybody else it means another host shall follow. */
    if (!host->attempt.over && host->attempt.reaped)
        (void)event_base_loop(host->loop, EVLOOP_NONBLOCK);
    host->failed = !host->attempt.over && !host->attempt.all_gone;
    event_base_loopbreak(host->loop);
}
