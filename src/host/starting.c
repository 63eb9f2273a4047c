#include "host/starting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "host/ending.h"
#include "host/environment.h"
#include "host/host.h"
#include "host/resuming.h"
#include "host/rotating.h"
#include "host/secrets.h"
#include "rpc/protocol.h"
#include "store/recording.h"

#define SAVE_MS 2000

/* ---- spawning ---- */

static bool takes_session_id(const struct host *host)
{
    return stream_mode(host) ? host->driver->names_stream : host->driver->takes_session_id;
}

/* A new conversation gets an id of its own, when the agent takes one. */
static const char *fresh_session_id(struct host *host)
{
    const char *before = json_member_string(host->session.object, "agent_session_id", NULL);
    char id[UUID_SIZE];

    if (!takes_session_id(host))
        return NULL;
    if (before != NULL)
        json_array_append_new(json_object_get(host->session.object, "agent_session_ids"),
                              json_string(before));
    uuid_generate(id);
    session_set(host, "agent_session_id", json_string(id));
    return json_member_string(host->session.object, "agent_session_id", NULL);
}

static void first_conversation(struct host *host, struct attempt_start *start)
{
    const json_t *from = host->session.start;

    start->resume_id = json_member_string(from, "resume_id", NULL);
    if (start->resume_id == NULL && takes_session_id(host))
        start->session_id = json_member_string(from, "session_id", NULL);
    if (start->session_id == NULL && start->resume_id == NULL)
        start->session_id = fresh_session_id(host);
    else
        session_set(host, "agent_session_id",
                    json_string_or_null(start->session_id != NULL ? start->session_id : start->resume_id));
}

/* An attempt that follows another goes on with its conversation, if there was one. */
static void next_conversation(struct host *host, struct attempt_start *start)
{
    const char *known = json_member_string(host->session.object, "agent_session_id", NULL);

    if (host->driver->can_resume && json_is_true(session_kept(&host->session, "conversed")))
        start->resume_id = known != NULL ? known : "";
    else
        start->session_id = fresh_session_id(host);
}

/* opencode ignores a prompt beside --continue; a plain command takes none. */
static bool takes_prompt(const struct host *host, const struct attempt_start *start)
{
    if (stream_mode(host) || permit_gates(host))
        return false;
    return start->resume_id != NULL ? host->driver->resumes_with_prompt : host->driver->takes_prompt;
}

static void queue_first_prompt(struct host *host, const char *text)
{
    char id[UUID_SIZE];

    uuid_generate(id);
    (void)prompt_queue_add(&host->delivery.queue, id, text, PROMPT_NEXT);
    delivery_changed(host);
}

static void ask_keeper(struct host *host, const struct attempt_start *start)
{
    const json_t *from = host->session.start, *object = host->session.object;
    struct environment environment;
    struct error error;
    int result = environment_init(&environment, host, start, &error);
    struct keeper_start spawn = {
        .folder = json_member_string(from, "cwd", json_member_string(object, "cwd", "/")),
        .argv = (const char *const *)environment.argv.items,
        .unset = (const char *const *)environment.unset.items,
        .set = (const char *const *)environment.set.items,
        .cols = (int)json_member_integer(object, "cols", json_member_integer(from, "cols", 120)),
        .rows = (int)json_member_integer(object, "rows", json_member_integer(from, "rows", 40)),
        .stream_mode = stream_mode(host)};

    view_clamp(&spawn.cols, &spawn.rows);
    if (result == 0 && keeper_link_spawn(host->keeper, start->number, &spawn) < 0)
        result = error_errno(&error, "cannot start %s", environment.argv.items[0]);
    if (result < 0)
        ending_never_started(host, environment.account_gone ? "account_gone" : "spawn", error.text, NULL);
    environment_finish(&environment);
}

static void spawn(struct host *host, uint32_t number)
{
    const char *last = json_string_value(session_kept(&host->session, "last_prompt"));
    struct attempt_start start = {.number = number,
                                  .prompt = json_member_string(host->session.start, "prompt", NULL)};
    bool resumes, follows;

    host->attempt.number = number;
    resuming_settle(host);
    session_timer_begin(host);
    if (before_start_runs(host, number))
        return; /* starting_begin goes on */
    hooks_begin(host);
    resumes = resuming_now(host);
    follows = number > 1 || (resumes && json_is_true(session_kept(&host->session, "conversed")));
    if (number > 1 && last != NULL)
        start.prompt = last;
    if (host->retrying.respawn || (resumes && resuming_prompted(host))) {
        /* What goes on waits in the queue. */
        start.prompt = NULL;
        host->retrying.respawn = false;
    } else if (number > 1 && !resumes) {
        (void)retrying_drop(host, "it is tried again from the beginning");
    }
    if (!rotating_carry(host)) {
        session_keep(host, "conversed", json_false());
        retrying_afresh(host);
    }
    if (follows)
        next_conversation(host, &start);
    else
        first_conversation(host, &start);
    if (start.prompt != NULL && !takes_prompt(host, &start))
        queue_first_prompt(host, start.prompt);
    else if (start.prompt != NULL)
        session_keep(host, "conversed", json_true());
    if (stream_mode(host))
        session_keep(host, "resumes", json_string_or_null(start.resume_id));
    if (resumes)
        resuming_note(host, &start);
    session_changed(host, true);
    /* A host that is killed at this moment leaves its prompt and its times to the next, or no program at all. */
    if (!recorder_drain(host->recorder, SAVE_MS))
        log_warning("the disk does not answer: the session starts before it is written down");
    ask_keeper(host, &start);
}

void starting_begin(struct host *host, uint32_t number)
{
    spawn(host, number);
}

/* ---- what the keeper says ---- */

static void spawn_failed(struct host *host, const struct keeper_attempt *told, int code)
{
    const char *program = json_string_value(json_array_get(json_object_get(host->session.start, "argv"), 0));
    const char *folder =
        json_member_string(host->session.start, "cwd", json_member_string(host->session.object, "cwd", "/"));
    char message[512], hint[256];

    if (told->exec_step == 'd') {
        (void)snprintf(message, sizeof message, "cannot use the working folder %s: %s", folder,
                       strerror(code));
        ending_never_started(host, "not_found", message,
                             "choose a folder that exists with `ganger run -C DIR`");
    } else if (told->exec_step != 'e') {
        (void)snprintf(message, sizeof message, "cannot start %s: %s", program, strerror(code));
        ending_never_started(host, "spawn", message, NULL);
    } else {
        (void)snprintf(message, sizeof message, "cannot run %s: %s", program, strerror(code));
        (void)snprintf(hint, sizeof hint, "install it: %s",
                       host->agent->install == NULL ? "" : host->agent->install);
        ending_never_started(
            host, code == ENOENT ? "not_found" : "exec", message,
            code == ENOENT && host->agent->install != NULL ? hint : "check the command and your PATH");
    }
}

static void note_start(struct host *host)
{
    const struct attempt *attempt = &host->attempt;
    json_t *entry = session_attempt(host, attempt->number);

    json_object_set_new(entry, "started_at", json_time_or_null(attempt->started_ms));
    session_set(host, "attempt", json_integer(attempt->number));
    session_set(host, "pid", json_integer(attempt->pid));
    session_set(host, "exit", json_null());
    session_set_error(host, NULL, NULL, NULL, NULL);
    (void)events_emit(host, "session_started",
                      json_pack("{sisisi}", "pid", (int)attempt->pid, "cols",
                                terminal_cols(attempt->terminal), "rows", terminal_rows(attempt->terminal)));
}

static void go_on(struct host *host)
{
    clients_admit(host);
    hooks_admit(host);
    clients_choose_size(host);
    frames_update(host);
    delivery_consider(host);
}

static void begun(struct host *host)
{
    typing_begin(host, 0, 0);
    activity_begin(host);
    activity_started(host);
    note_start(host);
    stream_greet(host, false, false);
    resuming_begun(host);
    go_on(host);
}

static uint64_t highest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The state of the host before this one, as far as the ring and the keeper know it. */
static void taken_over(struct host *host, const struct keeper_attempt *told)
{
    uint64_t answered = highest(told->last_write, told->refused_write);
    uint64_t last = highest(answered, told->accepted_write), seq = ring_event_seq(host->attempt.ring);

    if (seq > host->events.last) {
        events_finish(&host->events);
        events_init(&host->events, seq);
    }
    host->lost = highest(ring_untold(host->attempt.ring), ring_unmarked(host->attempt.ring));
    /* session.json may be older than the attempt's start. */
    session_set(host, "attempt", json_integer(told->attempt));
    session_set(host, "pid", json_integer(told->pid));
    session_set(host, "exit", json_null());
    session_changed(host, true);
    typing_begin(host, last, told->accepted_write > answered ? told->accepted_write : 0);
    (void)events_emit(host, "host_restarted", json_pack("{si}", "host_pid", (int)getpid()));
    delivery_recover(host, told->accepted_write);
    retrying_resume(host);
    if (resuming_now(host))
        resuming_begun(host);
    activity_taken_over(host);
    stream_greet(host, true, told->accepted_write > 0);
    go_on(host);
}

static void on_started(void *argument, const struct keeper_attempt *told, int code,
                       int fds[KEEPER_DESCRIPTORS])
{
    struct host *host = argument;
    bool known = host->attempt.number != told->attempt;
    int pty = fds[KEEPER_DESCRIPTOR_PTY], ring = fds[KEEPER_DESCRIPTOR_RING];
    struct error error;

    host->attempt.number = told->attempt;
    if (code != 0) {
        spawn_failed(host, told, code);
        return;
    }
    fds[KEEPER_DESCRIPTOR_PTY] = fds[KEEPER_DESCRIPTOR_RING] = -1;
    if (known)
        secrets_recover(host, told->pid);
    if (known && stream_spoken(host))
        activity_resume(host);
    if (attempt_begin(host, told, pty, ring, known, &error) < 0 ||
        stream_begin(host, fds, known, &error) < 0) {
        log_error("%s", error.text);
        host->failed = true;
        event_base_loopbreak(host->loop);
    } else if (known) {
        taken_over(host, told);
        side_files_begin(host, true);
    } else {
        begun(host);
        side_files_begin(host, false);
    }
}

static void on_written(void *argument, uint32_t attempt, int channel, uint64_t id, int code)
{
    struct host *host = argument;

    if (attempt != host->attempt.number)
        return;
    typing_written(host, id);
    if (channel == KEEPER_CHANNEL_STDIN)
        stream_written(host, id, code);
    else
        delivery_written(host, id, code);
    delivery_consider(host);
}

static void on_exited(void *argument, const struct keeper_exit *told)
{
    struct host *host = argument;

    if (told->attempt != host->attempt.number)
        return;
    if ((told->flags & KEEPER_EXIT_ALL_GONE) != 0)
        host->attempt.all_gone = true;
    host->attempt.told = (told->flags & KEEPER_EXIT_TOLD) != 0;
    if ((told->flags & KEEPER_EXIT_LEADER) != 0)
        attempt_exited(host, told->status, told->at_ms);
    starting_go_on(host);
}

static void on_forsaken(void *argument)
{
    struct host *host = argument;

    if (phase_is_end(host->activity.reported) && !host->retrying.respawn)
        return;
    host_warn(host, "forsaken", "the command that followed the session is gone: the session is ended");
    ending_session(host, PHASE_CANCELLED,
                   (int)(config_number(host->config, "timeouts.cancel_grace_s") * 1000));
}

static void on_lost(void *argument)
{
    ending_keeper_lost(argument);
}

/* session.json may be older than a recording, which would be written over. */
static uint32_t unrecorded(const struct host *host, int64_t attempt)
{
    int64_t recorded = recording_last_attempt(host->session_dir);

    return (uint32_t)(recorded >= attempt && recorded < INT32_MAX ? recorded + 1 : attempt);
}

static void on_hello(void *argument, const struct keeper_hello *hello, uint32_t attempt)
{
    struct host *host = argument;
    int64_t wanted = json_member_integer(host->session.start, "attempt_wanted", 1);
    int64_t ran = json_member_integer(host->session.object, "attempt", 0);

    (void)keeper_link_ready(host->keeper);
    if (hello->hosts > 1)
        log_note("this host follows another that ended with status %#x", (unsigned)hello->last_status);
    if (attempt != 0)
        return; /* it is told next */
    if ((phase_is_end(host->activity.reported) || host->retrying.respawn) && wanted <= ran) {
        host->attempt.number = (uint32_t)ran;
        host->attempt.over = host->attempt.all_gone = true;
        clients_admit(host);
        retrying_resume(host);
        host_consider_leaving(host);
        delivery_consider(host);
        return;
    }
    spawn(host, unrecorded(host, wanted > ran ? wanted : ran));
}

int starting_connect(struct host *host, struct error *error)
{
    static const struct keeper_calls calls = {
        .hello = on_hello,
        .started = on_started,
        .written = on_written,
        .exited = on_exited,
        .forsaken = on_forsaken,
        .lost = on_lost,
    };

    host->keeper = keeper_link_create(host->loop, KEEPER_HOST_FD, &calls, host);
    return host->keeper == NULL ? error_set(error, "there is no keeper: ganger-keeper starts this program")
                                : 0;
}

/* ---- retry ---- */

int starting_retry(struct host *host, const char *account, uint32_t *attempt, struct error *error)
{
    const char *agent =
        json_member_string(config_account(host->config, account == NULL ? "" : account), "agent", NULL);

    if (!host->attempt.over && !host->attempt.ending) {
        error_set(error, "the agent still runs: cancel the session first");
        return RPC_RUNNING;
    }
    if (account != NULL && (agent == NULL || strcmp(agent, host->driver->name) != 0)) {
        error_set(error, "there is no account %s of %s: see `ganger config show`", account,
                  host->driver->name);
        return RPC_INVALID_PARAMS;
    }
    resuming_over(host);
    if (account != NULL)
        session_set(host, "account", json_string(account));
    if (!host->retrying.respawn)
        (void)retrying_drop(host, "it is tried again from the beginning");
    *attempt = host->retry_wanted = host->attempt.number + 1;
    starting_go_on(host);
    return 0;
}

void starting_go_on(struct host *host)
{
    uint32_t number = host->retry_wanted;

    if (number == 0 || !host->attempt.over || !host->attempt.all_gone)
        return;
    if (!recorder_drain(host->recorder, SAVE_MS)) {
        host->retry_wanted = 0;
        host_warn(host, "disk", "the disk does not answer: the session was not retried");
        return;
    }
    host->retry_wanted = 0;
    attempt_finish(host);
    spawn(host, number);
    host_consider_leaving(host);
}
