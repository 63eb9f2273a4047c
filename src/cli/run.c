#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/utf8.h"
#include "cli/start.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

static int run(int argc, char **argv);

const struct command command_run = {
    "run", "Start", "start a session",
    "usage: ganger run [-a AGENT] [OPTIONS] [PROMPT | -- COMMAND…]\n"
    "\n"
    "Starts an agent and opens the dashboard on it; with -d it runs detached and its name is printed. PROMPT "
    "is its first prompt (- reads\n"
    "standard input). With -- any command runs in the pane instead, no shell in between.\n"
    "\n"
    "  -a AGENT      claude, codex, gemini, opencode or command; without it the account's, or the first that "
    "is "
    "installed\n"
    "  -A ACCOUNT    an account of the configuration\n"
    "  -n NAME       the session's name; without it the folder's, numbered when taken\n"
    "  -C DIR        the working folder; without it this one\n"
    "  -m MODE       tui: the agent's own interface on a terminal; stream: its JSON, drawn by ganger\n"
    "  --timeout S   end the session after S seconds, whatever it does then\n"
    "  --size CxR    columns and rows until a dashboard shows it; 120x40 without it\n"
    "  -d            detached\n"
    "  --json        with -d: print the session object\n"
    "\n"
    "Exit code: 0, 1 when the agent could not be started, 2 on bad usage.\n"
    "\n"
    "example: ganger run -a claude -n api-fix -C ~/api 'make the tests pass'\n",
    run};

struct request {
    const char *agent, *account, *name, *folder, *mode;
    char *prompt;
    char **command; /* NULL, or the words after -- */
    int cols, rows;
    double timeout_s; /* 0: none */
    bool detached, json;
};

enum { OPTION_WORKTREE = 256, OPTION_RUNNER, OPTION_SIZE, OPTION_TIMEOUT, OPTION_JSON, OPTION_RECORD };

static const struct option options[] = {{"agent", required_argument, NULL, 'a'},
                                        {"account", required_argument, NULL, 'A'},
                                        {"name", required_argument, NULL, 'n'},
                                        {"directory", required_argument, NULL, 'C'},
                                        {"mode", required_argument, NULL, 'm'},
                                        {"worktree", optional_argument, NULL, OPTION_WORKTREE},
                                        {"runner", required_argument, NULL, OPTION_RUNNER},
                                        {"size", required_argument, NULL, OPTION_SIZE},
                                        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                                        {"record", optional_argument, NULL, OPTION_RECORD},
                                        {"detached", no_argument, NULL, 'd'},
                                        {"json", no_argument, NULL, OPTION_JSON},
                                        CLI_HELP_OPTION,
                                        {0}};

static void parse_size(const char *text, struct request *request)
{
    char end;

    if (sscanf(text, "%4dx%4d%c", &request->cols, &request->rows, &end) != 2 || request->cols < 2 ||
        request->cols > 1000 || request->rows < 2 || request->rows > 500)
        cli_usage_error(&command_run, "--size %s: expected COLUMNSxROWS from 2x2 to 1000x500", text);
}

static _Noreturn void refuse(const char *what)
{
    (void)cli_errorf("run", "%s is not available in ganger %s", what, GANGER_VERSION);
    exit(EXIT_USAGE);
}

static void take_option(int option, struct request *request)
{
    switch (option) {
    case 'a':
        request->agent = optarg;
        break;
    case 'A':
        request->account = optarg;
        break;
    case 'n':
        request->name = optarg;
        break;
    case 'C':
        request->folder = optarg;
        break;
    case 'm':
        request->mode = optarg;
        if (strcmp(optarg, "tui") != 0 && strcmp(optarg, "stream") != 0)
            cli_usage_error(&command_run, "-m %s: expected tui or stream", optarg);
        break;
    case OPTION_WORKTREE:
        refuse("--worktree");
        break;
    case OPTION_RUNNER:
        if (strcmp(optarg, "local") != 0)
            refuse("--runner other than local");
        break;
    case OPTION_SIZE:
        parse_size(optarg, request);
        break;
    case OPTION_TIMEOUT:
        request->timeout_s = cli_seconds(&command_run, optarg);
        if (request->timeout_s <= 0)
            cli_usage_error(&command_run, "--timeout %s: expected more than 0 seconds", optarg);
        break;
    case OPTION_RECORD:
        refuse("--record");
        break;
    case 'd':
        request->detached = true;
        break;
    default:
        request->json = true;
        break;
    }
}

static const char *first_installed(void)
{
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        char *path = entries[i].program != NULL ? program_path(entries[i].program) : NULL;
        free(path);
        if (path != NULL)
            return entries[i].name;
    }
    exit(cli_errorf(
        "run",
        "none of claude, codex, gemini and opencode is installed; `%s` gets one, or name a command after --",
        entries[0].install));
}

/* PROMPT, or the words after "--": getopt has left the latter behind optind with "--" just before them. */
static void take_operands(int argc, char **argv, int dashes, struct request *request)
{
    size_t length;
    struct error error;

    if (dashes > 0) {
        request->command = &argv[dashes];
        if (request->agent != NULL && strcmp(request->agent, "command") != 0)
            cli_usage_error(&command_run, "a command after -- goes with -a command, not with -a %s",
                            request->agent);
        request->agent = "command";
        return;
    }
    cli_operands(&command_run, argc, 0, 1);
    if (optind == argc)
        return;
    request->prompt = cli_text(&command_run, argv[optind], RPC_PROMPT_MAX, &length);
    if (cli_check_prompt(request->prompt, length, &error) < 0)
        cli_die("run", &error);
}

static struct request parse(int argc, char **argv)
{
    struct request request = {.mode = "tui", .cols = 120, .rows = 40};
    int dashes = 0;

    for (int i = 1; i < argc && dashes == 0; i++) {
        if (strcmp(argv[i], "--") == 0)
            dashes = i + 1;
    }
    for (int option; (option = cli_option(&command_run, dashes > 0 ? dashes : argc, argv, ":a:A:n:C:m:dh",
                                          options)) != -1;)
        take_option(option, &request);
    if (dashes > 0 && dashes == argc)
        cli_usage_error(&command_run, "there is no command after --");
    if (dashes > 0 && optind < dashes)
        cli_usage_error(&command_run, "a prompt and a command exclude each other");
    take_operands(argc, argv, dashes, &request);
    if (request.agent != NULL && agent_catalogue_find(request.agent) == NULL)
        cli_usage_error(&command_run,
                        "-a %s: expected claude, codex, gemini, opencode, qwen, pi, command, or an agent of "
                        "your own (agents/NAME.json, see ganger-config(5))",
                        request.agent);
    if (request.name != NULL && !name_valid(request.name))
        cli_usage_error(
            &command_run,
            "-n %s: a name is a letter or digit, then up to 62 letters, digits, dots, underscores and dashes",
            request.name);
    if (request.json && !request.detached)
        cli_usage_error(&command_run, "--json goes with -d");
    if (!request.detached && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
        cli_usage_error(&command_run, "there is no terminal for the dashboard: add -d");
    return request;
}

static json_t *words_of(char **words)
{
    json_t *array = json_array();

    for (; *words != NULL; words++) {
        if (json_array_append_new(array, json_string(*words)) < 0)
            exit(cli_errorf("run", "a word of the command is not valid UTF-8"));
    }
    return array;
}

/* Program and configured arguments: agents.NAME.command and .args, else the catalogue's. */
static json_t *agent_words(const struct config *config, const struct agent_entry *agent)
{
    const json_t *entry = config_agent(config, agent->name);
    json_t *words = json_deep_copy(json_object_get(entry, "command")), *more = json_object_get(entry, "args");
    char *path;

    if (words == NULL)
        words = json_pack("[s]", agent->program);
    path = program_path(json_string_value(json_array_get(words, 0)));
    if (path == NULL)
        exit(cli_errorf("run", "%s is not installed: %s is not on PATH; `%s` installs it", agent->title,
                        json_string_value(json_array_get(words, 0)), agent->install));
    free(path);
    for (size_t i = 0; more == NULL && agent->arguments[i] != NULL; i++)
        (void)json_array_append_new(words, json_string(agent->arguments[i]));
    if (more != NULL)
        (void)json_array_extend(words, more);
    return words;
}

static json_t *command_words(const struct request *request)
{
    char *path = program_path(request->command[0]);

    if (path == NULL)
        exit(cli_errorf("run", "%s: %s", request->command[0],
                        strchr(request->command[0], '/') == NULL
                            ? "it is not on PATH: install it, or give its whole path"
                        : access(request->command[0], F_OK) == 0 ? "it is not an executable file"
                                                                 : "there is no such program"));
    free(path);
    return words_of(request->command);
}

static char *working_folder(const struct request *request)
{
    const char *folder = request->folder != NULL ? request->folder : ".";
    char *path = realpath(folder, NULL);
    struct stat status;

    if (path == NULL)
        exit(cli_errorf("run", "the working folder %s: %s", folder, strerror(errno)));
    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        exit(cli_errorf("run", "the working folder %s is not a folder", path));
    if (!utf8_valid(path, strlen(path)))
        exit(cli_errorf("run", "the working folder's path is not valid UTF-8: use another folder"));
    if (access(path, X_OK) < 0)
        exit(cli_errorf("run", "the working folder %s: %s", path, strerror(errno)));
    return path;
}

static json_t *session_object(const struct request *request, const char *uuid, const char *folder,
                              json_t *words)
{
    char conversation[UUID_SIZE], now[CLOCK_RFC3339_SIZE], machine[HOST_NAME_MAX + 1] = "";
    json_t *start, *session;

    uuid_generate(conversation);
    clock_format_rfc3339(clock_realtime_ms(), now);
    (void)gethostname(machine, sizeof machine - 1);
    start = json_pack("{s:o, s:s, s:[], s:[], s:i, s:i, s:s?, s:s, s:n}", "argv", words, "cwd", folder, "set",
                      "unset", "cols", request->cols, "rows", request->rows, "prompt", request->prompt,
                      "session_id", conversation, "resume_id");
    if (request->timeout_s > 0)
        (void)json_object_set_new(start, "timeout_s", json_real(request->timeout_s));
    session = json_pack(
        "{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:n, s:s, s:s, s:n, s:n, s:i, s:s, s:s, s:n, s:n, s:n}", "id",
        uuid, "name", request->name != NULL ? request->name : "", "agent", request->agent, "mode",
        request->mode, "account", request->account, "runner", "local", "cwd", folder, "worktree", "machine",
        machine, "connection", "ok", "host_pid", "pid", "attempt", 0, "phase", "initializing", "phase_since",
        now, "phase_until", "evidence", "title");
    (void)json_object_update_new(
        session,
        json_pack("{s:n, s:[], s:i, s:i, s:n, s:n, s:n, s:n, s:[], s:[], s:n, s:n, s:s, s:n, s:n, s:o}",
                  "agent_session_id", "agent_session_ids", "cols", request->cols, "rows", request->rows,
                  "model", "context_pct", "usage", "resources", "pending_approvals", "queue", "last_error",
                  "exit", "created_at", now, "recording", "progress_pct", "start", start));
    return session;
}

/* A session that has ended gives its name away, but its host stays for a few seconds: it is asked to leave. */
static bool yields(const char *name)
{
    char uuid[UUID_SIZE];
    struct error error;
    json_t *session = session_dir_find(cli_state_dir(), name, false, uuid, &error) < 0
                          ? NULL
                          : cli_session(uuid, CLI_CALL_TIMEOUT_MS, &error);
    bool ended = session_phase_ended(json_member_string(session, "phase", ""));

    json_decref(session);
    return ended && cli_leave(uuid, &error) == 0;
}

/* Makes the folder and claims a name: the one asked for, else the working folder's. */
static void create(const struct request *request, const char *uuid, const char *folder, json_t *session)
{
    char name[NAME_MAX_LENGTH + 1], base[NAME_MAX_LENGTH + 1];
    const char *last = strrchr(folder, '/');
    struct error error;
    size_t used = 0;
    int created;

    if (request->name != NULL) {
        created = session_dir_create(cli_state_dir(), uuid, request->name, session, &error);
        if (created < 0 && yields(request->name))
            created = session_dir_create(cli_state_dir(), uuid, request->name, session, &error);
    } else {
        for (const char *at = last != NULL ? last + 1 : folder; *at != '\0' && used < 40; at++)
            base[used++] =
                (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ? *at
                                                                                                       : '-';
        base[used] = '\0';
        created = session_dir_create_numbered(cli_state_dir(), uuid, name_valid(base) ? base : request->agent,
                                              session, name, &error);
    }
    if (created < 0)
        cli_die("run", &error);
}

/* Keeper and host could not be started at all: nobody else would ever say that the session failed. */
static void note_failure(const char *uuid, const struct error *why)
{
    struct error error;
    json_t *session = session_dir_read(cli_state_dir(), uuid, &error);
    char now[CLOCK_RFC3339_SIZE];

    if (session != NULL && strcmp(json_member_string(session, "phase", ""), "initializing") == 0 &&
        session_dir_alive(cli_state_dir(), uuid, &error) == 0) {
        clock_format_rfc3339(clock_realtime_ms(), now);
        (void)json_object_set_new(session, "phase", json_string("failed"));
        (void)json_object_set_new(session, "phase_since", json_string(now));
        (void)json_object_set_new(
            session, "exit",
            json_pack("{s:s, s:n, s:n, s:s}", "state", "failed", "code", "signal", "at", now));
        (void)json_object_set_new(session, "last_error",
                                  json_pack("{s:s, s:s, s:o, s:n}", "class", "resource", "code",
                                            "start_failed", "message", json_string_or_null(why->text),
                                            "hint"));
        (void)session_dir_write(cli_state_dir(), uuid, session, &error);
    }
    json_decref(session);
}

/* Without -a: the account's agent, else the first that is installed. */
static const char *choose_agent(const struct request *request, const struct config *config)
{
    const char *agent = request->agent;

    if (agent == NULL && request->account != NULL)
        agent = json_member_string(config_account(config, request->account), "agent", NULL);
    if (agent == NULL)
        agent = first_installed();
    if (strcmp(agent, "command") == 0 && request->command == NULL)
        cli_usage_error(&command_run, "-a command needs a command after --");
    return agent;
}

static int run(int argc, char **argv)
{
    struct request request = parse(argc, argv);
    char uuid[UUID_SIZE], *folder;
    struct error error;
    struct config *config = config_load(NULL, &error);
    json_t *session, *started;

    if (config == NULL)
        cli_die("configuration", &error);
    request.agent = choose_agent(&request, config);
    (void)cli_runtime_dir();
    folder = working_folder(&request);
    if (request.account != NULL && start_check_account(config, request.agent, request.account, &error) < 0)
        cli_die("run", &error);
    uuid_generate(uuid);
    (void)session_lost_settle_all(cli_state_dir());
    session =
        session_object(&request, uuid, folder,
                       request.command != NULL ? command_words(&request)
                                               : agent_words(config, agent_catalogue_find(request.agent)));
    create(&request, uuid, folder, session);
    started = start_session(uuid, folder, 1, &error);
    json_decref(session);
    config_destroy(config);
    free(folder);
    free(request.prompt);
    if (started == NULL) {
        note_failure(uuid, &error);
        return cli_error("run", &error);
    }
    if (request.json)
        cli_print_json(started);
    else if (request.detached)
        (void)puts(json_member_string(started, "name", uuid));
    json_decref(started);
    return request.detached ? EXIT_OK : cli_open_dashboard(uuid, false, false);
}
