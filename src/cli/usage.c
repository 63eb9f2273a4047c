#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/usage.h"
#include "store/ledger.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_usage = {
    "usage", "Look", "tokens and cost, by account, session, model or day",
    "usage: ganger usage [--by account|session|model|day] [--since DATE] [--until DATE]\n"
    "                    [--account A] [--import] [--all] [--json]\n"
    "\n"
    "Sums what the agents' answers used, from the agents' own numbers. A cost with ~ is an estimate at list\n"
    "prices; the last column says where costs come from: reported by the agent, computed, or a "
    "subscription,\n"
    "which is not billed by the token.\n"
    "\n"
    "  --by KIND       account (default), session, model or day\n"
    "  --since DATE    2026-11-21, today, yesterday, 7d, 12h or a time as in JSON output\n"
    "  --until DATE    to the end of that day\n"
    "  --account A     of one account: its name, or AGENT/NAME; AGENT/ is the agent's own login\n"
    "  --import        first read what the agents' files hold, also of before ganger\n"
    "  --all           also accounts whose login has expired\n"
    "  --json          an array of objects\n"
    "\n"
    "example: ganger usage --by day --since 7d\n",
    run};

struct request {
    struct ledger_usage_query query;
    const char *account; /* as given */
    bool json, all, import;
};

/* ---- what is asked ---- */

static enum ledger_usage_by parse_by(const char *text)
{
    static const char *const names[] = {[USAGE_BY_ACCOUNT] = "account",
                                        [USAGE_BY_SESSION] = "session",
                                        [USAGE_BY_MODEL] = "model",
                                        [USAGE_BY_DAY] = "day"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0)
            return (enum ledger_usage_by)i;
    }
    cli_usage_error(&command_usage, "--by %s: expected account, session, model or day", text);
}

static int64_t parse_date(const char *option, const char *text, bool end)
{
    int64_t time_ms = usage_date(text, clock_realtime_ms(), end);

    if (time_ms < 0)
        cli_usage_error(&command_usage,
                        "%s %s: expected a date such as 2026-11-21, today, yesterday, 7d or 12h", option,
                        text);
    return time_ms;
}

static struct request parse(int argc, char **argv)
{
    static const struct option longs[] = {{"by", required_argument, NULL, 'b'},
                                          {"since", required_argument, NULL, 's'},
                                          {"until", required_argument, NULL, 'u'},
                                          {"account", required_argument, NULL, 'A'},
                                          {"import", no_argument, NULL, 'i'},
                                          {"all", no_argument, NULL, 'a'},
                                          {"json", no_argument, NULL, 'j'},
                                          CLI_HELP_OPTION,
                                          {NULL, 0, NULL, 0}};
    struct request request = {.json = false};

    for (int option; (option = cli_option(&command_usage, argc, argv, ":A:h", longs)) != -1;) {
        if (option == 'b')
            request.query.by = parse_by(optarg);
        else if (option == 's')
            request.query.since_ms = parse_date("--since", optarg, false);
        else if (option == 'u')
            request.query.until_ms = parse_date("--until", optarg, true);
        else if (option == 'A')
            request.account = optarg;
        request.import |= option == 'i';
        request.all |= option == 'a';
        request.json |= option == 'j';
    }
    cli_operands(&command_usage, argc, 0, 0);
    return request;
}

/* ---- import ---- */

/* What it found is printed beside JSON, not within. */
static void exec_import(const char *program, bool json)
{
    static const char *const argv[] = {"ganger-host", "import", NULL};

    if (json)
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    (void)execv(program, (char *const *)(uintptr_t)argv);
    (void)cli_errorf("usage", "cannot run %s: %s", program, strerror(errno));
    _exit(EXIT_FAILED);
}

static void import(bool json)
{
    struct error error;
    char *program = path_installed("ganger-host", &error);
    int status = 0;
    pid_t child;

    if (program == NULL)
        cli_die("usage", &error);
    (void)fflush(stdout);
    child = fork();
    if (child == 0)
        exec_import(program, json);
    free(program);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child < 0)
        exit(cli_errorf("usage", "cannot begin a process: %s", strerror(errno)));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        exit(EXIT_FAILED);
}

/* ---- which account ---- */

static bool means(const char *key, const char *account)
{
    const char *name = ledger_account_name(key);

    return strcmp(key, account) == 0 || (name != NULL && strcmp(name, account) == 0);
}

/* The key of an account that has used something. Allocated. */
static char *find_account(struct ledger *ledger, const char *account)
{
    const struct ledger_usage_query all = {.by = USAGE_BY_ACCOUNT};
    struct error error;
    json_t *list = ledger_usage_sum(ledger, &all, &error), *row;
    char *found = NULL;
    size_t index;

    if (list == NULL)
        cli_die("usage", &error);
    json_array_foreach(list, index, row)
    {
        const char *key = json_member_string(row, "account", "");
        if (!means(key, account))
            continue;
        if (found != NULL)
            cli_usage_error(&command_usage, "--account %s: could be %s or %s", account, found, key);
        found = xstrdup(key);
    }
    json_decref(list);
    if (found == NULL)
        exit(cli_errorf("usage", "no usage of an account %s is known", account));
    return found;
}

/* ---- sessions by name ---- */

static void add_names(json_t *list)
{
    int damaged = 0;
    struct error error;
    json_t *sessions = session_dir_list(cli_state_dir(), &damaged, &error), *names = json_object(), *each;
    size_t index;

    json_array_foreach(sessions, index, each)
    {
        json_object_set(names, json_member_string(each, "id", ""), json_object_get(each, "name"));
    }
    json_array_foreach(list, index, each)
    {
        json_t *name = json_object_get(names, json_member_string(each, "session", ""));
        json_object_set_new(each, "name", name == NULL ? json_null() : json_incref(name));
    }
    json_decref(names);
    json_decref(sessions);
}

/* ---- the command ---- */

static json_t *read_usage(struct request *request)
{
    struct error error = {0};
    struct ledger *ledger = ledger_open(cli_state_dir(), LEDGER_READ, &error);
    char *account = NULL;
    json_t *list;

    if (ledger == NULL && error.code == ENOENT)
        return NULL;
    if (ledger == NULL)
        cli_die("usage", &error);
    if (request->account != NULL)
        request->query.account = account = find_account(ledger, request->account);
    list = ledger_usage_sum(ledger, &request->query, &error);
    if (list == NULL)
        cli_die("usage", &error);
    ledger_close(ledger);
    free(account);
    return list;
}

static int run(int argc, char **argv)
{
    struct request request = parse(argc, argv);
    json_t *list, *left_out = json_array();

    if (request.import)
        import(request.json);
    list = read_usage(&request);
    if (list != NULL && request.query.by == USAGE_BY_SESSION)
        add_names(list);
    if (list != NULL && request.query.by == USAGE_BY_ACCOUNT && !request.all)
        usage_leave_out(list, left_out);
    if (list == NULL)
        list = json_array();
    if (request.query.by == USAGE_BY_SESSION || request.query.by == USAGE_BY_MODEL)
        usage_sort(&list);
    if (request.json)
        cli_print_json(list);
    else if (json_array_size(list) == 0)
        (void)puts("no usage is known: `ganger usage --import` reads what the agents' files hold");
    else
        usage_print(list, request.query.by);
    if (!request.json)
        usage_print_left_out(left_out);
    json_decref(left_out);
    json_decref(list);
    return EXIT_OK;
}
