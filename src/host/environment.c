#include "host/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/host.h"
#include "store/session_dir.h"

#define VALUE_MAX (64 * 1024)
#define COMMAND_MS 10000

extern char **environ;

/* Variables of the terminal that ganger itself runs in: they would mislead the agent. */
static const char *const foreign[] = {"TMUX",
                                      "TMUX_PANE",
                                      "STY",
                                      "WINDOW",
                                      "VTE_VERSION",
                                      "TERM_PROGRAM",
                                      "TERM_PROGRAM_VERSION",
                                      "COLUMNS",
                                      "LINES",
                                      "TERMCAP",
                                      "GANGER_TOKEN",
                                      "KITTY_*",
                                      "WEZTERM_*",
                                      "ITERM_*",
                                      "ALACRITTY_*",
                                      "GHOSTTY_*",
                                      "KONSOLE_*"};

/* ---- values ---- */

static char *first_line(char *text)
{
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}

/* Reads what a child prints until it closes its end or the time is over. */
static int read_output(int from, struct buffer *out)
{
    int64_t deadline = host_now_ms() + COMMAND_MS;

    while (out->length < VALUE_MAX) {
        struct pollfd waited = {.fd = from, .events = POLLIN};
        int64_t left = deadline - host_now_ms();
        ssize_t got;
        if (left <= 0 || poll(&waited, 1, (int)left) == 0)
            return -1;
        got = read(from, buffer_reserve(out, 4096), 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        out->length += (size_t)got;
    }
    return 0;
}

static int spawn_command(const json_t *command, int output, pid_t *pid)
{
    size_t count = json_array_size(command);
    char **argv = xcalloc(count + 1, sizeof *argv);
    posix_spawn_file_actions_t actions;
    int result;

    for (size_t i = 0; i < count; i++)
        argv[i] = xstrdup(json_string_value(json_array_get(command, i)));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    result = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < count; i++)
        free(argv[i]);
    free(argv);
    return result;
}

static char *value_of_command(const char *name, const json_t *command, struct error *error)
{
    const char *program = json_string_value(json_array_get(command, 0));
    int ends[2], status = 0, result;
    struct buffer out;
    pid_t pid;

    if (program == NULL || pipe2(ends, O_CLOEXEC) < 0) {
        error_errno(error, "cannot run the command for %s", name);
        return NULL;
    }
    result = spawn_command(command, ends[1], &pid);
    close(ends[1]);
    buffer_init(&out);
    if (result == 0) {
        result = read_output(ends[0], &out) < 0 ? ETIMEDOUT : 0;
        if (result != 0)
            (void)kill(pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
    }
    close(ends[0]);
    if (result == 0 && status == 0)
        return first_line(buffer_steal(&out));
    buffer_finish(&out);
    errno = result;
    if (result != 0)
        error_errno(error, "%s: cannot run %s", name, program);
    else
        error_set(error, "%s: %s failed", name, program);
    return NULL;
}

/* A value of the configuration: text, {"file"} or {"command"}. Allocated. */
static char *value_of(const char *name, const json_t *value, struct error *error)
{
    const char *file = json_member_string(value, "file", NULL);
    const json_t *command = json_object_get(value, "command");
    size_t length;
    char *text;

    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (command != NULL)
        return value_of_command(name, command, error);
    if (file == NULL || path_read_file(file, VALUE_MAX, &text, &length, error) < 0)
        return NULL;
    return first_line(text);
}

/* ---- the environment ---- */

static void set(struct environment *environment, const char *name, const char *value)
{
    char *text = xasprintf("%s=%s", name, value);

    arguments_add(&environment->set, text);
    free(text);
}

static int set_all(struct environment *environment, const json_t *values, struct error *error)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)values, name, value)
    {
        char *text = value_of(name, value, error);
        if (text == NULL)
            return -1;
        set(environment, name, text);
        free(text);
    }
    return 0;
}

static void unset_foreign(struct environment *environment)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        size_t length = strcspn(*entry, "=");
        char *name = xstrndup(*entry, length);
        for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
            if (fnmatch(foreign[i], name, 0) == 0)
                arguments_add(&environment->unset, name);
        }
        free(name);
    }
}

static void add_strings(const json_t *list, struct arguments *out)
{
    size_t index;
    json_t *text;

    json_array_foreach(list, index, text)
    {
        if (json_is_string(text))
            arguments_add(out, json_string_value(text));
    }
}

static int gather(struct host *host, const char *account, struct environment *environment,
                  struct error *error)
{
    const json_t *agent = config_agent(host->config, host->driver->name);
    const json_t *login = account == NULL ? NULL : config_account(host->config, account);

    unset_foreign(environment);
    for (size_t i = 0; account != NULL && host->agent->scrubbed[i] != NULL; i++)
        arguments_add(&environment->unset, host->agent->scrubbed[i]);
    add_strings(json_object_get(host->session.start, "unset"), &environment->unset);
    add_strings(json_object_get(host->session.start, "set"), &environment->set);
    if (set_all(environment, json_object_get(agent, "env"), error) < 0 ||
        set_all(environment, json_object_get(login, "env"), error) < 0)
        return -1;
    set(environment, "TERM", "xterm-256color");
    set(environment, "COLORTERM", "truecolor");
    set(environment, "GANGER_NAME", session_name(&host->session));
    set(environment, "GANGER_RUNTIME_DIR", host->runtime_dir);
    set(environment, "GANGER_TOKEN", host->hooks.token);
    if (json_member_bool(agent, "keep_children", 0))
        set(environment, "GANGER_KEEP_CHILDREN", "1");
    return 0;
}

static const char *variable(void *argument, const char *name)
{
    const struct environment *environment = argument;
    size_t length = strlen(name);

    for (size_t i = environment->set.count; i > 0; i--) {
        const char *text = environment->set.items[i - 1];
        if (strncmp(text, name, length) == 0 && text[length] == '=')
            return text + length + 1;
    }
    for (size_t i = 0; i < environment->unset.count; i++) {
        if (strcmp(environment->unset.items[i], name) == 0)
            return NULL;
    }
    return getenv(name);
}

/* The agent is made to report, unless its driver knows no way. */
static void inject(struct host *host, struct environment *environment)
{
    char *command, *folder;
    struct agent_side side = {
        .variable = variable, .argument = environment, .argv = &environment->argv, .set = &environment->set};

    usage_file_begin(host, variable, environment);
    if (host->driver->inject == NULL)
        return;
    command = hooks_command(host);
    folder = session_dir_path(host->state_dir, host->uuid);
    side.hook = command;
    side.folder = folder;
    if (command != NULL)
        host->driver->inject(&side);
    else
        log_warning("the program ganger is not beside its host: the agent's hooks are not used");
    free(folder);
    free(command);
}

int environment_init(struct environment *environment, struct host *host, const struct attempt_start *start,
                     struct error *error)
{
    const char *account = json_member_string(host->session.object, "account", NULL);
    const struct agent_start agent = {.mode = stream_mode(host) ? AGENT_MODE_STREAM : AGENT_MODE_TUI,
                                      .prompt = start->prompt,
                                      .session_id = start->session_id,
                                      .resume_id = start->resume_id};

    arguments_init(&environment->argv);
    arguments_init(&environment->set);
    arguments_init(&environment->unset);
    add_strings(json_object_get(host->session.start, "argv"), &environment->argv);
    if (environment->argv.count == 0)
        return error_set(error, "session.json does not say what to run");
    if (gather(host, account, environment, error) < 0)
        return -1;
    if (agent.mode == AGENT_MODE_TUI)
        inject(host, environment);
    host->driver->arguments(&agent, &environment->argv);
    return 0;
}

void environment_finish(struct environment *environment)
{
    arguments_finish(&environment->argv);
    arguments_finish(&environment->set);
    arguments_finish(&environment->unset);
}
