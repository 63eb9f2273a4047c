#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/local_socket.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"
#include "store/session_life.h"
#include "store/session_lost.h"

/* A host that was killed is back within a second. */
#define RECONNECT_MS 3000
#define RECONNECT_STEP_MS 20
#define ASK_AFTER_MS 200
#define END_TIMEOUT_MS 30000

/* The message names the folder itself. */
static _Noreturn void die_plainly(const struct error *error)
{
    (void)fprintf(stderr, "ganger: %s\n", error->text);
    exit(EXIT_FAILED);
}

const char *cli_state_dir(void)
{
    static char *path;
    struct error error;

    if (path == NULL && (path = path_state_dir(&error)) == NULL)
        die_plainly(&error);
    return path;
}

const char *cli_runtime_dir(void)
{
    static char *path;
    struct error error;

    if (path == NULL && (path = path_runtime_dir(&error)) == NULL)
        die_plainly(&error);
    return path;
}

void cli_find(const char *reference, bool prefixes, char uuid[UUID_SIZE])
{
    struct error error;
    int found = session_dir_find(cli_state_dir(), reference, prefixes, uuid, &error);

    if (found == 0) {
        (void)session_lost_settle(cli_state_dir(), uuid);
        return;
    }
    (void)fprintf(stderr, "ganger: %s\n", error.text);
    exit(found == -2 ? EXIT_USAGE : EXIT_FAILED);
}

/* The socket's file may have gone with the runtime folder, at a log-out say: the host binds again. */
static void ask_to_listen(const char *uuid)
{
    json_t *session = session_dir_read(cli_state_dir(), uuid, NULL);
    pid_t host = (pid_t)json_member_integer(session, "host_pid", 0);

    if (session_host_is(host, uuid))
        (void)kill(host, SIGHUP);
    json_decref(session);
}

struct client *cli_connect(const char *uuid, struct error *error)
{
    const char *runtime = cli_runtime_dir(), *state = cli_state_dir();
    int64_t deadline = clock_monotonic_ns() + RECONNECT_MS * 1000000LL;
    int64_t ask_at = clock_monotonic_ns() + ASK_AFTER_MS * 1000000LL;

    for (;;) {
        struct client *client = client_connect(runtime, uuid, CLI_CALL_TIMEOUT_MS, error);
        int code = error->code;
        if (client != NULL)
            return client;
        if ((code != ENOENT && code != ECONNREFUSED && code != EPIPE) || clock_monotonic_ns() >= deadline)
            return NULL;
        if (session_dir_alive(state, uuid, NULL) != 1) {
            (void)error_set(error, "the session has ended: `ganger retry` starts it again");
            error->code = ENOENT;
            return NULL;
        }
        if (code == ENOENT && clock_monotonic_ns() >= ask_at) {
            ask_to_listen(uuid);
            ask_at = INT64_MAX;
        }
        (void)poll(NULL, 0, RECONNECT_STEP_MS);
    }
}

json_t *cli_call(const char *uuid, const char *method, json_t *params, struct error *error)
{
    struct client *client = cli_connect(uuid, error);
    json_t *result;

    if (client == NULL) {
        json_decref(params);
        return NULL;
    }
    result = client_call(client, method, params, CLI_CALL_TIMEOUT_MS, error);
    client_destroy(client);
    return result;
}

json_t *cli_session(const char *uuid, int timeout_ms, struct error *error)
{
    struct client *client = NULL;
    json_t *session = NULL, *list;
    size_t index;
    json_t *entry;

    if (session_dir_alive(cli_state_dir(), uuid, NULL) == 1 && timeout_ms > 0)
        client = client_connect(cli_runtime_dir(), uuid, timeout_ms, error);
    if (client != NULL) {
        session = client_call(client, "session.get", NULL, timeout_ms, error);
        client_destroy(client);
    }
    if (session != NULL)
        return session;
    if (error != NULL)
        *error = (struct error){.text = ""};
    list = session_dir_list(cli_state_dir(), NULL, error);
    json_array_foreach(list, index, entry)
    {
        const char *id = json_string_value(json_object_get(entry, "id"));
        if (id != NULL && strcmp(id, uuid) == 0)
            session = json_incref(entry);
    }
    json_decref(list);
    /* Its own reading says why it is left out of the list. */
    if (session == NULL) {
        json_decref(session_dir_read(cli_state_dir(), uuid, error));
        if (error != NULL && error->text[0] == '\0')
            (void)error_set(error, "the session's folder cannot be read: `ganger ls` lists what there is");
    }
    return session;
}

/* Nobody else can have the process id while its end of the connection is open. */
static void ask_to_leave(const char *uuid)
{
    struct error error;
    struct client *client = client_connect(cli_runtime_dir(), uuid, CLI_CALL_TIMEOUT_MS, &error);
    json_t *session =
        client == NULL ? NULL : client_call(client, "session.get", NULL, CLI_CALL_TIMEOUT_MS, &error);
    uid_t user;
    pid_t host;

    if (session != NULL && session_phase_ended(json_member_string(session, "phase", "")) &&
        local_socket_peer(client_descriptor(client), &user, &host, &error) == 0 && user == geteuid() &&
        host > 1)
        (void)kill(host, SIGTERM);
    json_decref(session);
    client_destroy(client);
}

int cli_leave(const char *uuid, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + CLI_CALL_TIMEOUT_MS * 1000000LL;

    ask_to_leave(uuid);
    while (session_dir_alive(cli_state_dir(), uuid, NULL) == 1) {
        if (clock_monotonic_ns() >= deadline)
            return error_set(error, "its host does not leave: see %s/sessions/%s/%s", cli_state_dir(), uuid,
                             SESSION_HOST_LOG);
        (void)poll(NULL, 0, RECONNECT_STEP_MS);
    }
    return 0;
}

/* Whether nothing of it runs, as when its host has left. */
static bool has_ended(const char *uuid)
{
    json_t *session =
        session_dir_alive(cli_state_dir(), uuid, NULL) == 1 ? cli_session(uuid, RECONNECT_MS, NULL) : NULL;
    bool ended = session == NULL || session_phase_ended(json_member_string(session, "phase", ""));

    json_decref(session);
    return ended;
}

/* Waits for session_ended, or for the connection's end. */
static int await_end(struct client *client, const char *uuid, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + END_TIMEOUT_MS * 1000000LL;

    for (;;) {
        int left = (int)((deadline - clock_monotonic_ns()) / 1000000), got;
        char *line;
        size_t length;
        if (left <= 0)
            return error_set(error,
                             "its processes have not ended within %d s; `ganger kill` ends them at once",
                             END_TIMEOUT_MS / 1000);
        got = client_next(client, left, &line, &length, error);
        if (got > 0 && strstr(line, "\"session_ended\"") != NULL)
            return 0;
        if (got < 0)
            return has_ended(uuid) ? 0 : error_set(error, "its host was replaced meanwhile: try again");
    }
}

/* Waits until a session that is being started runs, or cannot any more. */
static enum session_life await_life(const char *uuid)
{
    int64_t deadline = clock_monotonic_ns() + (SESSION_START_S + 1) * 1000000000LL;
    int life = session_life(cli_state_dir(), uuid, NULL, NULL);

    while (life == SESSION_STARTING && clock_monotonic_ns() < deadline) {
        (void)poll(NULL, 0, RECONNECT_STEP_MS);
        life = session_life(cli_state_dir(), uuid, NULL, NULL);
    }
    return life < 0 ? SESSION_GONE : (enum session_life)life;
}

/* Of a session that nobody keeps: what it left is ended. Returns 0 or -1. */
static int end_leftovers(const char *uuid, struct error *error)
{
    json_t *session;
    int result = 0;

    (void)session_lost_settle(cli_state_dir(), uuid);
    session = session_dir_read(cli_state_dir(), uuid, error);
    if (session == NULL)
        result = -1;
    else if (!session_phase_ended(json_member_string(session, "phase", "")))
        result = session_lost_is_here(session)
                     ? error_set(error, "it is %s, and nobody answers for it: try again",
                                 json_member_string(session, "phase", "?"))
                     : error_set(error, "it runs on the machine %s: end it there",
                                 json_member_string(session, "machine", "?"));
    json_decref(session);
    return result;
}

int cli_end(const char *uuid, const char *method, json_t *params, struct error *error)
{
    struct client *client = await_life(uuid) != SESSION_GONE ? cli_connect(uuid, error) : NULL;
    json_t *session = NULL, *result = NULL;
    int ended = 0;

    if (client == NULL) {
        json_decref(params);
        return session_dir_alive(cli_state_dir(), uuid, NULL) == 1 ? -1 : end_leftovers(uuid, error);
    }
    json_decref(client_call(client, "session.subscribe", json_pack("{s:[s]}", "types", "session_ended"),
                            CLI_CALL_TIMEOUT_MS, error));
    session = client_call(client, "session.get", NULL, CLI_CALL_TIMEOUT_MS, error);
    if (session == NULL || session_phase_ended(json_member_string(session, "phase", ""))) {
        ended = session == NULL ? -1 : 0;
        json_decref(params);
    } else {
        result = client_call(client, method, params, CLI_CALL_TIMEOUT_MS, error);
        ended = result == NULL ? -1 : await_end(client, uuid, error);
    }
    json_decref(session);
    json_decref(result);
    client_destroy(client);
    return ended;
}
