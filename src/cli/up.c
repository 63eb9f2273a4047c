#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/crew_sessions.h"
#include "cli/headless.h"
#include "cli/resume.h"
#include "cli/up.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

static int run(int argc, char **argv);

const struct command command_up = {
    "up", "Start", "start the crew that a file declares",
    "usage: ganger up [CREWFILE] [OPTIONS]\n"
    "\n"
    "Starts the sessions of the crew file (./ganger.json without it) that do not run, a few at a time, and "
    "opens the dashboard. Those that\n"
    "run are left as they are, whatever the file says by now. One that was lost, as by a reboot, is resumed, "
    "as `ganger resume` does. One\n"
    "that has ended is started afresh, prompt and all, and its old folder is kept; but a session that "
    "completed "
    "the prompt that the\n"
    "file still gives is left, since its work is done. One that cannot be started does not stop the others.\n"
    "\n"
    "  -d              no dashboard; there is none either without a terminal, or when a session failed\n"
    "  --again         start afresh also those whose prompt was completed, and those that were lost\n"
    "  --check         say what would be started (absent), resumed (lost) or could not be (failed, and why), "
    "and do nothing\n"
    "  --json          print an array of {\"name\", \"state\", \"id\", \"error\"}; state is started, "
    "resumed, "
    "running,\n"
    "                  completed or failed; absent or lost with --check\n"
    "  --record[=DIR]  headless: follow all sessions on stdout until the last has ended, as `ganger run "
    "--record` does; DIR gets\n"
    "                  the recording NAME.cast of each; --json prints the events then\n"
    "  --force         with --record=DIR: replace the recordings that are there\n"
    "\n"
    "Exit code: 0, 1 when a session could not be started, 2 on bad usage; with --record that of the first "
    "session that did not complete.\n"
    "`ganger init` writes a first crew file, ganger-crew(5) describes it, `ganger down` ends the crew.\n"
    "\n"
    "example: ganger up -d && ganger ls\n",
    run};

static const char *const state_words[] = {"absent",  "lost",      "started", "resumed",
                                          "running", "completed", "failed"};

/* ---- options ---- */

enum { OPTION_AGAIN = 256, OPTION_CHECK, OPTION_JSON, OPTION_RECORD, OPTION_FORCE };

static void take_option(int option, struct up_options *options)
{
    options->detached |= option == 'd';
    options->again |= option == OPTION_AGAIN;
    options->check |= option == OPTION_CHECK;
    options->json |= option == OPTION_JSON;
    options->force |= option == OPTION_FORCE;
    if (option == OPTION_RECORD) {
        options->record = true;
        options->folder = optarg;
    }
}

static struct up_options parse(int argc, char **argv)
{
    static const struct option longs[] = {{"detached", no_argument, NULL, 'd'},
                                          {"again", no_argument, NULL, OPTION_AGAIN},
                                          {"check", no_argument, NULL, OPTION_CHECK},
                                          {"json", no_argument, NULL, OPTION_JSON},
                                          {"record", optional_argument, NULL, OPTION_RECORD},
                                          {"force", no_argument, NULL, OPTION_FORCE},
                                          CLI_HELP_OPTION,
                                          {0}};
    struct up_options options = {0};

    for (int option; (option = cli_option(&command_up, argc, argv, ":dh", longs)) != -1;)
        take_option(option, &options);
    cli_operands(&command_up, argc, 0, 1);
    options.file = argv[optind];
    if (options.record && (options.detached || options.check))
        cli_usage_error(&command_up, "--record excludes %s", options.check ? "--check" : "-d");
    if (options.force && options.folder == NULL)
        cli_usage_error(&command_up, "--force goes with --record=DIR");
    return options;
}

/* ---- what there is ---- */

/* A completed session whose prompt is the one that the file gives. */
static bool has_done(const struct crew_session *wanted, const json_t *session, const char *phase)
{
    const char *prompt = json_member_string(json_object_get(session, "start"), "prompt", NULL);

    return strcmp(phase, "completed") == 0 && prompt != NULL && wanted->prompt != NULL &&
           strcmp(prompt, wanted->prompt) == 0;
}

static void judge(const struct up *up, struct up_member *member, const json_t *session)
{
    const char *crew = crew_of(session);
    char *phase = crew_phase(member->uuid, session);
    bool ours = strcmp(crew, up->crew->path) == 0;

    if (!session_phase_ended(phase)) {
        member->state = ours ? STATE_RUNNING : STATE_FAILED;
        (void)snprintf(member->text, sizeof member->text, ours ? "%s" : "the name is taken by a session %s%s",
                       ours            ? phase
                       : *crew != '\0' ? "of the crew "
                                       : "that is of no crew",
                       ours ? "" : crew);
    } else if (ours && !up->options.again && !up->options.record &&
               has_done(member->session, session, phase)) {
        member->state = STATE_COMPLETED;
        (void)snprintf(member->text, sizeof member->text, "its prompt is done; --again runs it again");
    } else if (ours && !up->options.again && !up->options.record && resume_was_lost(session)) {
        member->state = STATE_LOST;
    }
    free(phase);
}

static void look(const struct up *up, struct up_member *member)
{
    json_t *session;

    if (session_dir_find(cli_state_dir(), member->session->name, false, member->uuid, NULL) < 0) {
        member->uuid[0] = '\0';
        return;
    }
    crew_await_start(member->uuid);
    (void)session_lost_settle(cli_state_dir(), member->uuid);
    session = session_dir_read(cli_state_dir(), member->uuid, NULL);
    if (session != NULL)
        judge(up, member, session);
    json_decref(session);
    if (member->state == STATE_ABSENT)
        member->uuid[0] = '\0';
}

/* ---- output ---- */

static void print_row(const struct up *up, const char *name, const char *state, const char *text)
{
    char *clean = cli_clean(text, strlen(text));

    if (*clean != '\0')
        (void)printf("%-*s  %-9s  %s\n", (int)up->width, name, state, clean);
    else
        (void)printf("%-*s  %s\n", (int)up->width, name, state);
    (void)fflush(stdout);
    free(clean);
}

/* Headless, stdout belongs to the events. */
static void tell(const struct up *up, const struct up_member *member)
{
    struct error error = {0};

    if (up->options.record) {
        (void)snprintf(error.text, sizeof error.text, "%s", member->text);
        if (member->state == STATE_FAILED)
            (void)cli_error(member->session->name, &error);
    } else if (!up->options.json) {
        print_row(up, member->session->name, state_words[member->state], member->text);
    }
}

/* Sessions of the crew that the file does not name any more. */
static void tell_others(const struct up *up)
{
    struct error error;
    json_t *list = crew_sessions(up->crew->path, &error), *session;
    size_t index;

    json_array_foreach(list, index, session)
    {
        const char *id = json_member_string(session, "id", ""),
                   *name = json_member_string(session, "name", "?");
        char *phase = crew_phase(id, session);
        bool named = session_phase_ended(phase);
        for (size_t i = 0; i < up->crew->count; i++)
            named |= strcmp(up->members[i].uuid, id) == 0;
        if (!named)
            print_row(up, name, "running", "not in the file any more; `ganger down` ends it, too");
        free(phase);
    }
    json_decref(list);
}

static void print_array(const struct up *up)
{
    json_t *array = json_array();

    for (size_t i = 0; i < up->crew->count; i++) {
        const struct up_member *member = &up->members[i];
        (void)json_array_append_new(
            array, json_pack("{s:s, s:s, s:o, s:o}", "name", member->session->name, "state",
                             state_words[member->state], "id",
                             json_string_or_null(member->uuid[0] != '\0' ? member->uuid : NULL), "error",
                             json_string_or_null(member->state == STATE_FAILED ? member->text : NULL)));
    }
    cli_print_json(array);
    json_decref(array);
}

/* ---- starting ---- */

static struct launch launch_of(const struct up *up, const struct crew_session *session, int lifeline)
{
    struct launch launch = launch_empty();

    launch.agent = session->agent;
    launch.account = session->account;
    launch.name = session->name;
    launch.folder = session->folder;
    launch.mode = session->mode;
    launch.prompt = session->prompt;
    launch.command = session->command;
    launch.cols = session->cols;
    launch.rows = session->rows;
    launch.timeout_s = session->timeout_s;
    launch.crew = up->crew->path;
    launch.headless = up->options.record;
    launch.own_files = up->own_files;
    launch.lifeline = lifeline;
    return launch;
}

static void told(void *context, const struct crew_start *start)
{
    struct up *up = context;
    struct up_member *member = up->started[start - up->starts];

    member->state = start->error.text[0] != '\0' ? STATE_FAILED
                    : start->resume              ? STATE_RESUMED
                                                 : STATE_STARTED;
    memcpy(member->uuid, start->uuid, sizeof member->uuid);
    (void)snprintf(member->text, sizeof member->text, "%s",
                   start->interrupted ? "was interrupted in a turn: `ganger retry` sends its prompt again"
                                      : start->error.text);
    tell(up, member);
}

static bool is_startable(const struct up_member *member)
{
    return member->state == STATE_ABSENT || member->state == STATE_LOST;
}

void up_start(struct up *up, int lifeline)
{
    struct error error;
    struct config *config = config_load(NULL, &error);

    if (config == NULL)
        cli_die("configuration", &error);
    (void)cli_runtime_dir();
    up->starts = xcalloc(up->crew->count, sizeof *up->starts);
    up->started = xcalloc(up->crew->count, sizeof *up->started);
    for (size_t i = 0; i < up->crew->count; i++) {
        struct up_member *member = &up->members[i];
        struct crew_start *start = &up->starts[up->start_count];
        if (!is_startable(member))
            continue;
        start->launch = launch_of(up, member->session, lifeline);
        start->resume = member->state == STATE_LOST;
        memcpy(start->uuid, member->uuid, sizeof start->uuid);
        up->started[up->start_count++] = member;
    }
    crew_start_all(up->starts, up->start_count, config, told, up);
    config_destroy(config);
}

/* What is known to fail without being started. */
static void check_all(struct up *up)
{
    struct error error;
    struct config *config = config_load(NULL, &error);

    if (config == NULL)
        cli_die("configuration", &error);
    for (size_t i = 0; i < up->crew->count; i++) {
        struct up_member *member = &up->members[i];
        struct launch launch = launch_of(up, member->session, -1);
        if (member->state != STATE_ABSENT || launch_check(&launch, config, &error) == 0)
            continue;
        member->state = STATE_FAILED;
        (void)snprintf(member->text, sizeof member->text, "%s", error.text);
    }
    config_destroy(config);
}

static size_t count_failed(const struct up *up)
{
    size_t count = 0;

    for (size_t i = 0; i < up->crew->count; i++)
        count += up->members[i].state == STATE_FAILED;
    return count;
}

static int up_interactive(struct up *up, int lock)
{
    bool dashboard = !up->options.detached && !up->options.json && !up->options.check &&
                     isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    size_t failed;

    if (up->options.check)
        check_all(up);
    for (size_t i = 0; i < up->crew->count; i++) {
        if (!is_startable(&up->members[i]) || up->options.check)
            tell(up, &up->members[i]);
    }
    if (!up->options.check)
        up_start(up, -1);
    close(lock);
    if (up->options.json)
        print_array(up);
    else
        tell_others(up);
    failed = count_failed(up);
    if (failed > 0)
        return cli_errorf("up", "%zu of %zu sessions %s be started%s", failed, up->crew->count,
                          up->options.check ? "cannot" : "could not",
                          dashboard ? "; `ganger` opens the dashboard" : "");
    return dashboard ? cli_open_dashboard(NULL, false, false) : EXIT_OK;
}

/* ---- the command ---- */

/* The lock comes first: who waited for it reads what the file says then. */
static int load(struct up *up, struct error *error)
{
    char *path = crew_path(up->options.file, error);
    int lock = -1;

    if (path == NULL)
        return -1;
    if (access(path, F_OK) < 0 && errno == ENOENT)
        (void)error_set(error, "there is no %s: `ganger init` writes a first one", path);
    else
        lock = crew_lock(path, "up", error);
    if (lock >= 0 && (up->crew = crew_load(path, error)) == NULL) {
        close(lock);
        lock = -1;
    }
    free(path);
    return lock;
}

static int run(int argc, char **argv)
{
    struct up up = {.options = parse(argc, argv)};
    struct error error;
    int lock, code;

    if (up.options.record)
        headless_prepare();
    lock = load(&up, &error);
    if (lock < 0)
        return cli_error("up", &error);
    up.members = xcalloc(up.crew->count, sizeof *up.members);
    for (size_t i = 0; i < up.crew->count; i++) {
        size_t length = strlen(up.crew->sessions[i].name);
        up.members[i].session = &up.crew->sessions[i];
        up.width = length > up.width ? length : up.width;
        look(&up, &up.members[i]);
    }
    code = up.options.record ? up_headless(&up, lock) : up_interactive(&up, lock);
    free(up.starts);
    free(up.started);
    free(up.members);
    crew_destroy(up.crew);
    return code;
}
