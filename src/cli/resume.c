#include "cli/resume.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/start.h"
#include "config/config.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

#define FOUND_MS 2000
#define SETTLE_MS 5000 /* for an agent to be there, or to say that it cannot, */
#define SILENT_MS 1000 /* but only while it goes on writing */
#define LOOK_MS 50

static int run(int argc, char **argv);

const struct command command_resume = {
    "resume", "Tell", "go on with sessions that were lost, as by a reboot",
    "usage: ganger resume SESSION… | --all [--json]\n"
    "\n"
    "Starts the agent of each lost session again, one after another, in its own conversation, folder, "
    "account\n"
    "and mode, with the environment of this command: that of `ganger run` is gone. Nothing that was sent is\n"
    "sent again: `ganger retry` does that. What waited goes on: queued prompts, a limit's reset, a retry.\n"
    "\n"
    "  --all    all sessions that are lost\n"
    "  --json   print {\"session\", \"state\", \"attempt\", \"conversation\", \"interrupted\", \"message\"} "
    "for each; state is "
    "resumed, new\n"
    "           (without its conversation) or failed\n"
    "\n"
    "Exit code: 0, 1 when a session could not be resumed, 2 on bad usage.\n"
    "\n"
    "example: ganger resume --all\n",
    run};

/* ---- which ---- */

bool resume_was_lost(const json_t *session)
{
    const char *phase = json_member_string(session, "phase", "");

    return strcmp(phase, "lost") == 0 ||
           (strcmp(phase, "failed") == 0 &&
            strcmp(json_member_string(json_object_get(session, "last_error"), "code", ""), "keeper_lost") ==
                0);
}

static int check_lost(const char *uuid, const json_t *session, struct error *error)
{
    const char *phase = json_member_string(session, "phase", "?");

    if (!session_phase_ended(phase))
        return error_set(error, session_dir_alive(cli_state_dir(), uuid, NULL) == 1
                                    ? "it runs: there is nothing to resume"
                                    : "it belongs to another machine, or is just being started");
    if (!resume_was_lost(session))
        return error_set(error, "it is not lost, it has ended (%s): `ganger retry` runs it again", phase);
    return 0;
}

/* ---- one session ---- */

static int check_folder(const char *folder, struct error *error)
{
    struct stat status;

    if (stat(folder, &status) < 0)
        return error_errno(error, "the working folder %s", folder);
    return S_ISDIR(status.st_mode) ? 0 : error_set(error, "the working folder %s is not a folder", folder);
}

/* What would fail anyway is said before anything is changed. */
static int check(const char *uuid, const json_t *session, struct error *error)
{
    const char *account = json_member_string(session, "account", NULL);
    struct config *config;
    int result;

    if (check_lost(uuid, session, error) < 0 ||
        check_folder(json_member_string(session, "cwd", "/"), error) < 0)
        return -1;
    config = config_load(NULL, error);
    if (config == NULL)
        return -1;
    result = account == NULL
                 ? 0
                 : start_check_account(config, json_member_string(session, "agent", ""), account, error);
    config_destroy(config);
    return result;
}

/* A session that is lost keeps what it was about: only which attempt begins, and how, is written. */
static int prepare(const char *uuid, json_t *session, int attempt, struct error *error)
{
    char name[NAME_MAX_LENGTH + 1];
    json_t *start = json_object_get(session, "start");

    if (!json_is_object(start))
        return error_set(error, "its session.json does not say how it was started");
    (void)json_object_set_new(start, "attempt_wanted", json_integer(attempt));
    (void)json_object_set_new(start, "resume", json_true());
    if (session_dir_name_numbered(cli_state_dir(), uuid, json_member_string(session, "name", ""), true, name,
                                  error) < 0)
        return -1;
    (void)json_object_set_new(session, "name", json_string(name));
    return session_dir_write(cli_state_dir(), uuid, session, error);
}

static bool is_starting(const json_t *session)
{
    const char *phase = json_member_string(session, "phase", "");

    return strcmp(phase, "initializing") == 0 || strcmp(phase, "connecting") == 0;
}

static int64_t written(const json_t *session)
{
    return json_member_integer(json_object_get(session, "recording"), "bytes", 0);
}

/* The agent runs; a moment later it may have found that it cannot. Takes and returns the session object. */
static json_t *await_rest(const char *uuid, json_t *session)
{
    int64_t now = clock_monotonic_ns(), deadline = now + SETTLE_MS * 1000000LL;
    int64_t silent_at = now + SILENT_MS * 1000000LL;

    if (strcmp(json_member_string(session, "agent", ""), "command") == 0)
        return session;
    for (; session != NULL && is_starting(session) && now < deadline && now < silent_at;
         now = clock_monotonic_ns()) {
        json_t *later;
        (void)poll(NULL, 0, LOOK_MS);
        later = cli_session(uuid, CLI_CALL_TIMEOUT_MS, NULL);
        if (later == NULL)
            break;
        if (written(later) != written(session))
            silent_at = clock_monotonic_ns() + SILENT_MS * 1000000LL;
        json_decref(session);
        session = later;
    }
    return session;
}

static int check_begun(const json_t *session, struct error *error)
{
    const json_t *last_error = json_object_get(session, "last_error");
    const char *phase = json_member_string(session, "phase", "");

    if (!session_phase_ended(phase) || strcmp(phase, "completed") == 0)
        return 0;
    return error_set(error, "it was started and ended at once (%s): %s; see `ganger snapshot %s`", phase,
                     json_member_string(last_error, "message", "it does not say why"),
                     json_member_string(session, "name", ""));
}

/* Another ganger that finds the session lost holds its lock for a moment. */
static void settle(const char *uuid)
{
    int64_t deadline = clock_monotonic_ns() + FOUND_MS * 1000000LL;

    while (session_dir_alive(cli_state_dir(), uuid, NULL) == 1 && clock_monotonic_ns() < deadline) {
        struct error error;
        struct client *client = client_connect(cli_runtime_dir(), uuid, FOUND_MS, &error);
        client_destroy(client);
        if (client != NULL)
            return;
        (void)poll(NULL, 0, LOOK_MS);
    }
    (void)session_lost_settle(cli_state_dir(), uuid);
}

json_t *resume_session(const char *uuid, struct error *error)
{
    json_t *session, *begun = NULL;
    char *folder;
    int attempt;

    settle(uuid);
    /* The host of a keeper that died may still be writing. */
    session = cli_session(uuid, CLI_CALL_TIMEOUT_MS, error);
    if (session == NULL || check_lost(uuid, session, error) < 0 || cli_leave(uuid, error) < 0) {
        json_decref(session);
        return NULL;
    }
    json_decref(session);
    session = session_dir_read(cli_state_dir(), uuid, error);
    if (session == NULL)
        return NULL;
    attempt = (int)json_member_integer(session, "attempt", 0) + 1;
    folder = xstrdup(json_member_string(session, "cwd", "/"));
    if (check(uuid, session, error) == 0 && prepare(uuid, session, attempt, error) == 0)
        begun = await_rest(uuid, start_session(uuid, folder, attempt, error));
    if (begun != NULL && check_begun(begun, error) < 0) {
        json_decref(begun);
        begun = NULL;
    }
    free(folder);
    json_decref(session);
    return begun;
}

/* ---- saying it ---- */

/* What a living session has taken meanwhile cannot be its name; allocated, NULL: it has kept it. */
static char *renamed(const char *before, const json_t *session)
{
    const char *name = json_member_string(session, "name", "");

    return before == NULL || strcmp(before, name) == 0
               ? NULL
               : xasprintf("it is named %s, since another session is named %s", name, before);
}

static void say(const char *name, const char *before, const json_t *session)
{
    char *note = renamed(before, session);
    const json_t *resumed = json_object_get(session, "resumed"),
                 *interrupted = json_object_get(resumed, "interrupted");
    const char *prompt = json_member_string(interrupted, "prompt", NULL);
    int waiting = (int)json_member_integer(resumed, "waiting", 0);

    (void)printf("%s: attempt %d, %s", name, (int)json_member_integer(session, "attempt", 0),
                 json_member_string(resumed, "conversation", NULL) != NULL
                     ? "in its conversation"
                     : "begins anew: no conversation of it is known");
    if (json_is_object(interrupted)) {
        char *text = prompt == NULL ? NULL : cli_clean(prompt, strlen(prompt));
        (void)printf("; was interrupted in turn %d%s%.60s%s, which is not sent again (`ganger retry` does)",
                     (int)json_member_integer(interrupted, "turn", 0), text == NULL ? "" : ": \"",
                     text == NULL ? "" : text, text == NULL ? "" : "\"");
        free(text);
    }
    if (waiting > 0)
        (void)printf("; %d prompt%s wait%s", waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
    if (note != NULL)
        (void)printf("; %s", note);
    (void)putchar('\n');
    free(note);
}

static void say_json(const char *name, const char *before, const json_t *session, const struct error *error)
{
    char *note = session == NULL ? NULL : renamed(before, session);
    const json_t *resumed = json_object_get(session, "resumed");
    const char *conversation = json_member_string(resumed, "conversation", NULL);
    json_t *line = json_pack(
        "{so ss so so sO? so}", "session", json_string_or_null(name), "state",
        session == NULL        ? "failed"
        : conversation != NULL ? "resumed"
                               : "new",
        "attempt", session == NULL ? json_null() : json_integer(json_member_integer(session, "attempt", 0)),
        "conversation", json_string_or_null(conversation), "interrupted",
        json_object_get(resumed, "interrupted"), "message",
        json_string_or_null(session == NULL ? error->text : note));

    (void)json_dumpf(line, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(line);
    free(note);
}

/* Returns the exit code. */
static int resume_and_say(const char *uuid, const char *name, bool json)
{
    struct error error = {.text = ""};
    json_t *was = session_dir_read(cli_state_dir(), uuid, NULL), *session = resume_session(uuid, &error);
    const char *before = json_member_string(was, "name", NULL);
    int code = session == NULL ? EXIT_FAILED : EXIT_OK;

    if (json)
        say_json(name, before, session, &error);
    else if (session == NULL)
        (void)cli_error(name, &error);
    else
        say(name, before, session);
    (void)fflush(stdout);
    json_decref(session);
    json_decref(was);
    return code;
}

/* ---- the command ---- */

/* The file of a session that was resumed a moment ago may be behind its host. */
static bool is_lost(const json_t *listed)
{
    const char *uuid = json_member_string(listed, "id", "");
    json_t *session = NULL;
    struct error error;
    bool lost = resume_was_lost(listed) && session_lost_is_here(listed);

    if (lost && json_is_true(json_object_get(listed, "alive"))) {
        session = cli_session(uuid, CLI_CALL_TIMEOUT_MS, &error);
        lost = session == NULL || resume_was_lost(session);
    }
    json_decref(session);
    return lost;
}

static int resume_all(bool json)
{
    struct error error;
    json_t *sessions, *session;
    int code = EXIT_OK;
    size_t index, found = 0;

    (void)session_lost_settle_all(cli_state_dir());
    sessions = session_dir_list(cli_state_dir(), NULL, &error);
    if (sessions == NULL)
        cli_die("resume", &error);
    json_array_foreach(sessions, index, session)
    {
        if (!is_lost(session))
            continue;
        found++;
        if (resume_and_say(json_member_string(session, "id", ""), json_member_string(session, "name", "?"),
                           json) != 0)
            code = EXIT_FAILED;
    }
    if (found == 0 && !json)
        (void)puts("no session is lost");
    json_decref(sessions);
    return code;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'}, {"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    bool all = false, json = false;
    int code = EXIT_OK;

    for (int option; (option = cli_option(&command_resume, argc, argv, ":h", options)) != -1;) {
        all = all || option == 'a';
        json = json || option == 'j';
    }
    cli_operands(&command_resume, argc, all ? 0 : 1, all ? 0 : -1);
    if (all)
        return resume_all(json);
    for (int i = optind; i < argc; i++) {
        char uuid[UUID_SIZE];
        cli_find(argv[i], true, uuid);
        if (resume_and_say(uuid, argv[i], json) != EXIT_OK)
            code = EXIT_FAILED;
    }
    return code;
}
