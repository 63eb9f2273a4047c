#include "cli/headless.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/event_source.h"
#include "cli/headless_copy.h"
#include "cli/headless_input.h"
#include "cli/headless_output.h"
#include "cli/headless_printed.h"
#include "cli/headless_state.h"
#include "cli/headless_stop.h"
#include "cli/headless_summary.h"
#include "cli/headless_tell.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

#define READ_MS 300     /* between two looks at the recordings */
#define NAME_COLUMNS 24 /* of the column of names, at most */
#define USAGE_MS 2000   /* to ask a host that has ended what was used */
#define EXIT_CANCELLED 130
#define PATIENCE 3 /* signals after which this process ends at once */

struct follower {
    const struct headless_session *session;
    struct event_source source;
    struct headless_state state;
    struct headless_teller teller;
    struct headless_copy copy;
    struct headless_printed printed;
    struct headless_stop stop;
    bool done;    /* its end was told */
    bool lacking; /* the file does not hold everything */
};

struct run {
    struct follower *followers;
    size_t count;
    bool json;
    struct headless_output output;
    struct headless_log log;
    struct pollfd input;
    int signals;
    unsigned interrupts;
    int64_t read_ms;
};

static const struct event_request all_events = {.follow = true};

/* ---- before the first session ---- */

int headless_lifeline(struct error *error)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(error, "cannot make a pipe");
    return ends[0];
}

int headless_check_file(const char *file, bool force, struct error *error)
{
    return headless_copy_make(file, force, error);
}

void headless_prepare(void)
{
    headless_output_settle();
}

void headless_drop_file(const char *file)
{
    struct stat status;

    if (file != NULL && stat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0)
        (void)unlink(file);
}

/* ---- events ---- */

static void take_event(struct run *run, struct follower *follower, const json_t *event)
{
    struct buffer line;

    if (run->json) {
        buffer_init(&line);
        json_append_value(&line, event);
        buffer_append_char(&line, '\n');
        headless_output_add(&run->output, line.bytes, line.length);
        buffer_finish(&line);
    } else {
        headless_teller_event(&follower->teller, event);
    }
    headless_state_event(&follower->state, event);
}

static int line_printed(void *argument, const char *bytes, size_t length)
{
    (void)length;
    headless_teller_printed(argument, bytes);
    return 0;
}

/* What was printed before an attempt's end comes before that. False when it is too much for the moment. */
static bool print_before(struct run *run, struct follower *follower, const json_t *event)
{
    const char *type = json_member_string(event, "type", "");

    if (strcmp(type, "attempt_ended") != 0)
        return true;
    while (
        headless_printed_step(&follower->printed, follower->state.attempt, line_printed, &follower->teller)) {
        if (headless_output_full(&run->output))
            return false;
    }
    headless_printed_end(&follower->printed, line_printed, &follower->teller);
    return true;
}

/* What there is, in the order of time; of one session always in the order of seq. */
static void take_events(struct run *run)
{
    while (!headless_output_full(&run->output)) {
        struct follower *earliest = NULL;
        const char *least = NULL;
        for (size_t i = 0; i < run->count; i++) {
            const json_t *event =
                run->followers[i].done ? NULL : event_source_next(&run->followers[i].source, &all_events);
            const char *at = json_member_string(event, "time", "");
            if (event == NULL || (least != NULL && strcmp(at, least) >= 0))
                continue;
            earliest = &run->followers[i];
            least = at;
        }
        if (earliest == NULL)
            return;
        if (!print_before(run, earliest, event_source_next(&earliest->source, &all_events)))
            return;
        take_event(run, earliest, event_source_next(&earliest->source, &all_events));
        event_source_taken(&earliest->source);
    }
}

/* ---- the end of a session ---- */

/* Nothing more is to come: either its end was told, or nobody is there who could. */
static bool is_over(struct follower *follower)
{
    bool all_taken = event_source_next(&follower->source, &all_events) == NULL;

    return all_taken && (follower->state.ended || (follower->source.over && follower->source.stored));
}

static void settle(struct run *run, struct follower *follower)
{
    struct error error;
    bool told = follower->state.ended;
    json_t *session;

    if (!told)
        (void)session_lost_settle_all(cli_state_dir());
    session = cli_session(follower->source.uuid, USAGE_MS, &error);
    headless_state_settle(&follower->state, session);
    json_decref(session);
    event_source_finish(&follower->source);
    if (follower->session->file != NULL)
        follower->lacking = headless_copy_finish(&follower->copy, follower->state.attempt) < 0;
    if (!run->json && !told)
        headless_teller_say(
            &follower->teller, STYLE_BAD, "%s: %s", follower->state.outcome,
            json_member_string(follower->state.last_error, "message", "nobody is there who could say why"));
    follower->done = true;
}

static bool settle_those_over(struct run *run)
{
    bool goes_on = false;

    for (size_t i = 0; i < run->count; i++) {
        struct follower *follower = &run->followers[i];
        if (!follower->done && is_over(follower))
            settle(run, follower);
        goes_on = goes_on || !follower->done;
    }
    return goes_on;
}

/* ---- signals ---- */

static void interrupted(struct run *run, unsigned signals)
{
    bool first = run->interrupts == 0;

    run->interrupts += signals;
    if (run->interrupts >= PATIENCE)
        exit(EXIT_CANCELLED);
    (void)fprintf(stderr, "ganger: run: %s\n",
                  first && run->interrupts == 1 ? "ending the sessions in order; once more kills them"
                                                : "killing the sessions");
    for (size_t i = 0; i < run->count; i++)
        run->followers[i].stop.wanted = run->interrupts > 1 ? STOP_KILL : STOP_SESSION;
}

/* ---- the loop ---- */

static void read_recordings(struct run *run)
{
    int64_t now = clock_monotonic_ns() / 1000000;
    bool more = false;

    if (now - run->read_ms < READ_MS)
        return;
    for (size_t i = 0; i < run->count; i++) {
        struct follower *follower = &run->followers[i];
        if (!follower->done && follower->session->file != NULL)
            more = headless_copy_step(&follower->copy, follower->state.attempt) || more;
        if (!follower->done && !headless_output_full(&run->output))
            more = headless_printed_step(&follower->printed, follower->state.attempt, line_printed,
                                         &follower->teller) ||
                   more;
    }
    run->read_ms = more ? 0 : now;
}

static void go_on(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct follower *follower = &run->followers[i];
        if (follower->done)
            continue;
        if (!headless_output_full(&run->output))
            event_source_receive(&follower->source, &all_events);
        headless_stop_go_on(&follower->stop, follower->source.client, follower->state.turn_open);
    }
    take_events(run);
    for (size_t i = 0; i < run->count && !run->json; i++) {
        if (!run->followers[i].done)
            headless_teller_tick(&run->followers[i].teller);
    }
    read_recordings(run);
}

static void sooner(int *timeout, int due)
{
    if (due >= 0 && (*timeout < 0 || due < *timeout))
        *timeout = due;
}

static int timeout_of(const struct run *run)
{
    int timeout = -1;

    for (size_t i = 0; i < run->count; i++) {
        const struct follower *follower = &run->followers[i];
        if (follower->done)
            continue;
        if (!headless_output_full(&run->output))
            sooner(&timeout, event_source_due(&follower->source));
        sooner(&timeout, headless_stop_due(&follower->stop));
        if (!run->json)
            sooner(&timeout, headless_teller_due(&follower->teller));
        if (follower->session->file != NULL || follower->printed.folder >= 0)
            sooner(&timeout, run->read_ms == 0 ? 0 : READ_MS);
    }
    return timeout;
}

/* Sleeps until something came, is due, or can be written. */
static void wait_for_news(struct run *run, int timeout)
{
    struct pollfd *waited = xcalloc(run->count + 3, sizeof *waited);
    bool full = headless_output_full(&run->output);

    for (size_t i = 0; i < run->count; i++)
        waited[i] = (struct pollfd){
            .fd = run->followers[i].done || full ? -1 : event_source_descriptor(&run->followers[i].source),
            .events = POLLIN};
    waited[run->count] = (struct pollfd){.fd = run->signals, .events = POLLIN};
    waited[run->count + 1] = (struct pollfd){.fd = run->output.gone ? -1 : STDOUT_FILENO,
                                             .events = headless_output_waits(&run->output) ? POLLOUT : 0};
    waited[run->count + 2] = run->input;
    if (poll(waited, run->count + 3, timeout) > 0) {
        unsigned signals = waited[run->count].revents == 0 ? 0 : headless_stop_signals(run->signals);
        headless_output_ready(&run->output, waited[run->count + 1].revents);
        run->input.revents = waited[run->count + 2].revents;
        headless_input_ready(&run->input);
        if (signals > 0)
            interrupted(run, signals);
    }
    free(waited);
}

/* Where the recording of a session will be. */
static char *recording_path(const struct headless_session *session)
{
    char *folder, *path;

    if (session->file != NULL)
        return xstrdup(session->file);
    folder = session_dir_path(cli_state_dir(), session->uuid);
    path = path_join(folder, "attempt-1.cast");
    free(folder);
    return path;
}

static void begin_one(struct run *run, struct follower *follower, const struct headless_session *session)
{
    struct error error;
    json_t *object = session_dir_read(cli_state_dir(), session->uuid, &error);

    follower->session = session;
    headless_state_init(&follower->state, object);
    json_decref(object);
    (void)strlcpy(follower->state.name, session->name, sizeof follower->state.name);
    follower->state.recording = recording_path(session);
    headless_teller_init(&follower->teller, &run->log, &follower->state);
    headless_printed_init(&follower->printed);
    event_source_init(&follower->source, session->uuid, 0);
    if ((session->file != NULL &&
         headless_copy_open(&follower->copy, session->file, session->uuid, &error) < 0) ||
        (!run->json && strcmp(follower->state.agent, "command") == 0 &&
         headless_printed_open(&follower->printed, session->uuid, &error) < 0))
        (void)cli_error("run", &error);
}

/* One that could not be made has no events; it is over. */
static void begin_failed(struct run *run, struct follower *follower, const struct headless_session *session)
{
    follower->session = session;
    follower->done = true;
    headless_state_init(&follower->state, NULL);
    (void)strlcpy(follower->state.name, session->name, sizeof follower->state.name);
    headless_state_fail(&follower->state, session->failure);
    headless_teller_init(&follower->teller, &run->log, &follower->state);
    headless_printed_init(&follower->printed);
    if (!run->json)
        headless_teller_say(&follower->teller, STYLE_BAD, "failed: %s", session->failure);
}

static void begin(struct run *run, const struct headless_session *sessions)
{
    size_t width = 4;

    for (size_t i = 0; i < run->count; i++) {
        size_t length = strlen(sessions[i].name);
        width = length > width ? length : width;
    }
    headless_output_init(&run->output);
    headless_log_init(&run->log, &run->output, width < NAME_COLUMNS ? (int)width : NAME_COLUMNS);
    for (size_t i = 0; i < run->count; i++)
        (sessions[i].failure != NULL ? begin_failed : begin_one)(run, &run->followers[i], &sessions[i]);
}

/* Nothing shall hold the state folder once this command has returned: a host that has ended would stay for a while. */
static void dismiss(const struct follower *follower)
{
    struct error error;

    if (follower->state.ended && follower->session->failure == NULL)
        (void)cli_leave(follower->source.uuid, &error);
}

static int finish(struct run *run)
{
    int code = EXIT_OK;
    bool unmade = false;

    for (size_t i = 0; i < run->count; i++) {
        struct follower *follower = &run->followers[i];
        bool made = follower->session->failure == NULL;
        int own = made ? headless_state_exit(&follower->state) : EXIT_OK;
        unmade = unmade || !made;
        dismiss(follower);
        if (own == EXIT_OK && follower->lacking)
            own = EXIT_FAILED;
        code = code == EXIT_OK ? own : code;
        headless_printed_finish(&follower->printed);
        headless_teller_finish(&follower->teller);
        headless_state_finish(&follower->state);
    }
    headless_output_finish(&run->output);
    free(run->followers);
    if (run->signals >= 0)
        close(run->signals);
    code = code == EXIT_OK && unmade ? EXIT_FAILED : code;
    return run->interrupts > 0 ? EXIT_CANCELLED : code;
}

static void summarize(struct run *run)
{
    const struct headless_state **states = xcalloc(run->count, sizeof *states);

    for (size_t i = 0; i < run->count; i++)
        states[i] = &run->followers[i].state;
    headless_summary(states, run->count, &run->output);
    free(states);
}

int headless_follow(const struct headless_session *sessions, size_t count, bool json)
{
    struct run run = {.count = count, .json = json, .followers = xcalloc(count, sizeof *run.followers)};

    run.signals = headless_stop_watch();
    run.input = headless_input_begin();
    begin(&run, sessions);
    go_on(&run);
    while (settle_those_over(&run)) {
        wait_for_news(&run, timeout_of(&run));
        go_on(&run);
    }
    if (!json)
        summarize(&run);
    while (headless_output_waits(&run.output))
        wait_for_news(&run, -1);
    return finish(&run);
}
