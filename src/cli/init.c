#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/buffer.h"
#include "base/path.h"
#include "cli/first_config.h"
#include "config/crew.h"

static int run(int argc, char **argv);

const struct command command_init = {
    "init", "Start", "write a first crew file, or a first configuration",
    "usage: ganger init [--config] [--force]\n"
    "\n"
    "Writes ./ganger.json, a crew file with a session of each agent that is installed and a shell, to be "
    "changed: ganger-crew(5) lists\n"
    "its keys, `ganger up` starts its sessions. A file that exists is left as it is.\n"
    "\n"
    "  --config   write the configuration instead (`ganger config path`), with an account for each login "
    "that is found: an agent's\n"
    "             own directory, such as ~/.claude, the one that the environment names, and others beside "
    "it, such as ~/.claude-work\n"
    "  --force    replace a file that exists\n"
    "\n"
    "example: ganger init && ganger up\n",
    run};

/* ---- a crew ---- */

static void add_agent(json_t *sessions, const char *name, bool first)
{
    const char *text =
        first ? "It waits for a prompt. With the key prompt it begins with that one; account, mode, "
                "cwd, size and timeout_s are as in `ganger run --help`."
              : "";
    json_t *session = json_object();

    if (*text != '\0')
        (void)json_object_set_new(session, "description", json_string(text));
    (void)json_object_set_new(session, "agent", json_string(name));
    (void)json_object_set_new(sessions, name, session);
}

static json_t *first_crew(void)
{
    json_t *sessions = json_object();
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        char *path = entries[i].program != NULL ? program_path(entries[i].program) : NULL;
        if (path != NULL)
            add_agent(sessions, entries[i].name, json_object_size(sessions) == 0);
        free(path);
    }
    (void)json_object_set_new(sessions, "shell",
                              json_pack("{s:s, s:[s]}", "description",
                                        "Any program runs in a pane: this one, a server, the tests.",
                                        "command", "bash"));
    return json_pack("{s:s, s:{s:s}, s:o}", "description",
                     "A crew: `ganger up` starts these sessions, `ganger down` ends them. The keys are in "
                     "ganger-crew(5).",
                     "defaults", "cwd", ".", "sessions", sessions);
}

/* ---- writing ---- */

static int write_values(const char *folder, const char *name, const json_t *values, bool force,
                        struct error *error)
{
    char *path = path_join(folder, name);
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = -1;
    struct stat status;

    if (directory < 0) {
        (void)error_errno(error, "cannot open %s", folder);
    } else if (!force && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        (void)error_set(error, "%s is there already; --force replaces it", path);
    } else if (fstatat(directory, name, &status, 0) == 0 && S_ISDIR(status.st_mode)) {
        (void)error_set(error, "%s is a folder", path);
    } else {
        struct buffer text = {0};
        char *dumped = json_dumps(values, JSON_INDENT(2));
        buffer_printf(&text, "%s\n", dumped);
        result = path_write_atomic(directory, name, text.bytes, text.length, error);
        buffer_finish(&text);
        free(dumped);
    }
    if (directory >= 0)
        close(directory);
    free(path);
    return result;
}

static int init_crew(bool force, struct error *error)
{
    json_t *crew = first_crew();
    const json_t *sessions = json_object_get(crew, "sessions");
    int result = write_values(".", CREW_FILE, crew, force, error);

    if (result == 0)
        (void)printf("%s is written, with %zu session%s: `ganger up` starts %s\n", CREW_FILE,
                     json_object_size(sessions), json_object_size(sessions) == 1 ? "" : "s",
                     json_object_size(sessions) == 1 ? "it" : "them");
    json_decref(crew);
    return result;
}

static int init_config(bool force, struct error *error)
{
    char *folder = path_config_dir(error), *path;
    json_t *config;
    size_t count;
    int result;

    if (folder == NULL)
        return -1;
    config = first_config();
    count = json_object_size(json_object_get(config, "accounts"));
    path = path_join(folder, "config.json");
    result = path_make_dirs(folder, 0700, error) < 0
                 ? -1
                 : write_values(folder, "config.json", config, force, error);
    if (result == 0)
        (void)printf("%s is written, with %zu account%s: `ganger accounts` lists them\n", path, count,
                     count == 1 ? "" : "s");
    json_decref(config);
    free(path);
    free(folder);
    return result;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", no_argument, NULL, 'c'}, {"force", no_argument, NULL, 'f'}, CLI_HELP_OPTION, {0}};
    bool config = false, force = false;
    struct error error;

    for (int option; (option = cli_option(&command_init, argc, argv, ":h", options)) != -1;) {
        config |= option == 'c';
        force |= option == 'f';
    }
    cli_operands(&command_init, argc, 0, 0);
    if ((config ? init_config(force, &error) : init_crew(force, &error)) < 0)
        return cli_error("init", &error);
    return EXIT_OK;
}
