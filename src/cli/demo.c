#include "cli/cli.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/path.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_demo = {"demo", "Start",
                                     "a crew of stand-in agents, to see what the dashboard does",
                                     "usage: ganger demo [--keep | --list]\n"
                                     "\n"
                                     "Starts a crew of scripted stand-in agents and opens the dashboard on "
                                     "them. No account and no network is needed. The crew ends\n"
                                     "and is removed when the dashboard is left.\n"
                                     "\n"
                                     "  --keep   leave the crew running\n"
                                     "  --list   print what the crew shows, and start nothing\n"
                                     "\n"
                                     "example: ganger demo\n",
                                     run};

static const struct scene {
    const char *name, *scenario, *shows;
} scenes[] = {
    {"demo-think", "think", "thinks for a while, uses a tool, answers, and begins again"},
    {"demo-stream", "stream", "streams a long answer"},
    {"demo-approve", "approve", "asks for permission and waits for you"},
    {"demo-limit", "limit", "has hit a usage limit and counts down to its reset"},
    {"demo-fail", "fail", "ends with an error; what it printed stays readable"},
    {"demo-idle", "echo", "waits for a prompt: press p, or Enter and type"},
};
#define SCENES (sizeof scenes / sizeof scenes[0])

extern char **environ;

/* Runs this program with other arguments, quietly, and returns its exit code. */
static int run_self(const char *const words[], bool quiet)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (quiet)
        (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, "/proc/self/exe", &actions, NULL, (char *const *)(uintptr_t)words, environ) == 0) {
        while (waitpid(pid, &status, 0) < 0)
            continue;
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

/* Returns how many were started; fewer than SCENES after an error, which was printed. */
static size_t start_crew(const char *program, const char *folder)
{
    for (size_t i = 0; i < SCENES; i++) {
        const char *const words[] = {"ganger", "run",          "-d", "-C",    folder,
                                     "-n",     scenes[i].name, "--", program, scenes[i].scenario,
                                     NULL};
        if (run_self(words, false) != EXIT_OK)
            return i;
    }
    return SCENES;
}

static void end_crew(size_t started)
{
    for (size_t i = 0; i < started; i++)
        (void)run_self((const char *const[]){"ganger", "kill", scenes[i].name, NULL}, true);
    for (size_t i = 0; i < started; i++)
        (void)run_self((const char *const[]){"ganger", "rm", scenes[i].name, NULL}, true);
}

static bool runs_already(void)
{
    char uuid[UUID_SIZE];
    struct error error;
    json_t *session = session_dir_find(cli_state_dir(), scenes[0].name, false, uuid, &error) < 0
                          ? NULL
                          : cli_session(uuid, CLI_CALL_TIMEOUT_MS, &error);
    const json_t *phase = json_object_get(session, "phase");
    bool result = json_is_string(phase) && !session_phase_ended(json_string_value(phase));

    json_decref(session);
    return result;
}

/* The crew's own working folder, so that it shows nothing of the user's. Allocated, or NULL. */
static char *demo_folder(struct error *error)
{
    char *folder = path_join(cli_state_dir(), "demo");

    if (path_make_dirs(folder, 0700, error) == 0)
        return folder;
    free(folder);
    return NULL;
}

static int list(void)
{
    for (size_t i = 0; i < SCENES; i++)
        (void)printf("%-14s %s\n", scenes[i].name, scenes[i].shows);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"keep", no_argument, NULL, 'k'}, {"list", no_argument, NULL, 'l'}, CLI_HELP_OPTION, {0}};
    bool keep = false;
    struct error error;
    char *program, *folder;
    size_t started;
    int code = EXIT_FAILED;

    for (int option; (option = cli_option(&command_demo, argc, argv, ":h", options)) != -1;) {
        if (option == 'l')
            return list();
        keep = true;
    }
    cli_operands(&command_demo, argc, 0, 0);
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return cli_errorf("demo", "there is no terminal for the dashboard");
    if (runs_already())
        return cli_errorf("demo",
                          "a demo runs already: `ganger attach` shows it, `ganger kill %s` and so on end it",
                          scenes[0].name);
    program = path_installed("ganger-fake", &error);
    if (program == NULL)
        return cli_error("demo", &error);
    folder = demo_folder(&error);
    if (folder == NULL)
        return cli_error("demo", &error);
    started = start_crew(program, folder);
    if (started == SCENES)
        code = cli_open_dashboard(NULL, false, false);
    if (!keep || started < SCENES)
        end_crew(started);
    free(folder);
    free(program);
    return code;
}
