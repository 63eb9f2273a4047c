#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/pending.h"
#include "rpc/protocol.h"

#define ASKING_MS 1500
#define TAKING_MS 3500 /* longer than the host waits before it says that an answer was not taken */

static int run_approve(int argc, char **argv);
static int run_deny(int argc, char **argv);

const struct command command_approve = {
    "approve", "Tell", "say yes to what a session asks, or answer it",
    "usage: ganger approve SESSION [--id ID] [--choice N | --text T] [--json]\n"
    "\n"
    "Answers the request that waits in a session; `ganger show SESSION` prints it in full. The answer goes "
    "to "
    "that request and no\n"
    "other: one that is no longer there is an error (stale). Without --choice and --text it is the agent's "
    "own yes.\n"
    "\n"
    "  --id ID      which request; needed when several wait\n"
    "  --choice N   the choice with this number, 1 for the first\n"
    "  --text T     an answer in words, to a question that takes them\n"
    "  --json       print {\"id\", \"decision\"}\n"
    "\n"
    "example: ganger approve api-fix --choice 2\n",
    run_approve};

const struct command command_deny = {
    "deny", "Tell", "say no to what a session asks",
    "usage: ganger deny SESSION [--id ID] [--text T] [--json]\n"
    "\n"
    "Refuses the request that waits in a session; `ganger show SESSION` prints it in full. One that is no "
    "longer there is an error\n"
    "(stale).\n"
    "\n"
    "  --id ID    which request; needed when several wait\n"
    "  --text T   tell the agent why, or what to do instead\n"
    "  --json     print {\"id\", \"decision\"}\n"
    "\n"
    "example: ganger deny api-fix --text 'not in this branch'\n",
    run_deny};

struct answer {
    const char *id, *decision, *text;
    uint64_t choice; /* 0: none */
    bool json;
};

static void check(const struct command *command, const struct answer *answer)
{
    struct error error;

    if (answer->text != NULL && cli_check_prompt(answer->text, strlen(answer->text), &error) < 0)
        cli_die(command->name, &error);
    if (answer->text != NULL && strlen(answer->text) > RPC_PROMPT_MAX)
        exit(cli_errorf(command->name, "the text has %zu bytes; at most %d are taken", strlen(answer->text),
                        RPC_PROMPT_MAX));
    if (answer->text != NULL && answer->choice > 0)
        cli_usage_error(command, "--choice and --text exclude each other");
}

static struct answer parse(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {
        {"id", required_argument, NULL, 'i'},     {"text", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},         CLI_HELP_OPTION,
        {"choice", required_argument, NULL, 'c'}, {0}};
    static const struct option without_choice[] = {{"id", required_argument, NULL, 'i'},
                                                   {"text", required_argument, NULL, 't'},
                                                   {"json", no_argument, NULL, 'j'},
                                                   CLI_HELP_OPTION,
                                                   {0}};
    bool approves = command == &command_approve;
    struct answer answer = {.decision = approves ? "approve" : "deny"};

    for (int option;
         (option = cli_option(command, argc, argv, ":h", approves ? options : without_choice)) != -1;) {
        if (option == 'i')
            answer.id = optarg;
        else if (option == 't')
            answer.text = optarg;
        else if (option == 'j')
            answer.json = true;
        else if ((answer.choice = cli_number(command, optarg)) == 0 || answer.choice > 99)
            cli_usage_error(command, "--choice %s: expected a number, 1 for the first", optarg);
    }
    cli_operands(command, argc, 1, 1);
    check(command, &answer);
    if (answer.choice > 0)
        answer.decision = "choice";
    else if (approves && answer.text != NULL)
        answer.decision = "text";
    return answer;
}

static int stale(const char *name, const char *reason)
{
    return cli_errorf(name, "stale: %s; `ganger show %s` prints what is pending", reason, name);
}

/* The request that is meant. It is answered by its id, so that none which comes meanwhile gets the answer. NULL when
 * it is not clear, which has been said. */
static const json_t *meant(const char *name, const json_t *session, const char *id)
{
    const json_t *pending = json_object_get(session, "pending_approvals");
    size_t count = json_array_size(pending), index;
    json_t *request;

    json_array_foreach(pending, index, request)
    {
        if (id == NULL ? count == 1 : strcmp(json_member_string(request, "id", ""), id) == 0)
            return request;
    }
    if (id != NULL)
        (void)stale(name, "that request is no longer there");
    else if (count == 0)
        (void)cli_errorf(name, "nothing is pending: the session asks nothing at this moment");
    else
        (void)cli_errorf(name, "%zu requests are pending: --id says which, `ganger show %s` prints them",
                         count, name);
    return NULL;
}

static json_t *params_of(const struct answer *answer, const json_t *request)
{
    json_t *params =
        json_pack("{s:s, s:s}", "id", json_member_string(request, "id", ""), "decision", answer->decision);

    if (answer->choice > 0)
        (void)json_object_set_new(params, "choice", json_integer((json_int_t)answer->choice));
    if (answer->text != NULL)
        (void)json_object_set_new(params, "text", json_string(answer->text));
    return params;
}

static void report(const char *name, const struct answer *answer, const json_t *request, const json_t *result)
{
    char *brief;

    if (answer->json) {
        cli_print_json(result);
        return;
    }
    brief = pending_brief(request);
    (void)printf("%s: %s: %s\n", name,
                 strcmp(answer->decision, "approve") == 0 ? "approved"
                 : strcmp(answer->decision, "deny") == 0  ? "denied"
                                                          : "answered",
                 brief);
    free(brief);
}

/* The phase is told a moment before the request: its text is read first. */
static json_t *session_that_asks(struct client *client, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + ASKING_MS * 1000000LL;

    json_decref(client_call(
        client, "session.subscribe",
        json_pack("{s:[s, s, s, s]}", "types", "approval_requested", "approval_resolved", "error", "phase"),
        CLI_CALL_TIMEOUT_MS, error));
    for (;;) {
        json_t *session = client_call(client, "session.get", NULL, CLI_CALL_TIMEOUT_MS, error);
        int left = (int)((deadline - clock_monotonic_ns()) / 1000000);
        char *line;
        size_t length;
        if (session == NULL || strcmp(json_member_string(session, "phase", ""), "approval") != 0 ||
            json_array_size(json_object_get(session, "pending_approvals")) > 0 || left <= 0)
            return session;
        json_decref(session);
        if (client_next(client, left, &line, &length, error) < 0)
            return NULL;
    }
}

/* Whether an event says that the request was resolved (1), or that the agent did not take the answer (-1). */
static int outcome_of(const char *line, size_t length, const char *id)
{
    json_t *message = json_loadb(line, length, 0, NULL);
    const json_t *event = json_object_get(message, "params");
    const char *type = json_member_string(event, "type", "");
    int outcome = 0;

    if (strcmp(json_member_string(event, "request", ""), id) == 0 && strcmp(type, "approval_resolved") == 0)
        outcome = 1;
    else if (strcmp(json_member_string(event, "request", ""), id) == 0 && strcmp(type, "error") == 0 &&
             strcmp(json_member_string(event, "code", ""), "not_taken") == 0)
        outcome = -1;
    json_decref(message);
    return outcome;
}

/* False when the agent is known not to have taken the answer. */
static bool was_taken(struct client *client, const char *id)
{
    int64_t deadline = clock_monotonic_ns() + TAKING_MS * 1000000LL;
    int outcome = 0, left;

    while (outcome == 0 && (left = (int)((deadline - clock_monotonic_ns()) / 1000000)) > 0) {
        struct error error;
        char *line;
        size_t length;
        if (client_next(client, left, &line, &length, &error) <= 0)
            break;
        outcome = outcome_of(line, length, id);
    }
    return outcome >= 0;
}

/* Answers one request and says what came of it. */
static int answer_one(struct client *client, const char *name, const struct answer *answer,
                      const json_t *request)
{
    struct error error = {0};
    json_t *result =
        client_call(client, "session.approve", params_of(answer, request), CLI_CALL_TIMEOUT_MS, &error);

    if (result == NULL)
        return error.code == RPC_STALE ? stale(name, error.text) : cli_error(name, &error);
    if (!was_taken(client, json_member_string(request, "id", ""))) {
        json_decref(result);
        return cli_errorf(name, "not taken: the agent still asks; answer again, or in its pane");
    }
    report(name, answer, request, result);
    json_decref(result);
    return EXIT_OK;
}

static int give(struct client *client, const char *name, const struct answer *answer)
{
    struct error error = {0};
    json_t *session = session_that_asks(client, &error);
    const json_t *request;
    int code;

    if (session == NULL)
        return cli_error(name, &error);
    request = meant(name, session, answer->id);
    code = request == NULL ? EXIT_FAILED : answer_one(client, name, answer, request);
    json_decref(session);
    return code;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct answer answer = parse(command, argc, argv);
    char uuid[UUID_SIZE];
    struct error error;
    struct client *client;
    int code;

    cli_find(argv[optind], true, uuid);
    client = cli_connect(uuid, &error);
    if (client == NULL)
        return cli_error(argv[optind], &error);
    code = give(client, argv[optind], &answer);
    client_destroy(client);
    return code;
}

static int run_approve(int argc, char **argv)
{
    return run(&command_approve, argc, argv);
}

static int run_deny(int argc, char **argv)
{
    return run(&command_deny, argc, argv);
}
