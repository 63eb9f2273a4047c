#include "cli/upgrade.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/local_socket.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"
#include "store/session_life.h"
#include "store/session_lost.h"

#define BUSY_MS 10000   /* until a moment comes at which nothing is half done */
#define FOLLOW_MS 30000 /* above the 10 s after which a keeper replaces a host that is not ready */
#define STEP_MS 20

static int run(int argc, char **argv);

const struct command command_upgrade = {
    "upgrade", "Tell", "move running sessions to the installed version",
    "usage: ganger upgrade [SESSION…] [--json]\n"
    "\n"
    "The host of each session (of all that run, without SESSION) that is another program than the installed\n"
    "one hands over to it. Agents run on and notice nothing. When the installed program does not start, the\n"
    "session goes on with the one of before.\n"
    "\n"
    "  --json   print {\"session\", \"state\", \"from\", \"to\", \"ms\", \"message\"} for each; state is "
    "upgraded,\n"
    "           current, ended, failed, or other: another installation's, which is left unless it is named\n"
    "\n"
    "Exit code: 0, 1 when a session could not be moved, 2 on bad usage.\n"
    "\n"
    "example: ganger upgrade\n",
    run};

/* A host that answers. */
struct serving {
    pid_t pid;
    char version[32];
    struct stat program;
    bool known; /* the program */
};

/* What became of one session. */
struct outcome {
    const char *state;
    struct serving from, to;
    int64_t ms; /* without a host */
    struct error error;
};

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static bool stat_program(pid_t pid, struct stat *status)
{
    char path[32];

    (void)snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return pid > 1 && stat(path, status) == 0;
}

static int stat_installed(char **path, struct stat *status, struct error *error)
{
    *path = path_installed("ganger-host", error);
    if (*path == NULL)
        return -1;
    return stat(*path, status) == 0 ? 0 : error_errno(error, "the installed host %s", *path);
}

static int look(struct client *client, struct serving *serving, struct error *error)
{
    uid_t user;
    json_t *hello;

    *serving = (struct serving){.version = ""};
    if (local_socket_peer(client_descriptor(client), &user, &serving->pid, error) < 0)
        return -1;
    hello = client_call(client, "hello", json_pack("{s:i}", "protocol", RPC_PROTOCOL), CLI_CALL_TIMEOUT_MS,
                        error);
    if (hello == NULL)
        return -1;
    (void)snprintf(serving->version, sizeof serving->version, "%s",
                   json_member_string(hello, "version", "?"));
    serving->known = stat_program(serving->pid, &serving->program);
    json_decref(hello);
    return 0;
}

/* The program that the session's keeper starts, which it was told at its own start; NULL when that cannot be read. Allocated. */
static char *keepers_choice(pid_t host)
{
    char path[32], *text = NULL, *choice = NULL;
    size_t length = 0;
    int parent = 0;
    const char *at;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)host);
    if (path_read_file(path, 4096, &text, &length, NULL) == 0 && (at = strrchr(text, ')')) != NULL)
        (void)sscanf(at, ") %*c %d", &parent);
    free(text);
    text = NULL;
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", parent);
    if (parent > 1 && path_read_file(path, 16384, &text, &length, NULL) == 0 &&
        strcmp(text, "ganger-keeper") == 0) {
        at = text;
        for (int i = 0; i < 3 && at < text + length; i++)
            at += strlen(at) + 1;
        choice = at < text + length ? xstrdup(at) : NULL;
    }
    free(text);
    return choice;
}

/* Whether the keeper would start the installed program. */
static int check_choice(pid_t host, const char *installed, const struct stat *wanted, struct error *error)
{
    char *choice = keepers_choice(host);
    struct stat status;
    int result = 0;

    if (choice != NULL && (stat(choice, &status) != 0 || !is_same(&status, wanted)))
        result = error_set(error,
                           "it was started by another installation, with %s, not %s: `ganger retry` moves it",
                           choice, installed);
    free(choice);
    return result;
}

/* Hosts of before session.upgrade make room when they are told to end while their agent runs. */
static json_t *ask_old(struct client *client, pid_t host, struct error *error)
{
    json_t *session = client_call(client, "session.get", NULL, CLI_CALL_TIMEOUT_MS, error);
    bool runs = json_is_integer(json_object_get(session, "pid"));

    if (session != NULL && !runs)
        (void)error_set(error, "no agent runs in it, and its host is too old to be asked");
    else if (session != NULL)
        (void)kill(host, SIGTERM);
    json_decref(session);
    return session != NULL && runs ? json_pack("{s:s}", "state", "leaving") : NULL;
}

/* The answer to session.upgrade; the connection may end with it. */
static json_t *ask(struct client *client, pid_t host, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + BUSY_MS * 1000000LL;
    json_t *answer;

    for (;;) {
        answer = client_call(client, "session.upgrade", NULL, CLI_CALL_TIMEOUT_MS, error);
        if (answer != NULL || error->code != RPC_BUSY || clock_monotonic_ns() >= deadline)
            break;
        (void)poll(NULL, 0, STEP_MS);
    }
    return answer == NULL && error->code == RPC_METHOD_NOT_FOUND ? ask_old(client, host, error) : answer;
}

/* Waits for a host that is not `from`. */
static int await_other(const char *uuid, pid_t from, struct serving *to, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + FOLLOW_MS * 1000000LL;

    while (clock_monotonic_ns() < deadline) {
        struct client *client = client_connect(cli_runtime_dir(), uuid, CLI_CALL_TIMEOUT_MS, error);
        int looked = client == NULL ? -1 : look(client, to, error);
        client_destroy(client);
        if (looked == 0 && to->pid != from)
            return 0;
        if (session_dir_alive(cli_state_dir(), uuid, NULL) != 1)
            return error_set(error, "the session ended meanwhile: see its host.log");
        (void)poll(NULL, 0, STEP_MS / 4);
    }
    return error_set(error, "no other host answers within %d s: see %s/sessions/%s/%s", FOLLOW_MS / 1000,
                     cli_state_dir(), uuid, SESSION_HOST_LOG);
}

static int hand_over(struct client *client, const char *uuid, struct outcome *outcome,
                     const struct stat *wanted)
{
    struct error *error = &outcome->error;
    json_t *answer = ask(client, outcome->from.pid, error);
    int64_t began = clock_monotonic_ns();
    bool ended = answer != NULL && strcmp(json_member_string(answer, "state", ""), "ended") == 0;

    json_decref(answer);
    if (answer == NULL)
        return -1;
    if (ended) {
        outcome->state = "ended";
        return 0;
    }
    if (await_other(uuid, outcome->from.pid, &outcome->to, error) < 0)
        return -1;
    outcome->ms = (clock_monotonic_ns() - began) / 1000000;
    if (outcome->to.known && !is_same(&outcome->to.program, wanted))
        return error_set(error,
                         "the installed host does not start: the session goes on with the one of before "
                         "(%s); see %s/sessions/%s/%s",
                         outcome->to.version, cli_state_dir(), uuid, SESSION_HOST_LOG);
    outcome->state = "upgraded";
    return 0;
}

/* `named`: it was asked for, and is not left to the installation that it is of. */
static void upgrade(const char *uuid, bool named, const char *installed, const struct stat *wanted,
                    struct outcome *outcome)
{
    struct client *client;

    *outcome = (struct outcome){.state = "failed"};
    client = cli_connect(uuid, &outcome->error);
    if (client == NULL || look(client, &outcome->from, &outcome->error) < 0) {
        client_destroy(client);
        return;
    }
    if (outcome->from.known ? is_same(&outcome->from.program, wanted)
                            : strcmp(outcome->from.version, GANGER_VERSION) == 0)
        outcome->state = "current";
    else if (check_choice(outcome->from.pid, installed, wanted, &outcome->error) < 0)
        outcome->state = named ? "failed" : "other";
    else
        (void)hand_over(client, uuid, outcome, wanted);
    client_destroy(client);
}

static void say(const char *name, const struct outcome *outcome)
{
    const char *from = outcome->from.version, *to = outcome->to.version;

    if (strcmp(outcome->state, "failed") == 0)
        (void)cli_error(name, &outcome->error);
    else if (strcmp(outcome->state, "current") == 0)
        (void)printf("%s: already current (%s)\n", name, from);
    else if (strcmp(outcome->state, "other") == 0)
        (void)printf("%s: left as it is: %s\n", name, outcome->error.text);
    else if (strcmp(outcome->state, "ended") == 0)
        (void)printf("%s: has ended, its host leaves\n", name);
    else if (strcmp(from, to) == 0)
        (void)printf("%s: upgraded to another build of %s (%lld ms)\n", name, to, (long long)outcome->ms);
    else
        (void)printf("%s: upgraded from %s to %s (%lld ms)\n", name, from, to, (long long)outcome->ms);
}

static void say_json(const char *name, const struct outcome *outcome)
{
    bool failed = strcmp(outcome->state, "failed") == 0 || strcmp(outcome->state, "other") == 0,
         upgraded = strcmp(outcome->state, "upgraded") == 0;
    json_t *line =
        json_pack("{so ss so so so so}", "session", json_string_or_null(name), "state", outcome->state,
                  "from", json_string_or_null(*outcome->from.version == '\0' ? NULL : outcome->from.version),
                  "to", json_string_or_null(*outcome->to.version == '\0' ? NULL : outcome->to.version), "ms",
                  upgraded ? json_integer(outcome->ms) : json_null(), "message",
                  json_string_or_null(failed ? outcome->error.text : NULL));

    (void)json_dumpf(line, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(line);
}

/* The sessions that run, named by UUID; caller owns. */
static json_t *running(void)
{
    struct error error;
    json_t *sessions, *result = json_array(), *session;
    size_t index;

    (void)session_lost_settle_all(cli_state_dir());
    sessions = session_dir_list(cli_state_dir(), NULL, &error);
    if (sessions == NULL)
        cli_die("upgrade", &error);
    json_array_foreach(sessions, index, session)
    {
        if (json_is_true(json_object_get(session, "alive")))
            (void)json_array_append(result, session);
    }
    json_decref(sessions);
    return result;
}

static json_t *named(int argc, char **argv)
{
    json_t *result = json_array();

    for (int i = optind; i < argc; i++) {
        char uuid[UUID_SIZE];
        cli_find(argv[i], true, uuid);
        (void)json_array_append_new(result, json_pack("{s:s, s:s}", "id", uuid, "name", argv[i]));
    }
    return result;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    bool json = false;
    char *installed;
    struct stat wanted;
    struct error error;
    int code = EXIT_OK;
    json_t *sessions, *session;
    size_t index;

    for (int option; (option = cli_option(&command_upgrade, argc, argv, ":h", options)) != -1;)
        json = option == 'j' || json;
    if (stat_installed(&installed, &wanted, &error) < 0)
        cli_die("upgrade", &error);
    sessions = optind < argc ? named(argc, argv) : running();
    if (json_array_size(sessions) == 0 && !json)
        (void)puts("no session runs");
    json_array_foreach(sessions, index, session)
    {
        struct outcome outcome;
        upgrade(json_member_string(session, "id", ""), optind < argc, installed, &wanted, &outcome);
        (json ? say_json : say)(json_member_string(session, "name", "?"), &outcome);
        (void)fflush(stdout);
        if (strcmp(outcome.state, "failed") == 0)
            code = EXIT_FAILED;
    }
    json_decref(sessions);
    free(installed);
    return code;
}

unsigned upgrade_outdated(const json_t *sessions)
{
    char *installed;
    struct stat wanted, status;
    unsigned count = 0;
    size_t index;
    json_t *session;

    if (stat_installed(&installed, &wanted, NULL) < 0) {
        free(installed);
        return 0;
    }
    json_array_foreach(sessions, index, session)
    {
        const char *uuid = json_member_string(session, "id", "");
        pid_t host = (pid_t)json_member_integer(session, "host_pid", 0);
        if (session_host_is(host, uuid) && stat_program(host, &status) && !is_same(&status, &wanted))
            count++;
    }
    free(installed);
    return count;
}
