#include "cli/start.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "runner/account.h"
#include "runner/local.h"
#include "store/session_dir.h"

int start_check_account(const struct config *config, const char *agent, const char *account,
                        struct error *error)
{
    const json_t *entry = config_account(config, account);

    if (entry == NULL)
        return error_set(
            error, "there is no account %s: add accounts.%s to the configuration (`ganger config path`)",
            account, account);
    if (strcmp(json_member_string(entry, "agent", ""), agent) != 0)
        return error_set(error, "the account %s is for %s, not for %s", account,
                         json_member_string(entry, "agent", "?"), agent);
    return account_check_named(config, agent, account, error);
}

/* Whether the session object speaks of the attempt's start: 1 it runs or ran, -1 it failed (error filled), 0 not yet. */
static int judge_start(const json_t *session, int attempt, struct error *error)
{
    const json_t *last_error = json_object_get(session, "last_error");

    if (json_member_integer(session, "attempt", 0) < attempt)
        return 0;
    if (json_is_integer(json_object_get(session, "pid")))
        return 1;
    if (!session_phase_ended(json_member_string(session, "phase", "")))
        return 0;
    if (!json_is_object(last_error) || json_is_object(json_object_get(session, "exit")) == 0)
        return 1;
    if (!json_is_null(json_object_get(json_object_get(session, "exit"), "code")) ||
        !json_is_null(json_object_get(json_object_get(session, "exit"), "signal")))
        return 1;
    return error_set(error, "%s%s%s",
                     json_member_string(last_error, "message", "the agent could not be started"),
                     json_member_string(last_error, "hint", NULL) != NULL ? ": " : "",
                     json_member_string(last_error, "hint", ""));
}

json_t *start_await(const char *uuid, int attempt, int timeout_ms, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + timeout_ms * 1000000LL;
    struct client *client = cli_connect(uuid, error);
    json_t *session = NULL;
    int started = 0;

    if (client == NULL)
        return NULL;
    json_decref(client_call(client, "session.subscribe", json_object(), CLI_CALL_TIMEOUT_MS, error));
    while (started == 0) {
        int left = (int)((deadline - clock_monotonic_ns()) / 1000000);
        char *line;
        size_t length;
        json_decref(session);
        session = client_call(client, "session.get", NULL, left > 1000 ? left : 1000, error);
        if (session == NULL)
            break;
        started = judge_start(session, attempt, error);
        /* Commands that run before the start have a limit of their own. */
        if (json_is_object(json_object_get(session, "before_start")))
            deadline = clock_monotonic_ns() + timeout_ms * 1000000LL;
        left = (int)((deadline - clock_monotonic_ns()) / 1000000);
        if (started == 0 &&
            (left <= 0 || client_next(client, left < 5000 ? left : 5000, &line, &length, error) < 0))
            started = error_set(error, "the agent has not started within %d s", timeout_ms / 1000);
    }
    client_destroy(client);
    if (started < 0) {
        json_decref(session);
        session = NULL;
    }
    return session;
}

json_t *start_session(const char *uuid, const char *working_dir, int attempt, struct error *error)
{
    char *folder = session_dir_path(cli_state_dir(), uuid);
    pid_t keeper, host;
    int started = runner_local_start(uuid, folder, working_dir, -1, &keeper, &host, error);

    free(folder);
    return started < 0 ? NULL : start_await(uuid, attempt, START_TIMEOUT_MS, error);
}
