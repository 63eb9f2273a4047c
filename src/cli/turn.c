#include "cli/turn.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "store/event_log.h"
#include "store/session_dir.h"

int turn_subscribe(struct client *client, struct error *error)
{
    json_t *types = json_pack("[s, s, s, s, s]", "turn_ended", "attempt_ended", "session_ended", "cancelled",
                              "prompt_queued");
    json_t *result = client_call(client, "session.subscribe", json_pack("{s:o}", "types", types),
                                 CLI_CALL_TIMEOUT_MS, error);

    if (result == NULL)
        return -1;
    json_decref(result);
    return 0;
}

#define HOST_GONE (-2)

/* What the events so far say of a prompt's turn. */
struct turn {
    const char *prompt_id;
    const char *name;
    char retry_id[40]; /* as which a failed turn goes on; "": it does not */
    bool known;        /* the prompt was seen */
    int code;          /* the exit code, or -1 while the turn goes on */
    uint64_t seq;
};

/* What waited in a lost session goes on when that is resumed. */
static bool was_lost(const json_t *event)
{
    return strcmp(json_member_string(json_object_get(event, "exit"), "state", ""), "lost") == 0;
}

static void judge(struct turn *turn, const json_t *event)
{
    const char *type = json_member_string(event, "type", "");
    const char *outcome = json_member_string(event, "outcome", "completed");
    const char *next = json_member_string(event, "retry", NULL);

    turn->seq = (uint64_t)json_member_integer(event, "seq", (int64_t)turn->seq);
    if (strcmp(json_member_string(event, "prompt_id", ""), turn->prompt_id) == 0) {
        turn->known = true;
        if (strcmp(json_member_string(event, "change", ""), "removed") == 0)
            turn->code = cli_errorf(turn->name, "the prompt was removed from the queue");
        if (strcmp(type, "cancelled") == 0)
            turn->code = cli_errorf(turn->name, "the turn failed, and is not tried again: %s",
                                    json_member_string(event, "reason", ""));
        if (strcmp(type, "turn_ended") != 0)
            return;
        if (next != NULL) {
            /* ganger goes on with it by itself, under that name. */
            (void)snprintf(turn->retry_id, sizeof turn->retry_id, "%s", next);
            turn->prompt_id = turn->retry_id;
            return;
        }
        turn->code = strcmp(outcome, "completed") == 0
                         ? EXIT_OK
                         : cli_errorf(turn->name, "the turn ended: %s", outcome);
    } else if (turn->known &&
               ((strcmp(type, "attempt_ended") == 0 && turn->retry_id[0] == '\0' && !was_lost(event)) ||
                strcmp(type, "session_ended") == 0)) {
        turn->code = cli_errorf(
            turn->name, "the session ended before the turn did: `ganger show %s` says why", turn->name);
    }
}

/* Takes notifications until the turn has ended, or the event `until` was seen (0: none such). HOST_GONE: the connection has
 * ended before; another host may follow. */
static int follow(struct client *client, struct turn *turn, int64_t deadline, uint64_t until)
{
    struct error error;

    while (turn->code < 0 && (until == 0 || turn->seq < until)) {
        int64_t left = deadline < 0 ? -1 : (deadline - clock_monotonic_ns()) / 1000000;
        char *line;
        size_t length;
        json_t *message;
        int got;
        if (deadline >= 0 && left <= 0) {
            (void)cli_errorf(turn->name, "the time is up");
            return EXIT_TIMED_OUT;
        }
        got = client_next(client, left > 1000000000 ? 1000000000 : (int)left, &line, &length, &error);
        if (got < 0)
            return HOST_GONE;
        if (got == 0)
            continue;
        message = json_loadb(line, length, 0, NULL);
        judge(turn, json_object_get(message, "params"));
        json_decref(message);
    }
    return turn->code;
}

static int64_t deadline_of(double timeout_s)
{
    return timeout_s < 0 ? -1 : clock_monotonic_ns() + (int64_t)(timeout_s * 1e9);
}

static int judge_stored(void *argument, uint64_t seq, const char *text, size_t length)
{
    struct turn *turn = argument;
    json_t *event = json_loadb(text, length, 0, NULL);

    judge(turn, event);
    json_decref(event);
    turn->seq = seq;
    return turn->code >= 0;
}

static int look_through_file(const char *uuid, struct turn *turn)
{
    struct error error;
    int folder = session_dir_open(cli_state_dir(), uuid, &error), result;

    if (folder < 0)
        return cli_error(turn->name, &error);
    result = event_log_read(folder, turn->seq, judge_stored, turn, &error);
    close(folder);
    return result < 0 ? cli_error(turn->name, &error) : turn->code;
}

/* All types are asked for: only then does the number of the last event tell that all were seen. */
static int ask_host(struct client *client, struct turn *turn, int64_t deadline)
{
    struct error error;
    json_t *result =
        client_call(client, "session.subscribe", json_pack("{s:I}", "since", (json_int_t)turn->seq),
                    CLI_CALL_TIMEOUT_MS, &error);
    uint64_t end = (uint64_t)json_member_integer(result, "seq", 0);
    int code;

    if (result == NULL)
        return error.code == EPIPE || error.code == ECONNRESET ? HOST_GONE : cli_error(turn->name, &error);
    json_decref(result);
    code = end > turn->seq ? follow(client, turn, deadline, end) : turn->code;
    return code != -1 || !turn->known ? code : follow(client, turn, deadline, 0);
}

/* Goes on with every host that follows another. */
static int follow_session(const char *uuid, struct turn *turn, int64_t deadline)
{
    int code = HOST_GONE;

    while (code == HOST_GONE) {
        struct error error;
        struct client *client;
        code = look_through_file(uuid, turn);
        if (code >= 0 || session_dir_alive(cli_state_dir(), uuid, NULL) != 1)
            break;
        client = cli_connect(uuid, &error);
        code = client == NULL ? cli_error(turn->name, &error) : ask_host(client, turn, deadline);
        client_destroy(client);
    }
    if (code < 0 && !turn->known)
        return cli_errorf(turn->name, "it has had no prompt with the id %s", turn->prompt_id);
    return code < 0 ? cli_errorf(turn->name, "the session ended before the turn did") : code;
}

int turn_wait(struct client *client, const char *uuid, const char *prompt_id, double timeout_s,
              const char *name)
{
    struct turn turn = {.prompt_id = prompt_id, .name = name, .known = true, .code = -1};
    int64_t deadline = deadline_of(timeout_s);
    int code = follow(client, &turn, deadline, 0);

    if (code != HOST_GONE)
        return code;
    turn = (struct turn){.prompt_id = prompt_id, .name = name, .code = -1};
    return follow_session(uuid, &turn, deadline);
}

int turn_wait_known(const char *uuid, const char *prompt_id, double timeout_s, const char *name)
{
    struct turn turn = {.prompt_id = prompt_id, .name = name, .code = -1};

    return follow_session(uuid, &turn, deadline_of(timeout_s));
}
