#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/headless.h"
#include "cli/headless_own.h"
#include "cli/launch.h"
#include "rpc/protocol.h"

static int run(int argc, char **argv);

const struct command command_run = {
    "run", "Start", "start a session",
    "usage: ganger run [-a AGENT] [OPTIONS] [PROMPT | -- COMMAND…]\n"
    "\n"
    "Starts an agent and opens the dashboard on it; with -d it runs detached and its name is printed. PROMPT "
    "is its first prompt (- reads\n"
    "standard input). With -- any command runs in the pane instead, no shell in between; its input is the "
    "session's terminal,\n"
    "never this command's standard input.\n"
    "\n"
    "  -a AGENT      claude, codex, gemini, opencode or command; without it the account's, or the first that "
    "is "
    "installed\n"
    "  -A ACCOUNT    an account of the configuration\n"
    "  -n NAME       the session's name; without it the folder's, numbered when taken\n"
    "  -C DIR        the working folder; without it this one\n"
    "  -m MODE       tui: the agent's own interface on a terminal; stream: its JSON, drawn by ganger\n"
    "  --record[=FILE]  headless, for CI and scripts: no dashboard, a line on stdout for what happens, until "
    "the last turn is\n"
    "                over; the recording also in FILE; the agent's JSON mode unless -m says otherwise\n"
    "  --force       FILE may exist, and is replaced\n"
    "  --timeout S   end the session after S seconds, whatever it does then\n"
    "  --size CxR    columns and rows until a dashboard shows it; 120x40 without it\n"
    "  -d            detached\n"
    "  --json        with -d: print the session object; with --record: print events, one JSON object a line\n"
    "\n"
    "Exit code: 0, 1 when the agent could not be started, 2 on bad usage. With --record: 0 completed, 1 "
    "failed, "
    "75 gave up on a rate\n"
    "limit, 77 not logged in, 124 timeout, 130 cancelled, 137 killed.\n"
    "\n"
    "example: ganger run --record=run.cast --timeout 1800 -a claude 'make the tests pass'\n"
    "example: ganger run -a claude -n api-fix -C ~/api 'make the tests pass'\n",
    run};

struct request {
    struct launch launch;
    char *prompt;
    bool detached, json;
    bool record, force;
    const char *file; /* of --record, or NULL */
};

enum {
    OPTION_WORKTREE = 256,
    OPTION_RUNNER,
    OPTION_SIZE,
    OPTION_TIMEOUT,
    OPTION_JSON,
    OPTION_RECORD,
    OPTION_FORCE
};

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
                                        {"force", no_argument, NULL, OPTION_FORCE},
                                        {"detached", no_argument, NULL, 'd'},
                                        {"json", no_argument, NULL, OPTION_JSON},
                                        CLI_HELP_OPTION,
                                        {0}};

static void parse_size(const char *text, struct request *request)
{
    char end;

    if (sscanf(text, "%4dx%4d%c", &request->launch.cols, &request->launch.rows, &end) != 2 ||
        request->launch.cols < 2 || request->launch.cols > 1000 || request->launch.rows < 2 ||
        request->launch.rows > 500)
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
        request->launch.agent = optarg;
        break;
    case 'A':
        request->launch.account = optarg;
        break;
    case 'n':
        request->launch.name = optarg;
        break;
    case 'C':
        request->launch.folder = optarg;
        break;
    case 'm':
        request->launch.mode = optarg;
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
        request->launch.timeout_s = cli_seconds(&command_run, optarg);
        if (request->launch.timeout_s <= 0)
            cli_usage_error(&command_run, "--timeout %s: expected more than 0 seconds", optarg);
        break;
    case OPTION_RECORD:
        request->record = true;
        request->file = optarg;
        break;
    case OPTION_FORCE:
        request->force = true;
        break;
    case 'd':
        request->detached = true;
        break;
    default:
        request->json = true;
        break;
    }
}

/* PROMPT, or the words after "--": getopt has left the latter behind optind with "--" just before them. */
static void take_operands(int argc, char **argv, int dashes, struct request *request)
{
    size_t length;
    struct error error;

    if (dashes > 0) {
        request->launch.command = &argv[dashes];
        return;
    }
    cli_operands(&command_run, argc, 0, 1);
    if (optind == argc)
        return;
    request->prompt = cli_text(&command_run, argv[optind], RPC_PROMPT_MAX, &length);
    if (cli_check_prompt(request->prompt, length, &error) < 0)
        cli_die("run", &error);
    request->launch.prompt = request->prompt;
}

/* Who asks for a page or for text wants what is made of a recording. */
static void refuse_export(const char *file)
{
    static const char *const kinds[] = {".html", ".htm", ".txt"};
    const char *suffix = file == NULL ? NULL : strrchr(file, '.');

    for (size_t i = 0; suffix != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcasecmp(suffix, kinds[i]) == 0)
            cli_usage_error(
                &command_run,
                "--record=%s: a recording is an asciicast: name it NAME.cast; `ganger replay --export %s "
                "NAME.cast` makes the other of it",
                file, file);
    }
}

static struct request parse(int argc, char **argv)
{
    struct request request = {.launch = launch_empty()};
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
    if (request.json && !request.detached && !request.record)
        cli_usage_error(&command_run, "--json goes with -d or --record");
    if (request.record && request.detached)
        cli_usage_error(&command_run, "-d and --record exclude each other");
    if (request.force && request.file == NULL)
        cli_usage_error(&command_run, "--force goes with --record=FILE");
    if (request.file != NULL && *request.file == '\0')
        cli_usage_error(&command_run, "--record=: there is no name of a file");
    refuse_export(request.file);
    if (!request.detached && !request.record && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
        cli_usage_error(&command_run, "there is no terminal for the dashboard: add -d or --record");
    return request;
}

/* Makes the session; ends the process when that cannot be. */
static json_t *create(const struct request *request, char uuid[UUID_SIZE])
{
    struct error error;
    struct config *config = config_load(NULL, &error);
    json_t *session;

    if (config == NULL)
        cli_die("configuration", &error);
    session = launch_create(&request->launch, config, uuid, &error);
    config_destroy(config);
    if (session != NULL)
        return session;
    headless_drop_file(request->file);
    if (error.code == EINVAL)
        cli_usage_error(&command_run, "%s", error.text);
    cli_die("run", &error);
}

static int run_headless(struct request *request)
{
    struct headless_session session = {.file = request->file};
    struct error error;
    json_t *made, *started;
    char **own;

    if (request->file != NULL && headless_check_file(request->file, request->force, &error) < 0)
        return cli_error("run", &error);
    request->launch.headless = true;
    request->launch.lifeline = headless_lifeline(&error);
    if (request->launch.lifeline < 0)
        return cli_error("run", &error);
    own = headless_own_files((const char *const[]){request->file, NULL});
    request->launch.own_files = own;
    made = create(request, session.uuid);
    headless_own_free(own);
    request->launch.own_files = NULL;
    (void)strlcpy(session.name, json_member_string(made, "name", ""), sizeof session.name);
    json_decref(made);
    started = launch_start(&request->launch, session.uuid, &error);
    if (started == NULL)
        (void)cli_error("run", &error);
    json_decref(started);
    return headless_follow(&session, 1, request->json);
}

static int run(int argc, char **argv)
{
    struct request request;
    char uuid[UUID_SIZE];
    struct error error;
    json_t *session, *started;
    int code;

    headless_prepare();
    request = parse(argc, argv);
    if (request.record) {
        code = run_headless(&request);
        free(request.prompt);
        return code;
    }
    session = create(&request, uuid);
    free(request.prompt);
    started = launch_start(&request.launch, uuid, &error);
    json_decref(session);
    if (started == NULL)
        return cli_error("run", &error);
    if (request.json)
        cli_print_json(started);
    else if (request.detached)
        (void)puts(json_member_string(started, "name", uuid));
    json_decref(started);
    return request.detached ? EXIT_OK : cli_open_dashboard(uuid, false, false);
}
