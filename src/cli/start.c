#include "cli/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "runner/local.h"
#include "store/session_dir.h"

#define START_TIMEOUT_MS 15000
#define VALUE_MAX (64 * 1024)
#define COMMAND_TIMEOUT_MS 20000

extern char **environ;

/* Reads what a command prints, until it closes its output or the time is up. */
static int read_output(int from, struct buffer *out, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + COMMAND_TIMEOUT_MS * 1000000LL;

    for (;;) {
        struct pollfd waited = {.fd = from, .events = POLLIN};
        int left = (int)((deadline - clock_monotonic_ns()) / 1000000);
        ssize_t got;
        if (left <= 0 || out->length > VALUE_MAX)
            return error_set(error, "it printed no value within %d s", COMMAND_TIMEOUT_MS / 1000);
        if (poll(&waited, 1, left) <= 0)
            continue;
        got = read(from, buffer_reserve(out, 4096), 4096);
        if (got == 0)
            return 0;
        if (got > 0)
            out->length += (size_t)got;
        else if (errno != EINTR)
            return error_errno(error, "cannot read its output");
    }
}

static int run_command(const json_t *words, struct buffer *out, struct error *error)
{
    size_t count = json_array_size(words);
    char **argv = xcalloc(count + 1, sizeof *argv);
    int pipes[2], status = 0, result;
    pid_t pid;
    posix_spawn_file_actions_t actions;

    for (size_t i = 0; i < count; i++)
        argv[i] = xstrdup(json_string_value(json_array_get(words, i)));
    if (count == 0 || pipe2(pipes, O_CLOEXEC) < 0)
        abort();
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
    errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    result = errno == 0 ? 0 : error_errno(error, "cannot run %s", argv[0]);
    (void)posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    if (result == 0) {
        result = read_output(pipes[0], out, error);
        if (result < 0)
            (void)kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        if (result == 0 && status != 0)
            result = error_set(error, "%s failed", argv[0]);
    }
    close(pipes[0]);
    for (size_t i = 0; i < count; i++)
        free(argv[i]);
    free(argv);
    return result;
}

/* A value of `env`: a string, {"file": PATH} or {"command": [ARGV]}, a trailing line feed cut. Allocated, or NULL. */
static char *resolve(const json_t *value, struct error *error)
{
    const char *file = json_member_string(value, "file", NULL);
    struct buffer out;
    char *text = NULL;
    size_t length;

    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (file != NULL) {
        if (path_read_file(file, VALUE_MAX, &text, &length, error) < 0)
            return NULL;
    } else {
        buffer_init(&out);
        if (run_command(json_object_get(value, "command"), &out, error) < 0) {
            buffer_finish(&out);
            return NULL;
        }
        length = out.length;
        *buffer_reserve(&out, 0) = '\0';
        text = buffer_steal(&out);
    }
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    return text;
}

static int set_all(const json_t *env, const char *owner, struct error *error)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)env, name, value)
    {
        struct error why;
        char *text = resolve(value, &why);
        if (text == NULL)
            return error_set(error, "%s.env.%s: %s", owner, name, why.text);
        if (setenv(name, text, 1) < 0) {
            free(text);
            return error_errno(error, "%s.env.%s", owner, name);
        }
        free(text);
    }
    return 0;
}

int start_agent_environment(const struct config *config, const char *agent, struct error *error)
{
    char owner[128];

    (void)snprintf(owner, sizeof owner, "agents.%s", agent);
    return set_all(json_object_get(config_agent(config, agent), "env"), owner, error);
}

int start_account(const struct config *config, const char *agent, const char *account, struct error *error)
{
    const json_t *entry = config_account(config, account);
    const struct agent_entry *known = agent_catalogue_find(agent);
    char owner[128];

    if (entry == NULL)
        return error_set(
            error, "there is no account %s: add accounts.%s to the configuration (`ganger config path`)",
            account, account);
    if (strcmp(json_member_string(entry, "agent", ""), agent) != 0)
        return error_set(error, "the account %s is for %s, not for %s", account,
                         json_member_string(entry, "agent", "?"), agent);
    for (size_t i = 0; known != NULL && known->scrubbed[i] != NULL; i++)
        (void)unsetenv(known->scrubbed[i]);
    (void)snprintf(owner, sizeof owner, "accounts.%s", account);
    return set_all(json_object_get(entry, "env"), owner, error);
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
        session = client_call(client, "session.get", NULL, left > 0 ? left : 1, error);
        if (session == NULL)
            break;
        started = judge_start(session, attempt, error);
        if (started == 0 && (left <= 0 || client_next(client, left, &line, &length, error) < 0))
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
    int started = runner_local_start(uuid, folder, working_dir, &keeper, &host, error);

    free(folder);
    return started < 0 ? NULL : start_await(uuid, attempt, START_TIMEOUT_MS, error);
}
