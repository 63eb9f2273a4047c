#include "cli/cli.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/crew_sessions.h"
#include "config/crew.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

static int run(int argc, char **argv);

const struct command command_down = {
    "down", "Tell", "end the sessions of a crew",
    "usage: ganger down [CREWFILE] [--rm] [--json]\n"
    "\n"
    "Ends all sessions that `ganger up` started from the crew file (./ganger.json without it), also those "
    "that the file does not name any\n"
    "more or when it is gone: in order and all at once, as `ganger cancel --session` does. Sessions that "
    "have ended are left as they\n"
    "are, and their folders stay.\n"
    "\n"
    "  --rm     delete the folders of all of the crew's sessions, too, those that ended before included\n"
    "  --json   print an array of {\"name\", \"state\", \"id\", \"error\"}; state is ended, removed or "
    "failed\n"
    "\n"
    "example: ganger down\n",
    run};

struct down {
    bool rm, json;
    const json_t *sessions; /* of the crew */
    json_t *told;           /* array */
    int code;
};

/* Whether another session of the crew has its name since. */
static bool is_older(const struct down *down, const json_t *session)
{
    json_t *other;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)down->sessions, index, other)
    {
        if (strcmp(json_member_string(other, "name", ""), json_member_string(session, "name", "?")) == 0 &&
            strcmp(json_member_string(other, "created_at", ""),
                   json_member_string(session, "created_at", "")) > 0)
            return true;
    }
    return false;
}

static void tell(struct down *down, const json_t *session, const char *state, const char *why)
{
    const char *name = json_member_string(session, "name", "?");

    if (why != NULL)
        down->code = EXIT_FAILED;
    if (down->json)
        (void)json_array_append_new(down->told, json_pack("{s:s, s:s, s:s, s:o}", "name", name, "state",
                                                          state, "id", json_member_string(session, "id", ""),
                                                          "error", json_string_or_null(why)));
    else if (why != NULL)
        (void)cli_errorf(name, "%s", why);
    else
        (void)printf("%s%s: %s\n", name, is_older(down, session) ? " (older)" : "", state);
    (void)fflush(stdout);
}

static json_t *cancel_params(void)
{
    return json_pack("{s:s}", "scope", "session");
}

/* Takes out of the array what has ended. */
static json_t *running_of(const json_t *sessions)
{
    json_t *running = json_array(), *session;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)sessions, index, session)
    {
        const char *uuid = json_member_string(session, "id", "");
        char *phase;
        crew_await_start(uuid);
        phase = crew_phase(uuid, session);
        if (session_dir_alive(cli_state_dir(), uuid, NULL) == 1 && !session_phase_ended(phase))
            (void)json_array_append(running, session);
        free(phase);
    }
    return running;
}

/* All are asked before the first is waited for: they end together. */
static void end_all(struct down *down, const json_t *running)
{
    struct error error;
    json_t *session;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)running, index, session)
    {
        json_decref(
            cli_call(json_member_string(session, "id", ""), "session.cancel", cancel_params(), &error));
    }
    json_array_foreach((json_t *)(uintptr_t)running, index, session)
    {
        const char *uuid = json_member_string(session, "id", "");
        if (cli_end(uuid, "session.cancel", cancel_params(), &error) < 0)
            tell(down, session, "failed", error.text);
        else if (!down->rm)
            tell(down, session, "ended", NULL);
    }
}

static void remove_all(struct down *down, const json_t *sessions)
{
    struct error error;
    json_t *session;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)sessions, index, session)
    {
        const char *uuid = json_member_string(session, "id", "");
        char *phase = crew_phase(uuid, session);
        bool ended = session_phase_ended(phase) || session_dir_alive(cli_state_dir(), uuid, NULL) != 1;
        free(phase);
        if (!ended)
            continue;
        if (cli_leave(uuid, &error) < 0 || session_dir_remove(cli_state_dir(), uuid, &error) < 0)
            tell(down, session, "failed", error.text);
        else
            tell(down, session, "removed", NULL);
    }
}

static int end_crew(struct down *down, const char *path, struct error *error)
{
    json_t *sessions, *running;

    (void)session_lost_settle_all(cli_state_dir());
    sessions = crew_sessions(path, error);
    if (sessions == NULL)
        return -1;
    if (json_array_size(sessions) == 0 && access(path, F_OK) < 0) {
        json_decref(sessions);
        return error_errno(error, "no session was started from %s", path);
    }
    down->sessions = sessions;
    running = running_of(sessions);
    end_all(down, running);
    if (down->rm)
        remove_all(down, sessions);
    else if (json_array_size(running) == 0 && !down->json)
        (void)printf("no session of %s is running\n", path);
    json_decref(running);
    json_decref(sessions);
    down->sessions = NULL;
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"rm", no_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    struct down down = {.told = json_array()};
    struct error error;
    char *path;
    int lock, done;

    for (int option; (option = cli_option(&command_down, argc, argv, ":h", options)) != -1;) {
        down.rm |= option == 'r';
        down.json |= option == 'j';
    }
    cli_operands(&command_down, argc, 0, 1);
    path = crew_path(argv[optind], &error);
    lock = path == NULL ? -1 : crew_lock(path, "down", &error);
    done = lock < 0 ? -1 : end_crew(&down, path, &error);
    if (done < 0)
        down.code = cli_error("down", &error);
    else if (down.json)
        cli_print_json(down.told);
    if (lock >= 0)
        close(lock);
    json_decref(down.told);
    free(path);
    return down.code;
}
