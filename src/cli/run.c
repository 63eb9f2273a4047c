#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/launch.h"
#include "rpc/protocol.h"

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
    struct launch launch;
    char *prompt;
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
    if (request.json && !request.detached)
        cli_usage_error(&command_run, "--json goes with -d");
    if (!request.detached && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
        cli_usage_error(&command_run, "there is no terminal for the dashboard: add -d");
    return request;
}

static int run(int argc, char **argv)
{
    struct request request = parse(argc, argv);
    char uuid[UUID_SIZE];
    struct error error;
    struct config *config = config_load(NULL, &error);
    json_t *session, *started;

    if (config == NULL)
        cli_die("configuration", &error);
    session = launch_create(&request.launch, config, uuid, &error);
    config_destroy(config);
    free(request.prompt);
    if (session == NULL && error.code == EINVAL)
        cli_usage_error(&command_run, "%s", error.text);
    if (session == NULL)
        return cli_error("run", &error);
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
