#include "cli/cli.h"

#include <string.h>

static int run(int argc, char **argv);

const struct command command_rpc = {
    "rpc", "Plumbing", "one protocol call",
    "usage: ganger rpc SESSION METHOD [PARAMS]\n"
    "\n"
    "Calls a method of the session's host and prints the result as JSON. PARAMS is a JSON object. The "
    "methods are in\n"
    "ganger-protocol(7).\n"
    "\n"
    "example: ganger rpc api-fix scrollback.get '{\"from\": 0, \"count\": 10}'\n",
    run};

static int run(int argc, char **argv)
{
    static const struct option options[] = {CLI_HELP_OPTION, {0}};
    char uuid[UUID_SIZE];
    struct error error;
    json_error_t problem;
    json_t *params = NULL, *result;

    while (cli_option(&command_rpc, argc, argv, "+:h", options) != -1)
        continue;
    cli_operands(&command_rpc, argc, 2, 3);
    if (argc - optind == 3) {
        params = json_loads(argv[optind + 2], JSON_REJECT_DUPLICATES, &problem);
        if (!json_is_object(params))
            cli_usage_error(&command_rpc, "PARAMS is not a JSON object%s%s", params == NULL ? ": " : "",
                            params == NULL ? problem.text : "");
    }
    cli_find(argv[optind], true, uuid);
    result = cli_call(uuid, argv[optind + 1], params, &error);
    if (result == NULL)
        return cli_error(argv[optind + 1], &error);
    cli_print_json(result);
    json_decref(result);
    return EXIT_OK;
}
