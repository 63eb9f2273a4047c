#include "cli/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/start.h"
#include "cli/sweep.h"
#include "rpc/protocol.h"
#include "runner/local.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

struct launch launch_empty(void)
{
    return (struct launch){.lifeline = -1};
}

/* Ends an error_set of a request that can never work. */
static int unusable(struct error *error)
{
    if (error != NULL)
        error->code = EINVAL;
    return -1;
}

/* ---- which agent ---- */

static const char *first_installed(struct error *error)
{
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        char *path = entries[i].program != NULL ? program_path(entries[i].program) : NULL;
        free(path);
        if (path != NULL)
            return entries[i].name;
    }
    (void)error_set(error,
                    "none of claude, codex, gemini and opencode is installed; `%s` gets one, or name a "
                    "command after --",
                    entries[0].install);
    return NULL;
}

static const char *choose_agent(const struct launch *launch, const struct config *config, struct error *error)
{
    const char *agent = launch->agent;

    if (launch->command != NULL)
        return "command";
    if (agent == NULL && launch->account != NULL)
        agent = json_member_string(config_account(config, launch->account), "agent", NULL);
    return agent != NULL ? agent : first_installed(error);
}

static int check_agent(const struct launch *launch, struct error *error)
{
    const char *agent = launch->agent;

    if (launch->command != NULL && agent != NULL && strcmp(agent, "command") != 0)
        (void)error_set(error, "a command after -- goes with -a command, not with -a %s", agent);
    else if (launch->command == NULL && agent != NULL && strcmp(agent, "command") == 0)
        (void)error_set(error, "-a command needs a command after --");
    else if (launch->command != NULL && launch->command[0] == NULL)
        (void)error_set(error, "there is no command after --");
    else if (launch->command != NULL && launch->prompt != NULL)
        (void)error_set(error, "a prompt and a command exclude each other");
    else if (agent != NULL && agent_catalogue_find(agent) == NULL)
        (void)error_set(
            error,
            "-a %s: expected claude, codex, gemini, opencode, qwen, pi, command, or an agent of your own "
            "(agents/NAME.json, see ganger-config(5))",
            agent);
    else
        return 0;
    return unusable(error);
}

static int check_rest(const struct launch *launch, struct error *error)
{
    if (launch->name != NULL && !name_valid(launch->name))
        (void)error_set(
            error,
            "-n %s: a name is a letter or digit, then up to 62 letters, digits, dots, underscores and dashes",
            launch->name);
    else if (launch->mode != NULL && strcmp(launch->mode, "tui") != 0 && strcmp(launch->mode, "stream") != 0)
        (void)error_set(error, "-m %s: expected tui or stream", launch->mode);
    else if ((launch->cols != 0 || launch->rows != 0) &&
             (launch->cols < 2 || launch->cols > 1000 || launch->rows < 2 || launch->rows > 500))
        (void)error_set(error, "--size %dx%d: expected COLUMNSxROWS from 2x2 to 1000x500", launch->cols,
                        launch->rows);
    else if (launch->timeout_s < 0)
        (void)error_set(error, "--timeout: expected more than 0 seconds");
    else if (launch->prompt != NULL && strlen(launch->prompt) > RPC_PROMPT_MAX)
        (void)error_set(error, "the prompt has %zu bytes; at most %d are taken", strlen(launch->prompt),
                        (int)RPC_PROMPT_MAX);
    else if (launch->headless && launch->prompt == NULL && launch->command == NULL)
        (void)error_set(error, "a headless run needs a prompt, or a command after --");
    else
        return launch->prompt == NULL ? 0 : cli_check_prompt(launch->prompt, strlen(launch->prompt), error);
    return unusable(error);
}

/* Those whose JSON mode is spoken; the rest of the catalogue and agents of the user's own run on their terminal. */
static bool has_stream(const char *agent)
{
    static const char *const known[] = {"claude", "codex", "gemini", "opencode"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], agent) == 0)
            return true;
    }
    return false;
}

static const char *choose_mode(const struct launch *launch, const char *agent)
{
    if (launch->mode != NULL)
        return launch->mode;
    return launch->headless && has_stream(agent) ? "stream" : "tui";
}

/* ---- what is run ---- */

static json_t *words_of(char *const *words, struct error *error)
{
    json_t *array = json_array();

    for (; *words != NULL; words++) {
        if (json_array_append_new(array, json_string(*words)) < 0) {
            json_decref(array);
            (void)error_set(error, "a word of the command is not valid UTF-8");
            return NULL;
        }
    }
    return array;
}

/* Program and configured arguments: agents.NAME.command and .args, else the catalogue's. */
static json_t *agent_words(const struct config *config, const struct agent_entry *agent, struct error *error)
{
    const json_t *entry = config_agent(config, agent->name);
    json_t *words = json_deep_copy(json_object_get(entry, "command")), *more = json_object_get(entry, "args");
    const char *program;
    char *path;

    if (words == NULL)
        words = json_pack("[s]", agent->program);
    program = json_string_value(json_array_get(words, 0));
    path = program_path(program);
    if (path == NULL) {
        (void)error_set(error, "%s is not installed: %s is not on PATH; `%s` installs it", agent->title,
                        program, agent->install);
        json_decref(words);
        return NULL;
    }
    free(path);
    for (size_t i = 0; more == NULL && agent->arguments[i] != NULL; i++)
        (void)json_array_append_new(words, json_string(agent->arguments[i]));
    if (more != NULL)
        (void)json_array_extend(words, more);
    return words;
}

static json_t *command_words(char *const *command, struct error *error)
{
    char *path = program_path(command[0]);

    if (path == NULL) {
        (void)error_set(error, "%s: %s", command[0],
                        strchr(command[0], '/') == NULL ? "it is not on PATH: install it, or give its "
                                                          "whole path"
                        : access(command[0], F_OK) == 0 ? "it is not an executable file"
                                                        : "there is no such program");
        return NULL;
    }
    free(path);
    return words_of(command, error);
}

static char *working_folder(const char *wanted, struct error *error)
{
    const char *folder = wanted != NULL ? wanted : ".";
    char *path = realpath(folder, NULL);
    struct stat status;

    if (path == NULL) {
        (void)error_errno(error, "the working folder %s", folder);
        return NULL;
    }
    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        (void)error_set(error, "the working folder %s is not a folder", path);
    else if (!utf8_valid(path, strlen(path)))
        (void)error_set(error, "the working folder's path is not valid UTF-8: use another folder");
    else if (access(path, X_OK) < 0)
        (void)error_errno(error, "the working folder %s", path);
    else
        return path;
    free(path);
    return NULL;
}

/* ---- the session object ---- */

/* A path that is no UTF-8 cannot be told, as an event could not tell it. */
static json_t *paths_array(char *const *paths)
{
    json_t *array = json_array();

    for (; *paths != NULL; paths++)
        (void)json_array_append_new(array, json_string(*paths));
    return array;
}

/* What the host starts it from; not public. */
static json_t *start_object(const struct launch *launch, const char *folder, json_t *words)
{
    char conversation[UUID_SIZE];
    json_t *start;

    uuid_generate(conversation);
    start = json_pack("{s:o, s:s, s:[], s:[], s:i, s:i, s:s?, s:s, s:n}", "argv", words, "cwd", folder, "set",
                      "unset", "cols", launch->cols, "rows", launch->rows, "prompt", launch->prompt,
                      "session_id", conversation, "resume_id");
    if (launch->timeout_s > 0)
        (void)json_object_set_new(start, "timeout_s", json_real(launch->timeout_s));
    if (launch->headless)
        (void)json_object_set_new(start, "headless", json_true());
    if (launch->own_files != NULL && launch->own_files[0] != NULL)
        (void)json_object_set_new(start, "ignore", paths_array(launch->own_files));
    if (launch->crew != NULL)
        (void)json_object_set_new(start, "crew", json_string_or_null(launch->crew));
    return start;
}

static json_t *session_object(const struct launch *launch, const char *uuid, const char *folder,
                              json_t *words)
{
    char now[CLOCK_RFC3339_SIZE], machine[HOST_NAME_MAX + 1] = "";
    json_t *start = start_object(launch, folder, words), *session;

    clock_format_rfc3339(clock_realtime_ms(), now);
    (void)gethostname(machine, sizeof machine - 1);
    session = json_pack(
        "{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:n, s:s, s:s, s:n, s:n, s:i, s:s, s:s, s:n, s:n, s:n}", "id",
        uuid, "name", launch->name != NULL ? launch->name : "", "agent", launch->agent, "mode", launch->mode,
        "account", launch->account, "runner", "local", "cwd", folder, "worktree", "machine", machine,
        "connection", "ok", "host_pid", "pid", "attempt", 0, "phase", "initializing", "phase_since", now,
        "phase_until", "evidence", "title");
    (void)json_object_update_new(
        session,
        json_pack("{s:n, s:[], s:i, s:i, s:n, s:n, s:n, s:n, s:[], s:[], s:n, s:n, s:s, s:n, s:n, s:o}",
                  "agent_session_id", "agent_session_ids", "cols", launch->cols, "rows", launch->rows,
                  "model", "context_pct", "usage", "resources", "pending_approvals", "queue", "last_error",
                  "exit", "created_at", now, "recording", "progress_pct", "start", start));
    return session;
}

/* ---- the folder and the name ---- */

/* A session that has ended gives its name away, but its host stays for a few seconds: it is asked to leave. */
static bool yields(const char *name)
{
    char uuid[UUID_SIZE];
    struct error error;
    json_t *session = session_dir_find(cli_state_dir(), name, false, uuid, &error) < 0
                          ? NULL
                          : cli_session(uuid, CLI_CALL_TIMEOUT_MS, &error);
    bool ended = session_phase_ended(json_member_string(session, "phase", ""));

    json_decref(session);
    return ended && cli_leave(uuid, &error) == 0;
}

/* The working folder's name as far as it can be a session's, else the agent's. */
static void base_name(const char *folder, const char *agent, char base[NAME_MAX_LENGTH + 1])
{
    const char *last = strrchr(folder, '/');
    size_t used = 0;

    for (const char *at = last != NULL ? last + 1 : folder; *at != '\0' && used < 40; at++)
        base[used++] = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z')
                           ? *at
                           : '-';
    base[used] = '\0';
    if (!name_valid(base))
        (void)strlcpy(base, agent, NAME_MAX_LENGTH + 1);
}

static int claim(const struct launch *launch, const char *uuid, const char *folder, json_t *session,
                 struct error *error)
{
    char name[NAME_MAX_LENGTH + 1], base[NAME_MAX_LENGTH + 1];
    int created;

    if (launch->name == NULL) {
        base_name(folder, launch->agent, base);
        return session_dir_create_numbered(cli_state_dir(), uuid, base, session, name, error);
    }
    created = session_dir_create(cli_state_dir(), uuid, launch->name, session, error);
    if (created < 0 && yields(launch->name))
        created = session_dir_create(cli_state_dir(), uuid, launch->name, session, error);
    return created;
}

/* The request with everything in it, and what it needs: the folder, and the words of the program; free both. */
static int complete(const struct launch *launch, const struct config *config, struct launch *whole,
                    char **folder, json_t **words, struct error *error)
{
    *whole = *launch;
    *folder = NULL;
    *words = NULL;
    error->code = 0;
    if (check_agent(launch, error) < 0 || check_rest(launch, error) < 0)
        return -1;
    whole->agent = choose_agent(launch, config, error);
    if (whole->agent == NULL)
        return -1;
    whole->mode = choose_mode(launch, whole->agent);
    whole->cols = launch->cols > 0 ? launch->cols : 120;
    whole->rows = launch->rows > 0 ? launch->rows : 40;
    *folder = working_folder(launch->folder, error);
    if (*folder == NULL ||
        (launch->account != NULL && start_check_account(config, whole->agent, launch->account, error) < 0))
        return -1;
    *words = launch->command != NULL ? command_words(launch->command, error)
                                     : agent_words(config, agent_catalogue_find(whole->agent), error);
    return *words == NULL ? -1 : 0;
}

int launch_check(const struct launch *launch, const struct config *config, struct error *error)
{
    struct launch whole;
    char *folder;
    json_t *words;
    int result = complete(launch, config, &whole, &folder, &words, error);

    free(folder);
    json_decref(words);
    return result;
}

json_t *launch_create(const struct launch *launch, const struct config *config, char uuid[UUID_SIZE],
                      struct error *error)
{
    struct launch whole;
    json_t *words, *session = NULL;
    char *folder;

    (void)cli_runtime_dir();
    if (complete(launch, config, &whole, &folder, &words, error) == 0) {
        (void)session_lost_settle_all(cli_state_dir());
        sweep_begin(config);
        uuid_generate(uuid);
        session = session_object(&whole, uuid, folder, words);
        if (claim(&whole, uuid, folder, session, error) < 0) {
            json_decref(session);
            session = NULL;
        }
    }
    free(folder);
    return session;
}

/* ---- starting it ---- */

/* Keeper and host could not be started at all: nobody else would ever say that the session failed. */
static void note_failure(const char *uuid, const struct error *why)
{
    struct error error;
    json_t *session = session_dir_read(cli_state_dir(), uuid, &error);
    char now[CLOCK_RFC3339_SIZE];

    if (session != NULL && strcmp(json_member_string(session, "phase", ""), "initializing") == 0 &&
        session_dir_alive(cli_state_dir(), uuid, &error) == 0) {
        clock_format_rfc3339(clock_realtime_ms(), now);
        (void)json_object_set_new(session, "phase", json_string("failed"));
        (void)json_object_set_new(session, "phase_since", json_string(now));
        (void)json_object_set_new(
            session, "exit",
            json_pack("{s:s, s:n, s:n, s:s}", "state", "failed", "code", "signal", "at", now));
        (void)json_object_set_new(session, "last_error",
                                  json_pack("{s:s, s:s, s:o, s:n}", "class", "resource", "code",
                                            "start_failed", "message", json_string_or_null(why->text),
                                            "hint"));
        (void)session_dir_write(cli_state_dir(), uuid, session, &error);
    }
    json_decref(session);
}

json_t *launch_start(const struct launch *launch, const char *uuid, struct error *error)
{
    json_t *session = session_dir_read(cli_state_dir(), uuid, error), *started = NULL;
    char *folder;
    pid_t keeper, host;

    error->code = 0;
    if (session == NULL)
        return NULL;
    folder = session_dir_path(cli_state_dir(), uuid);
    if (runner_local_start(uuid, folder, json_member_string(session, "cwd", "/"), launch->lifeline, &keeper,
                           &host, error) == 0)
        started = start_await(uuid, 1, START_TIMEOUT_MS, error);
    if (started == NULL)
        note_failure(uuid, error);
    free(folder);
    json_decref(session);
    return started;
}
