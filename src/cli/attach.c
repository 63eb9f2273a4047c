#include "cli/cli.h"

#include "base/json.h"

static int run(int argc, char **argv);

const struct command command_attach = {"attach", "Start", "open the dashboard",
                                       "usage: ganger attach [SESSION] [--read-only | --raw]\n"
                                       "\n"
                                       "Opens the dashboard, with SESSION in front when one is named. "
                                       "Detaching (C-a q) leaves the sessions running.\n"
                                       "\n"
                                       "  --read-only   look only: no key reaches an agent\n"
                                       "  --raw         the session alone, without frame and panel\n"
                                       "\n"
                                       "example: ganger attach api-fix --raw\n",
                                       run};

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"read-only", no_argument, NULL, 'r'}, {"raw", no_argument, NULL, 'w'}, CLI_HELP_OPTION, {0}};
    bool read_only = false, raw = false;
    char uuid[UUID_SIZE];

    for (int option; (option = cli_option(&command_attach, argc, argv, ":h", options)) != -1;) {
        read_only = read_only || option == 'r';
        raw = raw || option == 'w';
    }
    cli_operands(&command_attach, argc, 0, 1);
    if (raw && optind == argc)
        cli_usage_error(&command_attach, "--raw needs a session");
    if (optind == argc)
        return cli_open_dashboard(NULL, read_only, raw);
    cli_find(argv[optind], true, uuid);
    return cli_open_dashboard(uuid, read_only, raw);
}
