#include "host/host.h"

#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/accounting.h"
#include "host/agent_rules.h"
#include "host/ending.h"
#include "host/ledger_link.h"
#include "host/login_check.h"
#include "host/secrets.h"
#include "host/starting.h"
#include "host/watch.h"
#include "store/event_log.h"
#include "store/leftover_files.h"
#include "store/session_dir.h"

#define LINGER_NS 10000000000
#define FLUSH_NS 200000000
#define COMPACT_NS 2000000000 /* without output */
#define QUIET_NS 28000000000  /* and further */
#define STALL_NS 2000000000
#define MEND_NS 3000000000
#define FINISH_MS 5000

int64_t host_now_ns(void)
{
    return clock_monotonic_ns();
}

int64_t host_now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

void host_timer(struct event *timer, int64_t ns)
{
    struct timeval wait;

    if (ns < 0)
        ns = 0;
    /* Rounded up, so that what waits for a moment finds it come. */
    wait.tv_sec = ns / 1000000000;
    wait.tv_usec = (ns % 1000000000 + 999) / 1000;
    if (wait.tv_usec >= 1000000) {
        wait.tv_sec++;
        wait.tv_usec -= 1000000;
    }
    event_add(timer, &wait);
}

void host_warn(struct host *host, const char *code, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_warning("%s", text);
    (void)events_emit(host, "warning",
                      json_pack("{ss so}", "code", code, "message", json_string_or_null(text)));
}

/* ---- output ---- */

void host_flush_soon(struct host *host)
{
    if (!event_pending(host->flush, EV_TIMEOUT, NULL))
        host_timer(host->flush, FLUSH_NS);
}

void host_output(struct host *host)
{
    struct attempt *attempt = &host->attempt;

    frames_update(host);
    recorder_output(host->recorder, ring_parsed(attempt->ring), attempt_time(attempt));
    host_flush_soon(host);
    attempt_transcribe(host, false);
    attempt_checkpoint(host, false);
    recordings_follow(host);
    host->output_at = host_now_ns();
    if (host->compacted || !event_pending(host->quiet, EV_TIMEOUT, NULL))
        host_timer(host->quiet, COMPACT_NS);
    host->compacted = false;
    delivery_output(host);
}

static void flush_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    attempt_transcribe_waiting(host);
    recorder_flush(host->recorder);
}

/* The program rests: first the scrollback is compressed, later there is a checkpoint. */
static void quiet_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    int64_t rest = host->output_at + COMPACT_NS - host_now_ns();

    (void)descriptor;
    (void)what;
    if (host->attempt.over || host->compacted) {
        attempt_checkpoint(host, true);
    } else if (rest > 0) {
        host_timer(host->quiet, rest);
    } else {
        host->compacted = true;
        terminal_compact(host->attempt.terminal);
        ring_relax(host->attempt.ring);
        stream_relax(host);
        (void)malloc_trim(0);
        host_timer(host->quiet, QUIET_NS);
    }
}

static void stall_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct attempt *attempt = &host->attempt;

    (void)descriptor;
    (void)what;
    if (!attempt->waiting || attempt->ring == NULL)
        return;
    if (recorder_stalled(host->recorder, STALL_NS)) {
        recorder_drop(host->recorder, ring_parsed(attempt->ring));
        stream_drop(host);
    }
    attempt_resume(host);
}

/* Also when the agent is silent it is found out that the disk takes files again. */
static void mend_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    session_changed(host, true);
    host_timer(host->mend, MEND_NS);
}

/* What no stored event speaks of is known to the next host. */
static void tell_ring(struct host *host)
{
    if (host->attempt.ring != NULL)
        ring_set_untold(host->attempt.ring, host->lost + host->told);
}

static void news_came(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct recorder_news news;

    (void)descriptor;
    (void)what;
    recorder_collect(host->recorder, &news);
    if (news.room)
        attempt_resume(host);
    if (news.problem) {
        host_warn(host, "disk", "%s; the agent goes on, its output is not recorded meanwhile", news.text);
        (void)strlcpy(host->disk_problem, news.text, sizeof host->disk_problem);
        host_timer(host->mend, MEND_NS);
    }
    host->lost += news.lost;
    tell_ring(host);
    if (news.mended) {
        host->disk_problem[0] = '\0';
        event_del(host->mend);
        session_changed(host, true);
        (void)events_emit(host, "warning",
                          json_pack("{ss ss}", "code", "disk_mended", "message",
                                    "files of the session can be written again"));
        attempt_checkpoint(host, true);
    }
    if (host->told_seq > 0 && news.stored >= host->told_seq) {
        host->told = host->told_seq = 0;
        tell_ring(host);
    }
    if (host->lost > 0 && host->disk_problem[0] == '\0') {
        host->told_seq = events_emit(host, "gap", json_pack("{sI}", "bytes", (json_int_t)host->lost));
        host->told += host->lost;
        host->lost = 0;
    }
    recordings_told(host, &news);
    events_stored(host, news.events);
}

/* ---- leaving ---- */

static void linger_over(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    event_base_loopbreak(host->loop);
}

void host_consider_leaving(struct host *host)
{
    bool leaving = host->attempt.over && host->clients.count == 0 && !host->retrying.respawn;

    if (!leaving)
        event_del(host->linger);
    else if (!event_pending(host->linger, EV_TIMEOUT, NULL))
        host_timer(host->linger, LINGER_NS);
}

static void signalled(evutil_socket_t number, short what, void *argument)
{
    struct host *host = argument;

    (void)what;
    log_note("asked to leave by signal %d", (int)number);
    ending_leave(host);
}

static void asked_to_listen(evutil_socket_t number, short what, void *argument)
{
    (void)number;
    (void)what;
    clients_bind_again(argument);
    hooks_bind_again(argument);
}

/* ---- making ---- */

static void load_config(struct host *host)
{
    struct error error;

    host->config = config_load(NULL, &error);
    if (host->config != NULL)
        return;
    (void)snprintf(host->config_problem, sizeof host->config_problem, "%s", error.text);
    host->config = config_load("/dev/null", &error);
    if (host->config == NULL)
        log_error("there is no default configuration: %s", error.text);
}

static int open_files(struct host *host, struct error *error)
{
    const char *agent;

    host->session_dir = session_dir_open(host->state_dir, host->uuid, error);
    if (host->session_dir < 0 || session_open(host, error) < 0)
        return -1;
    (void)leftover_files_remove(host->session_dir);
    agent = json_member_string(host->session.object, "agent", "command");
    host->driver = agent_driver_find(agent);
    host->agent = agent_catalogue_find(agent);
    if (host->driver == NULL || host->agent == NULL)
        return error_set(error, "there is no agent %s", agent);
    return agent_rules_load(host, error);
}

static int open_events(struct host *host, struct error *error)
{
    struct event_log_end end;
    int file = event_log_open(host->session_dir, &end, error);

    if (file < 0)
        return -1;
    events_init(&host->events, end.seq);
    host->logged_offset = end.offset;
    host->logged_attempt = end.attempt;
    host->recorder = recorder_create(host->session_dir, file, error);
    if (host->recorder == NULL)
        return -1;
    host->news =
        event_new(host->loop, recorder_descriptor(host->recorder), EV_READ | EV_PERSIST, news_came, host);
    event_add(host->news, NULL);
    return 0;
}

static struct event_base *make_loop(void)
{
    struct event_config *config = event_config_new();
    struct event_base *loop;

    /* Deadlines of milliseconds are kept; the coarse clock would round frames to 4 ms. */
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop = event_base_new_with_config(config);
    event_config_free(config);
    return loop;
}

static void make_timers(struct host *host)
{
    host->linger = evtimer_new(host->loop, linger_over, host);
    host->flush = evtimer_new(host->loop, flush_due, host);
    host->stall = evtimer_new(host->loop, stall_due, host);
    host->mend = evtimer_new(host->loop, mend_due, host);
    host->quiet = evtimer_new(host->loop, quiet_due, host);
    host->signals[0] = evsignal_new(host->loop, SIGTERM, signalled, host);
    host->signals[1] = evsignal_new(host->loop, SIGINT, signalled, host);
    event_add(host->signals[0], NULL);
    event_add(host->signals[1], NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    host->signals[2] = evsignal_new(host->loop, SIGHUP, asked_to_listen, host);
    event_add(host->signals[2], NULL);
}

/* STATE/sessions/UUID -> STATE. */
static char *state_of(const char *session_dir)
{
    char *state = xstrdup(session_dir);

    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(state, '/');
        if (slash != NULL && slash != state)
            *slash = '\0';
    }
    return state;
}

struct host *host_create(const char *uuid, const char *session_dir, struct error *error)
{
    struct host *host = xcalloc(1, sizeof *host);

    (void)snprintf(host->uuid, sizeof host->uuid, "%s", uuid);
    host->attempt.pty = -1;
    host->lock = -1;
    host->state_dir = state_of(session_dir);
    host->loop = make_loop();
    make_timers(host);
    load_config(host);
    host->runtime_dir = path_runtime_dir(error);
    if (host->config == NULL || host->runtime_dir == NULL || open_files(host, error) < 0 ||
        open_events(host, error) < 0)
        return NULL;
    secrets_init(host);
    coalesce_init(host);
    typing_init(host);
    activity_init(host);
    progress_init(host);
    approvals_init(host);
    cancel_init(host);
    turn_timer_init(host);
    session_timer_init(host);
    headless_init(host);
    resources_init(host);
    before_start_init(host);
    delivery_init(host);
    ledger_link_init(host);
    accounting_init(host);
    retrying_init(host);
    frames_init(host);
    if (permit_init(host, error) < 0 || clients_open(host, error) < 0 || hooks_open(host, error) < 0 ||
        starting_connect(host, error) < 0)
        return NULL;
    watch_init(host);
    if (host->config_problem[0] != '\0')
        host_warn(host, "config", "%s; the defaults are in force", host->config_problem);
    agent_rules_watch(host);
    return host;
}

int host_run(struct host *host)
{
    (void)event_base_dispatch(host->loop);
    return host->failed ? 1 : host->handing_over ? KEEPER_HANDOVER_STATUS : 0;
}

void host_destroy(struct host *host)
{
    struct event *events[] = {host->linger,     host->flush,      host->stall,      host->quiet, host->news,
                              host->signals[0], host->signals[1], host->signals[2], host->mend};

    clients_close(host);
    hooks_close(host);
    watch_finish(host);
    coalesce_finish(host);
    recorder_destroy(host->recorder, FINISH_MS);
    keeper_link_destroy(host->keeper);
    frames_finish(host);
    login_check_finish(host);
    ledger_link_finish(host);
    permit_finish(host);
    retrying_finish(host);
    accounting_finish(host);
    delivery_finish(host);
    before_start_finish(host);
    resources_finish(host);
    headless_finish(host);
    session_timer_finish(host);
    turn_timer_finish(host);
    cancel_finish(host);
    approvals_finish(host);
    progress_finish(host);
    activity_finish(host);
    typing_finish(host);
    side_files_end(host);
    attempt_finish(host);
    events_finish(&host->events);
    session_close(host);
    agent_rules_finish(host);
    secrets_finish(host);
    config_destroy(host->config);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        event_free(events[i]);
    if (host->lock >= 0)
        close(host->lock);
    close(host->session_dir);
    event_base_free(host->loop);
    free(host->runtime_dir);
    free(host->state_dir);
    free(host);
}
