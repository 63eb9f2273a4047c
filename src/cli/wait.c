#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/turn.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_wait = {
    "wait", "Look", "wait until a session is in a phase",
    "usage: ganger wait SESSION… --for PHASE[,PHASE…] [--timeout S]\n"
    "       ganger wait SESSION --prompt ID [--timeout S]\n"
    "\n"
    "Waits until every session is in one of the phases, or until the turn of a prompt (see `ganger send "
    "--json`) has ended.\n"
    "Phases: initializing idle connecting thinking streaming tool approval limited retrying unknown; ended "
    "ones: completed\n"
    "failed timeout cancelled killed lost; `ended` means any of the latter.\n"
    "\n"
    "  --timeout S   give up after S seconds\n"
    "\n"
    "Exit code: 0, or 1 when a session ended in another phase, 124 on time-out.\n"
    "\n"
    "example: ganger wait api-fix --for idle,approval --timeout 600\n",
    run};

static const char *const phases[] = {"initializing", "idle",     "connecting", "thinking",  "streaming",
                                     "tool",         "approval", "limited",    "retrying",  "unknown",
                                     "completed",    "failed",   "timeout",    "cancelled", "killed",
                                     "lost",         "ended"};

/* Whether `phase` is in the comma-separated list. */
static bool wanted(const char *list, const char *phase)
{
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if ((strlen(phase) == length && strncmp(at, phase, length) == 0) ||
            (length == 5 && strncmp(at, "ended", 5) == 0 && session_phase_ended(phase)))
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

static void check_phases(const char *list)
{
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ","), i = 0;
        while (i < sizeof phases / sizeof phases[0] &&
               (strlen(phases[i]) != length || strncmp(phases[i], at, length) != 0))
            i++;
        if (i == sizeof phases / sizeof phases[0])
            cli_usage_error(&command_wait, "--for %.*s: no such phase", (int)length, at);
        at += length + (at[length] == ',');
    }
}

/* -1: go on waiting. */
static int judge(const char *name, const char *list, const char *phase)
{
    if (wanted(list, phase))
        return EXIT_OK;
    if (session_phase_ended(phase))
        return cli_errorf(name, "the session ended: %s", phase);
    return -1;
}

/* The session's phase as far as can be told at this moment, judged. */
static int judge_stored(const char *name, const char *uuid, const char *list)
{
    struct error error;
    json_t *session = cli_session(uuid, 1000, &error);
    int code = session == NULL ? cli_error(name, &error)
                               : judge(name, list, json_member_string(session, "phase", ""));

    json_decref(session);
    return code;
}

static int left_ms(int64_t deadline)
{
    int64_t left = deadline < 0 ? -1 : (deadline - clock_monotonic_ns()) / 1000000;

    return deadline >= 0 && left <= 0 ? 0 : left > 1000000000 ? 1000000000 : (int)left;
}

/* Follows one connection's phases until one is wanted. -1: the connection is gone. */
static int follow(struct client *client, const char *name, const char *list, int64_t deadline)
{
    struct error error;
    json_t *result =
        client_call(client, "session.subscribe", json_pack("{s:[s, s]}", "types", "phase", "session_ended"),
                    CLI_CALL_TIMEOUT_MS, &error);
    json_t *session =
        result == NULL ? NULL : client_call(client, "session.get", NULL, CLI_CALL_TIMEOUT_MS, &error);
    int code = session == NULL ? -1 : judge(name, list, json_member_string(session, "phase", ""));

    json_decref(result);
    if (session == NULL)
        return -1;
    json_decref(session);
    while (code < 0) {
        char *line;
        size_t length;
        int left = left_ms(deadline), got = left == 0 ? 0 : client_next(client, left, &line, &length, &error);
        json_t *message;
        if (got == 0) {
            (void)cli_errorf(name, "the time is up");
            return EXIT_TIMED_OUT;
        }
        if (got < 0)
            return -1;
        message = json_loadb(line, length, 0, NULL);
        result = json_object_get(message, "params");
        if (strcmp(json_member_string(result, "type", ""), "phase") == 0)
            code = judge(name, list, json_member_string(result, "phase", ""));
        json_decref(message);
    }
    return code;
}

static int wait_phase(const char *name, const char *uuid, const char *list, int64_t deadline)
{
    struct error error;

    for (;;) {
        struct client *client = cli_connect(uuid, &error);
        int code = client == NULL ? judge_stored(name, uuid, list) : follow(client, name, list, deadline);
        client_destroy(client);
        if (code >= 0)
            return code;
        if (client == NULL)
            return cli_error(name, &error);
    }
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"for", required_argument, NULL, 'f'},
                                            {"prompt", required_argument, NULL, 'p'},
                                            {"timeout", required_argument, NULL, 't'},
                                            CLI_HELP_OPTION,
                                            {0}};
    const char *list = NULL, *prompt = NULL;
    char uuid[UUID_SIZE];
    double timeout_s = -1;
    int64_t deadline;
    int code = EXIT_OK;

    for (int option; (option = cli_option(&command_wait, argc, argv, ":h", options)) != -1;) {
        if (option == 'f')
            list = optarg;
        else if (option == 'p')
            prompt = optarg;
        else if (option == 't')
            timeout_s = cli_seconds(&command_wait, optarg);
    }
    if ((list == NULL) == (prompt == NULL))
        cli_usage_error(&command_wait, "give --for or --prompt");
    cli_operands(&command_wait, argc, 1, prompt != NULL ? 1 : -1);
    if (prompt != NULL) {
        cli_find(argv[optind], true, uuid);
        return turn_wait_known(uuid, prompt, timeout_s, argv[optind]);
    }
    check_phases(list);
    deadline = timeout_s < 0 ? -1 : clock_monotonic_ns() + (int64_t)(timeout_s * 1e9);
    for (int i = optind; i < argc && code == EXIT_OK; i++) {
        cli_find(argv[i], true, uuid);
        code = wait_phase(argv[i], uuid, list, deadline);
    }
    return code;
}
