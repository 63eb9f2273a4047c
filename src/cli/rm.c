#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

static int run(int argc, char **argv);

const struct command command_rm = {"rm", "Tell", "delete an ended session's folder",
                                   "usage: ganger rm SESSION… | --ended\n"
                                   "\n"
                                   "Deletes the folder of ended sessions: recording, events and transcript. "
                                   "A running session is refused. SESSION is a whole\n"
                                   "name or a UUID, no prefix.\n"
                                   "\n"
                                   "  --ended   all sessions that have ended\n"
                                   "\n"
                                   "example: ganger kill api-fix && ganger rm api-fix\n",
                                   run};

/* A host stays for a few seconds after the end of its session; it is asked to leave. */
static int remove_session(const char *name, const char *uuid)
{
    struct error error;

    if (session_dir_alive(cli_state_dir(), uuid, NULL) == 1) {
        json_t *session = cli_session(uuid, CLI_CALL_TIMEOUT_MS, &error);
        bool ended = session != NULL && session_phase_ended(json_member_string(session, "phase", ""));
        json_decref(session);
        if (!ended)
            return cli_errorf(name, "it is running: `ganger kill %s` ends it", name);
        if (cli_leave(uuid, &error) < 0)
            return cli_error(name, &error);
    }
    return session_dir_remove(cli_state_dir(), uuid, &error) < 0 ? cli_error(name, &error) : EXIT_OK;
}

static int remove_ended(void)
{
    struct error error;
    json_t *list, *entry;
    size_t index;
    int code = EXIT_OK;

    (void)session_lost_settle_all(cli_state_dir());
    list = session_dir_list(cli_state_dir(), NULL, &error);
    if (list == NULL)
        return cli_error("rm", &error);
    json_array_foreach(list, index, entry)
    {
        if (session_phase_ended(json_member_string(entry, "phase", "")))
            code |=
                remove_session(json_member_string(entry, "name", "?"), json_member_string(entry, "id", ""));
    }
    json_decref(list);
    return code;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"ended", no_argument, NULL, 'e'}, CLI_HELP_OPTION, {0}};
    bool ended = false;
    int code = EXIT_OK;

    for (int option; (option = cli_option(&command_rm, argc, argv, ":h", options)) != -1;)
        ended = true;
    cli_operands(&command_rm, argc, ended ? 0 : 1, ended ? 0 : -1);
    if (ended)
        return remove_ended();
    for (int i = optind; i < argc; i++) {
        char uuid[UUID_SIZE];
        cli_find(argv[i], false, uuid);
        code |= remove_session(argv[i], uuid);
    }
    return code;
}
