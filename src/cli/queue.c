#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "rpc/protocol.h"

#define ID_SHOWN 8 /* characters of an id, more when another one begins alike */

static int run(int argc, char **argv);

const struct command command_queue = {
    "queue", "Tell", "the prompts that wait: list, edit, move, remove them",
    "usage: ganger queue SESSION [--json]\n"
    "       ganger queue SESSION edit ID TEXT|- [--json]\n"
    "       ganger queue SESSION move ID now|next|later|INDEX [--json]\n"
    "       ganger queue SESSION rm ID… [--json]\n"
    "\n"
    "Lists the prompts that wait in a session, the next one first, or changes one. An ID is what the list "
    "shows, or any\n"
    "beginning of it that fits one prompt only. A prompt that is being sent or was sent cannot be changed "
    "any more (stale).\n"
    "\n"
    "  edit     another text, or the one on standard input; the place stays\n"
    "  move     now: to the front, and interrupt the turn; next: to the front; later: to the end; INDEX: to "
    "that place,\n"
    "           0 for the next to be sent\n"
    "  rm       take prompts out; they are not sent\n"
    "  --json   print the queue as an array of {\"id\", \"text\", \"priority\", \"state\"}\n"
    "\n"
    "example: ganger queue api-fix move 7c1f next\n",
    run};

struct request {
    const char *name; /* of the session, as it was given */
    char uuid[UUID_SIZE];
    json_t *queue; /* as it was before */
    bool json;
};

/* ---- the list ---- */

static size_t common_beginning(const char *a, const char *b)
{
    size_t length = 0;

    while (a[length] != '\0' && a[length] == b[length])
        length++;
    return length;
}

/* As much of an id as tells it from the others. Allocated. */
static char *short_id(const json_t *queue, const char *id)
{
    size_t length = ID_SHOWN, index;
    json_t *prompt;

    json_array_foreach(queue, index, prompt)
    {
        const char *other = json_member_string(prompt, "id", "");
        size_t same = common_beginning(id, other);
        if (strcmp(id, other) != 0 && same >= length)
            length = same + 1;
    }
    return xstrndup(id, strnlen(id, length));
}

static void print_queue(const json_t *queue)
{
    static const char *const headings[] = {"ID", "PRIORITY", "STATE", "TEXT"};
    struct table *table;
    size_t index;
    json_t *prompt;

    if (json_array_size(queue) == 0)
        return;
    table = table_create(sizeof headings / sizeof headings[0], headings);
    json_array_foreach(queue, index, prompt)
    {
        char *id = short_id(queue, json_member_string(prompt, "id", ""));
        const char *text = json_member_string(prompt, "text", "");
        char *line = xstrndup(text, strcspn(text, "\n"));
        table_add(table, (const char *const[]){id, json_member_string(prompt, "priority", "?"),
                                               json_member_string(prompt, "state", "?"), line});
        free(line);
        free(id);
    }
    table_print(table);
}

/* ---- changes ---- */

/* The prompt that is meant: a whole id, or a beginning that fits one only. An id that does not wait is for the host to
 * judge. Ends the process with 2 when several fit. */
static const char *meant(const struct request *request, const char *reference)
{
    const char *found = NULL;
    size_t index;
    json_t *prompt;

    json_array_foreach(request->queue, index, prompt)
    {
        const char *id = json_member_string(prompt, "id", "");
        if (strcmp(id, reference) == 0)
            return id;
        if (strncmp(id, reference, strlen(reference)) != 0)
            continue;
        if (found != NULL)
            cli_usage_error(&command_queue, "%s: several prompts begin so: give more of the id", reference);
        found = id;
    }
    return found != NULL ? found : reference;
}

/* Replaces request->queue by what the host answers. `params` is stolen. */
static int change(struct request *request, struct client *client, const char *reference, json_t *params)
{
    struct error error;
    json_t *result = client_call(client, "session.queue", params, CLI_CALL_TIMEOUT_MS, &error), *queue;

    if (result == NULL && error.code == RPC_STALE)
        return cli_errorf(request->name, "%s: stale: %s", reference, error.text);
    if (result == NULL)
        return cli_errorf(request->name, "%s: %s", reference, error.text);
    queue = json_incref(json_object_get(result, "queue"));
    json_decref(request->queue);
    request->queue = queue;
    json_decref(result);
    return EXIT_OK;
}

static int remove_all(struct request *request, struct client *client, int argc, char **argv)
{
    char **ids = xcalloc((size_t)argc + 1, sizeof *ids);
    int code = EXIT_OK;

    /* All are looked up before one is removed. */
    for (int i = optind + 2; i < argc; i++)
        ids[i] = xstrdup(meant(request, argv[i]));
    for (int i = optind + 2; i < argc; i++) {
        code |= change(request, client, argv[i], json_pack("{s:s, s:s}", "id", ids[i], "action", "remove"));
        free(ids[i]);
    }
    free(ids);
    return code;
}

static int edit(struct request *request, struct client *client, const char *reference, const char *operand)
{
    struct error error;
    size_t length;
    char *text = cli_text(&command_queue, operand, RPC_PROMPT_MAX, &length);
    int code;

    if (cli_check_prompt(text, length, &error) < 0)
        cli_die("queue", &error);
    code = change(request, client, reference,
                  json_pack("{s:s, s:s, s:s%}", "id", meant(request, reference), "action", "edit", "text",
                            text, length));
    free(text);
    return code;
}

static int move(struct request *request, struct client *client, const char *reference, const char *where)
{
    json_t *params = json_pack("{s:s, s:s}", "id", meant(request, reference), "action", "move");

    if (where[0] >= '0' && where[0] <= '9')
        (void)json_object_set_new(params, "to", json_integer((json_int_t)cli_number(&command_queue, where)));
    else
        (void)json_object_set_new(params, "priority", json_string(where));
    return change(request, client, reference, params);
}

static bool is_place(const char *where)
{
    return strcmp(where, "now") == 0 || strcmp(where, "next") == 0 || strcmp(where, "later") == 0 ||
           (where[0] >= '0' && where[0] <= '9');
}

static void check(int argc, char **argv)
{
    const char *action = argc - optind > 1 ? argv[optind + 1] : NULL;

    if (action == NULL)
        cli_operands(&command_queue, argc, 1, 1);
    else if (strcmp(action, "rm") == 0)
        cli_operands(&command_queue, argc, 3, -1);
    else if (strcmp(action, "edit") == 0 || strcmp(action, "move") == 0)
        cli_operands(&command_queue, argc, 4, 4);
    else
        cli_usage_error(&command_queue, "%s: expected edit, move or rm", action);
    if (action != NULL && strcmp(action, "move") == 0 && !is_place(argv[optind + 3]))
        cli_usage_error(&command_queue, "%s: expected now, next, later or a number", argv[optind + 3]);
}

static int act(struct request *request, int argc, char **argv)
{
    const char *action = argv[optind + 1];
    struct error error;
    struct client *client = cli_connect(request->uuid, &error);
    int code;

    if (client == NULL)
        return cli_error(request->name, &error);
    if (strcmp(action, "rm") == 0)
        code = remove_all(request, client, argc, argv);
    else if (strcmp(action, "edit") == 0)
        code = edit(request, client, argv[optind + 2], argv[optind + 3]);
    else
        code = move(request, client, argv[optind + 2], argv[optind + 3]);
    client_destroy(client);
    return code;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    struct request request = {0};
    struct error error;
    json_t *session;
    int code = EXIT_OK;

    while (cli_option(&command_queue, argc, argv, ":h", options) != -1)
        request.json = true;
    check(argc, argv);
    request.name = argv[optind];
    cli_find(request.name, true, request.uuid);
    session = cli_session(request.uuid, CLI_CALL_TIMEOUT_MS, &error);
    if (session == NULL)
        cli_die(request.name, &error);
    request.queue = json_incref(json_object_get(session, "queue"));
    json_decref(session);
    if (argc - optind > 1)
        code = act(&request, argc, argv);
    if (code == EXIT_OK && request.json)
        cli_print_json(request.queue);
    else if (code == EXIT_OK)
        print_queue(request.queue);
    json_decref(request.queue);
    return code;
}
