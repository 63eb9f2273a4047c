#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/agent_data.h"
#include "base/embed.h"
#include "config/config.h"
#include "config/crew.h"

EMBED(rules_schema, "src/agent/rules/schema.json");

static int run(int argc, char **argv);

const struct command command_config = {
    "config", "Plumbing", "where the configuration is, and whether it is right",
    "usage: ganger config path | check [FILE] | show | schema [rules | crew] | rules AGENT\n"
    "\n"
    "  path          the file that is read\n"
    "  check         reads it and says what is wrong, with file, line and key; exit code 1 then\n"
    "  show          every value in force, as JSON\n"
    "  schema        the JSON Schema of the file, for editors; of rules files, of crew files\n"
    "  rules AGENT   the built-in rules for an agent's titles and screens, to be copied to agents/AGENT.json "
    "beside\n"
    "                the configuration and changed there\n"
    "\n"
    "The keys are in ganger-config(5).\n"
    "\n"
    "example: ganger config check\n",
    run};

static int print_path(void)
{
    struct error error;
    char *path = config_path(&error);

    if (path == NULL)
        return cli_error("config", &error);
    (void)puts(path);
    free(path);
    return EXIT_OK;
}

static int check(const char *path, bool show)
{
    struct error error;
    struct config *config = config_load(path, &error);

    if (config == NULL)
        return cli_error("config", &error);
    if (show)
        cli_print_json(config_show(config));
    config_destroy(config);
    return EXIT_OK;
}

static int print_rules(const char *agent)
{
    const json_t *rules = agent_data(agent);

    if (rules == NULL)
        return cli_errorf("config", "%s: there are no built-in rules of that name", agent);
    cli_print_json(rules);
    return EXIT_OK;
}

static int print_schema(const char *of)
{
    if (of != NULL && strcmp(of, "rules") != 0 && strcmp(of, "crew") != 0)
        cli_usage_error(&command_config, "schema %s: expected rules, crew, or nothing", of);
    (void)fputs(of == NULL                ? config_schema()
                : strcmp(of, "crew") == 0 ? crew_schema()
                                          : rules_schema,
                stdout);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    const char *what;

    while (cli_option(&command_config, argc, argv, ":h", options) != -1)
        continue;
    cli_operands(&command_config, argc, 1, 2);
    what = argv[optind];
    if (strcmp(what, "rules") == 0 && argc - optind == 1)
        cli_usage_error(&command_config, "rules: which agent's?");
    if (argc - optind == 2 && (strcmp(what, "path") == 0 || strcmp(what, "show") == 0))
        cli_usage_error(&command_config, "too many words");
    if (strcmp(what, "path") == 0)
        return print_path();
    if (strcmp(what, "check") == 0)
        return check(argv[optind + 1], false);
    if (strcmp(what, "show") == 0)
        return check(NULL, true);
    if (strcmp(what, "rules") == 0)
        return print_rules(argv[optind + 1]);
    if (strcmp(what, "schema") != 0)
        cli_usage_error(&command_config, "%s: expected path, check, show, schema or rules", what);
    return print_schema(argv[optind + 1]);
}
