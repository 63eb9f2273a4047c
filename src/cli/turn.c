#include "cli/turn.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"

int turn_subscribe(struct client *client, struct error *error)
{
    json_t *types = json_pack("[s, s, s, s]", "turn_ended", "attempt_ended", "session_ended", "cancelled");
    json_t *result = client_call(client, "session.subscribe", json_pack("{s:o}", "types", types),
                                 CLI_CALL_TIMEOUT_MS, error);

    if (result == NULL)
        return -1;
    json_decref(result);
    return 0;
}

/* -1 while the event says nothing about the turn, else the exit code. */
static int judge(const json_t *event, const char *prompt_id, const char *name)
{
    const char *type = json_member_string(event, "type", "");

    if (strcmp(type, "attempt_ended") == 0 || strcmp(type, "session_ended") == 0)
        return cli_errorf(name, "the session ended before the turn did: `ganger show %s` says why", name);
    if (strcmp(type, "turn_ended") != 0 || strcmp(json_member_string(event, "prompt_id", ""), prompt_id) != 0)
        return -1;
    if (strcmp(json_member_string(event, "outcome", "completed"), "completed") == 0)
        return EXIT_OK;
    return cli_errorf(name, "the turn ended: %s", json_member_string(event, "outcome", "?"));
}

int turn_wait(struct client *client, const char *prompt_id, double timeout_s, const char *name)
{
    int64_t deadline = clock_monotonic_ns() + (int64_t)(timeout_s * 1e9);
    struct error error;

    for (;;) {
        int left = timeout_s < 0 ? -1 : (int)((deadline - clock_monotonic_ns()) / 1000000), got, code;
        char *line;
        size_t length;
        json_t *message;
        if (timeout_s >= 0 && left <= 0)
            return EXIT_TIMED_OUT;
        got = client_next(client, left, &line, &length, &error);
        if (got < 0)
            return cli_error(name, &error);
        if (got == 0)
            continue;
        message = json_loadb(line, length, 0, NULL);
        code = judge(json_object_get(message, "params"), prompt_id, name);
        json_decref(message);
        if (code >= 0)
            return code;
    }
}
