#include "host/environment.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/accounting.h"
#include "host/host.h"
#include "host/secrets.h"
#include "runner/account.h"
#include "store/session_dir.h"

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

/* ---- the environment ---- */

static void set(struct environment *environment, const char *name, const char *value)
{
    char *text = xasprintf("%s=%s", name, value);

    arguments_add(&environment->set, text);
    free(text);
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

/* What the agent and its account add; the directory of the account must be there. */
static int add_account(struct host *host, const char *account, struct environment *environment,
                       struct error *error)
{
    struct account_environment own;
    int result = account_environment_init(&own, host->config, host->driver->name, account, error);

    if (result == 0 && account_check(&own, host->driver->name, account, error) < 0) {
        environment->account_gone = true;
        result = -1;
    }
    for (size_t i = 0; i < own.unset_count; i++)
        arguments_add(&environment->unset, own.unset[i]);
    for (size_t i = 0; i < own.set_count; i++)
        arguments_add(&environment->set, own.set[i]);
    account_environment_finish(&own);
    return result;
}

static int gather(struct host *host, const char *account, struct environment *environment,
                  struct error *error)
{
    const json_t *agent = config_agent(host->config, host->driver->name);

    unset_foreign(environment);
    add_strings(json_object_get(host->session.start, "unset"), &environment->unset);
    add_strings(json_object_get(host->session.start, "set"), &environment->set);
    if (add_account(host, account, environment, error) < 0)
        return -1;
    secrets_learn(host, environment->set.items, environment->set.count);
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

static void begin(struct environment *environment)
{
    environment->account_gone = false;
    arguments_init(&environment->argv);
    arguments_init(&environment->set);
    arguments_init(&environment->unset);
}

int environment_plain(struct environment *environment, struct host *host, struct error *error)
{
    begin(environment);
    return gather(host, json_member_string(host->session.object, "account", NULL), environment, error);
}

int environment_init(struct environment *environment, struct host *host, const struct attempt_start *start,
                     struct error *error)
{
    const char *account = json_member_string(host->session.object, "account", NULL);
    const struct agent_start agent = {.mode = stream_mode(host) ? AGENT_MODE_STREAM : AGENT_MODE_TUI,
                                      .prompt = start->prompt,
                                      .session_id = start->session_id,
                                      .resume_id = start->resume_id};

    begin(environment);
    add_strings(json_object_get(host->session.start, "argv"), &environment->argv);
    if (environment->argv.count == 0)
        return error_set(error, "session.json does not say what to run");
    if (gather(host, account, environment, error) < 0)
        return -1;
    accounting_begin(host, variable, environment);
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
