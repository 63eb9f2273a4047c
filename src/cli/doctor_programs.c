#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "config/config.h"
#include "runner/command.h"

#define TIMEOUT_MS 5000
#define OUTPUT_MAX 4096
#define WORDS_MAX 16

/* An agent whose program is asked for its version. */
struct asked {
    const struct agent_entry *agent;
    char *path; /* NULL: there is no such program */
    bool own;   /* the configuration says the command */
    const char *argv[WORDS_MAX + 2];
};

/* ---- agents ---- */

static void fill_argv(struct asked *asked, const struct config *config)
{
    const json_t *own = config != NULL ? config_agent(config, asked->agent->name) : NULL;
    const json_t *command = json_object_get(own, "command");
    size_t count = 0;

    for (; count < json_array_size(command) && count < WORDS_MAX; count++)
        asked->argv[count] = json_string_value(json_array_get(command, count));
    asked->own = count > 0;
    if (!asked->own)
        asked->argv[count++] = asked->agent->program;
    asked->argv[count] = "--version";
    asked->path = asked->argv[0] != NULL ? program_path(asked->argv[0]) : NULL;
}

/* What mends it: an installation, or for a command of the configuration a look at that. */
static const char *mends(const struct asked *asked)
{
    return asked->own ? "ganger config show" : asked->agent->install;
}

static void note_missing(struct doctor *doctor, const struct asked *asked, bool is_wanted)
{
    const struct agent_entry *agent = asked->agent;

    if (is_wanted)
        doctor_note(doctor, agent->name, HEALTH_WARN, mends(asked),
                    "%s: the configuration names it, but there is no program %s", agent->title,
                    asked->argv[0]);
    else
        doctor_note(doctor, agent->name, HEALTH_OK, NULL, "%s is not installed%s%s", agent->title,
                    agent->install != NULL ? "; this installs it: " : "",
                    agent->install != NULL ? agent->install : "");
}

static void note_version(struct doctor *doctor, const struct asked *asked, const struct command_run *run)
{
    const char *name = asked->agent->name, *output = run->output.length > 0 ? run->output.bytes : "";
    int length;

    output += strspn(output, " \t\r\n");
    length = (int)strcspn(output, "\r\n");
    if (run->problem == ETIMEDOUT)
        doctor_note(doctor, name, HEALTH_WARN, mends(asked), "%s does not tell its version within %d s",
                    asked->path, TIMEOUT_MS / 1000);
    else if (run->problem != 0)
        doctor_note(doctor, name, HEALTH_BAD, mends(asked), "%s cannot be run: %s", asked->path,
                    strerror(run->problem));
    else if (run->exit != 0)
        doctor_note(doctor, name, HEALTH_BAD, mends(asked), "%s --version ends with %d: %.*s", asked->path,
                    run->exit, length < 200 ? length : 200, output);
    else
        doctor_note(doctor, name, HEALTH_OK, NULL, "%s, %.*s", asked->path, length < 200 ? length : 200,
                    output);
}

/* Whether a default or an account of the configuration is of this agent. */
static bool is_wanted(const struct config *config, const char *agent)
{
    json_t *account, *accounts;
    const char *name;
    bool found;

    if (config == NULL)
        return false;
    found = config_agent(config, agent) != NULL;
    accounts = json_deep_copy(config_accounts(config));
    json_object_foreach(accounts, name, account)
    {
        (void)name;
        found = found || strcmp(json_member_string(account, "agent", ""), agent) == 0;
    }
    json_decref(accounts);
    return found;
}

/* ---- the terminal ---- */

static void note_colours(struct doctor *doctor, const char *term, const struct command_run *tput)
{
    const char *direct = getenv("COLORTERM");
    long colours = tput->output.length > 0 ? strtol(tput->output.bytes, NULL, 10) : 0;

    if (term == NULL || *term == '\0' || strcmp(term, "dumb") == 0)
        doctor_note(doctor, "terminal", HEALTH_WARN, "export TERM=xterm-256color",
                    "TERM is %s: the dashboard cannot drive such a terminal",
                    term == NULL || *term == '\0' ? "not set" : term);
    else if (tput->problem != 0)
        doctor_note(doctor, "terminal", HEALTH_WARN, NULL, "%s; `tput` is not there to tell more of it",
                    term);
    else if (tput->exit != 0)
        doctor_note(doctor, "terminal", HEALTH_BAD, "export TERM=xterm-256color",
                    "TERM is %s, which is not known on this machine", term);
    else if (direct != NULL && (strcmp(direct, "truecolor") == 0 || strcmp(direct, "24bit") == 0))
        doctor_note(doctor, "terminal", HEALTH_OK, NULL, "%s, 16 million colours", term);
    else if (colours < 8)
        doctor_note(doctor, "terminal", HEALTH_WARN, "export TERM=xterm-256color", "%s has no colours", term);
    else
        doctor_note(doctor, "terminal", HEALTH_OK, NULL, "%s, %ld colours", term, colours);
}

static void note_locale(struct doctor *doctor)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    const char *codeset = locale != (locale_t)0 ? nl_langinfo_l(CODESET, locale) : NULL;

    if (codeset == NULL)
        doctor_note(doctor, "locale", HEALTH_WARN, "export LANG=C.UTF-8",
                    "the locale that LANG and LC_ALL name is not installed");
    else if (strcmp(codeset, "UTF-8") != 0)
        doctor_note(doctor, "locale", HEALTH_WARN, "export LANG=C.UTF-8",
                    "the locale's text is %s: programs will not show all signs", codeset);
    else
        doctor_note(doctor, "locale", HEALTH_OK, NULL, "UTF-8");
    if (locale != (locale_t)0)
        freelocale(locale);
}

/* ---- all of it ---- */

static void note_agents(struct doctor *doctor, const struct asked *asked, size_t count,
                        const struct command_run *runs, const struct config *config)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (asked[i].path == NULL) {
            note_missing(doctor, &asked[i], is_wanted(config, asked[i].agent->name));
            continue;
        }
        found++;
        note_version(doctor, &asked[i], runs++);
    }
    if (found == 0)
        doctor_note(doctor, "agents", HEALTH_WARN, NULL,
                    "no agent is installed: `ganger demo` shows stand-ins");
}

void doctor_check_programs(struct doctor *doctor)
{
    static const char *const tput[] = {"tput", "colors", NULL};
    struct config *config = config_load(NULL, NULL);
    size_t agents, count = 0, running = 0;
    const struct agent_entry *catalogue = agent_catalogue(&agents);
    struct asked *asked = xcalloc(agents, sizeof *asked);
    struct command_run *runs = xcalloc(agents + 1, sizeof *runs);

    for (size_t i = 0; i < agents; i++) {
        if (catalogue[i].program == NULL)
            continue;
        asked[count].agent = &catalogue[i];
        fill_argv(&asked[count], config);
        if (asked[count].path != NULL)
            runs[running++] =
                (struct command_run){.argv = asked[count].argv, .limit = OUTPUT_MAX, .with_errors = true};
        count++;
    }
    runs[running] = (struct command_run){.argv = tput, .limit = OUTPUT_MAX};
    command_run_all(runs, running + 1, TIMEOUT_MS);
    note_agents(doctor, asked, count, runs, config);
    note_colours(doctor, getenv("TERM"), &runs[running]);
    note_locale(doctor);
    for (size_t i = 0; i <= running; i++)
        command_run_finish(&runs[i]);
    for (size_t i = 0; i < count; i++)
        free(asked[i].path);
    free(runs);
    free(asked);
    config_destroy(config);
}
