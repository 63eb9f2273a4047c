#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cli/start.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"

#define RETRY_TIMEOUT_MS 60000 /* an attempt that ends may take its grace twice */

static int run(int argc, char **argv);

const struct command command_retry = {"retry", "Tell", "run the last prompt again in a new attempt",
                                      "usage: ganger retry SESSION… [-A ACCOUNT] [--json]\n"
                                      "\n"
                                      "Ends the attempt if one runs and starts another in the same session, "
                                      "resuming the agent's own conversation, with the last prompt.\n"
                                      "\n"
                                      "  -A ACCOUNT   with another account of the same agent\n"
                                      "  --json       print {\"session\", \"attempt\"} for each\n"
                                      "\n"
                                      "example: ganger retry api-fix\n",
                                      run};

/* The session's host is gone: session.json tells a new pair which attempt to begin. */
static json_t *restart(const char *uuid, const char *account, struct error *error)
{
    json_t *session = session_dir_read(cli_state_dir(), uuid, error), *start;
    struct config *config = session == NULL ? NULL : config_load(NULL, error);
    const char *agent = json_member_string(session, "agent", ""),
               *name = json_member_string(session, "name", "");
    const char *folder = json_member_string(session, "cwd", "/");
    int attempt = (int)json_member_integer(session, "attempt", 0) + 1;
    struct stat status;
    json_t *started = NULL;

    if (account == NULL)
        account = json_member_string(session, "account", NULL);
    if (config == NULL)
        goto done;
    if (!json_is_object(json_object_get(session, "start"))) {
        (void)error_set(
            error, "how it was started is not known, since its session.json was made again: `ganger run` "
                   "starts another session");
        goto done;
    }
    if (stat(folder, &status) < 0) {
        (void)error_errno(error, "the working folder %s", folder);
        goto done;
    }
    if ((account != NULL && start_check_account(config, agent, account, error) < 0) ||
        session_dir_rename(cli_state_dir(), uuid, name, name, error) < 0)
        goto done;
    start = json_object_get(session, "start");
    (void)json_object_set_new(start, "attempt_wanted", json_integer(attempt));
    (void)json_object_del(start, "resume");
    (void)json_object_set_new(session, "account", json_string_or_null(account));
    if (session_dir_write(cli_state_dir(), uuid, session, error) == 0)
        started = start_session(uuid, folder, attempt, error);
done:
    config_destroy(config);
    json_decref(session);
    return started;
}

static int attempt_of(json_t *result)
{
    int attempt = (int)json_member_integer(result, "attempt", 0);

    json_decref(result);
    return attempt;
}

/* Asks the host. An attempt that runs is ended first; the host begins the other once nothing of it is left. */
static json_t *retry_living(const char *uuid, struct error *error)
{
    struct client *client = cli_connect(uuid, error);
    json_t *result =
        client == NULL ? NULL : client_call(client, "session.retry", NULL, CLI_CALL_TIMEOUT_MS, error);

    if (client != NULL && result == NULL && error->code == RPC_RUNNING) {
        result = client_call(client, "session.cancel", json_pack("{s:s}", "scope", "session"),
                             CLI_CALL_TIMEOUT_MS, error);
        json_decref(result);
        if (result != NULL)
            result = client_call(client, "session.retry", NULL, CLI_CALL_TIMEOUT_MS, error);
    }
    client_destroy(client);
    return result == NULL ? NULL : start_await(uuid, attempt_of(result), RETRY_TIMEOUT_MS, error);
}

/* The number of the attempt begun, or -1. */
static int retry(const char *uuid, const char *account, struct error *error)
{
    json_t *result;

    if (session_dir_alive(cli_state_dir(), uuid, NULL) == 1 && account == NULL) {
        result = retry_living(uuid, error);
    } else {
        if (cli_end(uuid, "session.cancel", json_pack("{s:s}", "scope", "session"), error) < 0 ||
            cli_leave(uuid, error) < 0)
            return -1;
        result = restart(uuid, account, error);
    }
    return result == NULL ? -1 : attempt_of(result);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"account", required_argument, NULL, 'A'}, {"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    const char *account = NULL;
    bool json = false;
    int code = EXIT_OK;

    for (int option; (option = cli_option(&command_retry, argc, argv, ":A:h", options)) != -1;) {
        if (option == 'A')
            account = optarg;
        else
            json = true;
    }
    cli_operands(&command_retry, argc, 1, -1);
    for (int i = optind; i < argc; i++) {
        char uuid[UUID_SIZE];
        struct error error;
        int attempt;
        cli_find(argv[i], true, uuid);
        attempt = retry(uuid, account, &error);
        if (attempt < 0)
            code = cli_error(argv[i], &error);
        else if (json)
            (void)printf("{\"session\":\"%s\",\"attempt\":%d}\n", argv[i], attempt);
        else
            (void)printf("%s: attempt %d\n", argv[i], attempt);
    }
    return code;
}
