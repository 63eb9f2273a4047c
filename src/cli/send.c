#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/turn.h"
#include "rpc/protocol.h"

#define SEND_TRIES 3

static int run(int argc, char **argv);

const struct command command_send = {
    "send", "Tell", "give a session a prompt",
    "usage: ganger send SESSION TEXT|- [--priority now|next|later] [--wait] [--timeout S] [--id ID] "
    "[--json]\n"
    "\n"
    "Sends a prompt, or queues it when the agent is at work. With - the text is read from standard input.\n"
    "A prompt is at most 100 KiB; control bytes other than line feed and tab are refused.\n"
    "\n"
    "  --priority P   now: interrupt the turn first; next: to the front of the queue; later: to its end "
    "(default)\n"
    "  --wait         wait until the turn of this prompt has ended\n"
    "  --timeout S    with --wait: give up after S seconds (exit code 124)\n"
    "  --id ID        an id of your own; a prompt with an id seen before is not sent again\n"
    "  --json         print {\"id\", \"seq\", \"state\"}\n"
    "\n"
    "example: git diff | ganger send review -\n",
    run};

struct request {
    const char *priority, *id;
    bool wait, json;
    double timeout_s; /* negative: none */
};

static struct request parse(int argc, char **argv)
{
    static const struct option options[] = {{"priority", required_argument, NULL, 'p'},
                                            {"wait", no_argument, NULL, 'w'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"id", required_argument, NULL, 'i'},
                                            {"json", no_argument, NULL, 'j'},
                                            CLI_HELP_OPTION,
                                            {0}};
    struct request request = {.priority = "later", .timeout_s = -1};

    for (int option; (option = cli_option(&command_send, argc, argv, ":h", options)) != -1;) {
        if (option == 'p')
            request.priority = optarg;
        else if (option == 'i')
            request.id = optarg;
        else if (option == 't')
            request.timeout_s = cli_seconds(&command_send, optarg);
        else if (option == 'w')
            request.wait = true;
        else if (option == 'j')
            request.json = true;
    }
    cli_operands(&command_send, argc, 2, 2);
    if (strcmp(request.priority, "now") != 0 && strcmp(request.priority, "next") != 0 &&
        strcmp(request.priority, "later") != 0)
        cli_usage_error(&command_send, "--priority %s: expected now, next or later", request.priority);
    if (request.timeout_s >= 0 && !request.wait)
        cli_usage_error(&command_send, "--timeout goes with --wait");
    return request;
}

static json_t *prompt_params(const struct request *request, const char *text, size_t length)
{
    json_t *params = json_pack("{s:s%, s:s}", "text", text, length, "priority", request->priority);

    if (request->id != NULL)
        (void)json_object_set_new(params, "id", json_string(request->id));
    return params;
}

/* The turn of a prompt whose id was seen before may be over already. */
static int wait_for(struct client *client, const char *uuid, const json_t *result, double timeout_s,
                    const char *name)
{
    const char *id = json_member_string(result, "id", "");

    return strcmp(json_member_string(result, "state", ""), "queued") == 0
               ? turn_wait(client, uuid, id, timeout_s, name)
               : turn_wait_known(uuid, id, timeout_s, name);
}

/* Connects, and gives the prompt to the session. The answer, or NULL and the error. */
static json_t *send_once(const char *uuid, const struct request *request, const char *text, size_t length,
                         struct client **client, struct error *error)
{
    *client = cli_connect(uuid, error);
    if (*client == NULL || (request->wait && turn_subscribe(*client, error) < 0))
        return NULL;
    return client_call(*client, "session.prompt", prompt_params(request, text, length), CLI_CALL_TIMEOUT_MS,
                       error);
}

/* A host may make room for another before it has answered: under its id the prompt is taken once. */
static json_t *send_prompt(const char *uuid, struct request *request, const char *text, size_t length,
                           struct client **client, struct error *error)
{
    static char own[UUID_SIZE];
    json_t *result = NULL;

    if (request->id == NULL) {
        uuid_generate(own);
        request->id = own;
    }
    for (int tries = 0; tries < SEND_TRIES; tries++) {
        result = send_once(uuid, request, text, length, client, error);
        if (result != NULL || (error->code != EPIPE && error->code != ECONNRESET))
            break;
        client_destroy(*client);
        *client = NULL;
    }
    return result;
}

static int run(int argc, char **argv)
{
    struct request request = parse(argc, argv);
    char uuid[UUID_SIZE], *text;
    size_t length;
    struct error error;
    struct client *client;
    json_t *result;
    int code = EXIT_OK;

    cli_find(argv[optind], true, uuid);
    text = cli_text(&command_send, argv[optind + 1], RPC_PROMPT_MAX, &length);
    if (cli_check_prompt(text, length, &error) < 0)
        cli_die("send", &error);
    result = send_prompt(uuid, &request, text, length, &client, &error);
    free(text);
    if (result == NULL)
        cli_die(argv[optind], &error);
    if (request.json)
        cli_print_json(result);
    if (request.wait)
        code = wait_for(client, uuid, result, request.timeout_s, argv[optind]);
    json_decref(result);
    client_destroy(client);
    return code;
}
