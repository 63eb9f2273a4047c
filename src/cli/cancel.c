#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "store/session_dir.h"

static int run_cancel(int argc, char **argv);
static int run_kill(int argc, char **argv);

const struct command command_cancel = {
    "cancel", "Tell", "interrupt a turn, or end a session in order",
    "usage: ganger cancel SESSION… [--session] [--json]\n"
    "\n"
    "Interrupts the turn that is running, the way the agent itself is interrupted (Esc for most); no signal "
    "is sent. Cancelling\n"
    "twice, or a session with nothing to cancel, changes nothing and is a success.\n"
    "\n"
    "  --session   end the session: interrupt, then terminate, then kill every process of it\n"
    "  --json      print {\"session\", \"state\"} for each\n"
    "\n"
    "example: ganger cancel api-fix\n",
    run_cancel};

const struct command command_kill = {"kill", "Tell", "end a session at once",
                                     "usage: ganger kill SESSION…\n"
                                     "\n"
                                     "Kills every process of the session and waits until none is left. What "
                                     "it printed stays readable until `ganger rm`. SESSION is a\n"
                                     "whole name or a UUID, no prefix. An ended session is left as it is.\n"
                                     "\n"
                                     "example: ganger kill api-fix\n",
                                     run_kill};

typedef char uuid_text[UUID_SIZE];

/* All references are looked up before anything is done. */
static uuid_text *find_all(int argc, char **argv, bool prefixes)
{
    uuid_text *found = calloc((size_t)(argc - optind) + 1, sizeof *found);

    if (found == NULL)
        abort();
    for (int i = optind; i < argc; i++)
        cli_find(argv[i], prefixes, found[i - optind]);
    return found;
}

static bool alive(const char *uuid)
{
    return session_dir_alive(cli_state_dir(), uuid, NULL) == 1;
}

static void report(const char *name, const char *state, bool json)
{
    if (json) {
        json_t *line = json_pack("{s:s, s:s}", "session", name, "state", state);
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(line);
    } else {
        (void)printf("%s: %s\n", name, state);
    }
}

static int cancel(const char *name, const char *uuid, const char *scope, bool json)
{
    struct error error;
    json_t *result;

    if (!alive(uuid)) {
        report(name, "nothing to cancel", json);
        return EXIT_OK;
    }
    result = cli_call(uuid, "session.cancel", json_pack("{s:s}", "scope", scope), &error);
    if (result == NULL)
        return cli_error(name, &error);
    report(name, json_member_string(result, "state", "?"), json);
    json_decref(result);
    return EXIT_OK;
}

static int run_cancel(int argc, char **argv)
{
    static const struct option options[] = {
        {"session", no_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    bool json = false;
    const char *scope = "turn";
    uuid_text *uuids;
    int code = EXIT_OK;

    for (int option; (option = cli_option(&command_cancel, argc, argv, ":h", options)) != -1;) {
        if (option == 's')
            scope = "session";
        else
            json = true;
    }
    cli_operands(&command_cancel, argc, 1, -1);
    uuids = find_all(argc, argv, true);
    for (int i = optind; i < argc; i++)
        code |= cancel(argv[i], uuids[i - optind], scope, json);
    free(uuids);
    return code;
}

static int kill_session(const char *name, const char *uuid)
{
    struct error error;

    return cli_end(uuid, "session.kill", NULL, &error) < 0 ? cli_error(name, &error) : EXIT_OK;
}

static int run_kill(int argc, char **argv)
{
    static const struct option options[] = {CLI_HELP_OPTION, {0}};
    uuid_text *uuids;
    int code = EXIT_OK;

    while (cli_option(&command_kill, argc, argv, ":h", options) != -1)
        continue;
    cli_operands(&command_kill, argc, 1, -1);
    uuids = find_all(argc, argv, false);
    for (int i = optind; i < argc; i++)
        code |= kill_session(argv[i], uuids[i - optind]);
    free(uuids);
    return code;
}
