#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/replay_export.h"
#include "store/recording.h"
#include "store/session_dir.h"

#define SPEED_MAX 1000.0

static int run(int argc, char **argv);

const struct command command_replay = {
    .name = "replay",
    .group = "Look",
    .summary = "play a recording, or run phase detection over it",
    .help =
        "usage: ganger replay [--speed N] SESSION|FILE\n"
        "       ganger replay --export FILE [--format cast|text|html] [--attempt N|all] [--force] "
        "SESSION|FILE\n"
        "       ganger replay --detect [--json] [--agent AGENT] [--rules FILE] [--ignore SOURCE,…] "
        "SESSION|FILE\n"
        "\n"
        "Plays what an agent printed, or prints the phases that detection finds in it.\n"
        "\n"
        "  --speed N        so many times as fast (1)\n"
        "  --export FILE    write it as an asciicast (.cast), as text (.txt) or as a page that plays in a\n"
        "                   browser without a network (.html); - is standard output\n"
        "  --format FORMAT  cast, text or html, whatever the file is called\n"
        "  --attempt N|all  export this attempt of the session, or all one after another; else the last\n"
        "  --force          replace FILE\n"
        "  --detect         print the phases: second, phase, source, what made it so\n"
        "  --json           one object a line: {\"t\", \"phase\", \"source\", \"detail\"}\n"
        "  --agent AGENT    whose rules to use; else the session's agent, or the one whose screen it is\n"
        "  --rules FILE     rules to try, in place of the installed ones\n"
        "  --ignore S,…     leave out sources of evidence: status, title, screen, user …\n"
        "\n"
        "To repair a rule: copy it to agents/AGENT.json in the configuration folder, change it, and run\n"
        "`ganger replay --detect` again. Running sessions use it as soon as it is saved.\n"
        "\n"
        "example: ganger replay --detect api-fix\n",
    .run = run,
};

struct replay {
    bool detect, json;
    const char *agent, *rules, *ignore;
    double speed;
    struct replay_export export;
    char *file;
    char *session_agent;
};

/* ---- which recording ---- */

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* A file of that name, else the recording of a session's last attempt. */
static void find_recording(struct replay *replay, const char *operand)
{
    char uuid[UUID_SIZE];
    struct error error;
    json_t *session;
    const char *name;

    if (is_file(operand)) {
        replay->file = xstrdup(operand);
        return;
    }
    if (strchr(operand, '/') != NULL) {
        error_set(&error, "%s: %s", operand, strerror(errno));
        cli_die("replay", &error);
    }
    cli_find(operand, true, uuid);
    session = session_dir_read(cli_state_dir(), uuid, &error);
    if (session == NULL)
        cli_die(operand, &error);
    name = json_member_string(json_object_get(session, "recording"), "path", "");
    if (*name == '\0') {
        error_set(&error, "it has no recording yet");
        cli_die(operand, &error);
    }
    replay->file =
        name[0] == '/' ? xstrdup(name) : xasprintf("%s/sessions/%s/%s", cli_state_dir(), uuid, name);
    replay->session_agent = xstrdup(json_member_string(session, "agent", "command"));
    json_decref(session);
}

/* ---- detection ---- */

/* The host's program does it: the rules and the machine are those that work live. */
static int detect(const struct replay *replay)
{
    const char *agent = replay->agent != NULL ? replay->agent : replay->session_agent;
    const char *argv[16] = {"ganger-host", "detect"};
    size_t count = 2;
    struct error error;
    char *program = path_installed("ganger-host", &error);

    if (program == NULL)
        cli_die("replay", &error);
    if (replay->json)
        argv[count++] = "--json";
    if (agent != NULL) {
        argv[count++] = "--agent";
        argv[count++] = agent;
    }
    if (replay->rules != NULL) {
        argv[count++] = "--rules";
        argv[count++] = replay->rules;
    }
    if (replay->ignore != NULL) {
        argv[count++] = "--ignore";
        argv[count++] = replay->ignore;
    }
    argv[count++] = "--";
    argv[count++] = replay->file;
    (void)execv(program, (char *const *)(uintptr_t)argv);
    error_errno(&error, "cannot run %s", program);
    cli_die("replay", &error);
}

/* ---- playing ---- */

static void wait_until(const struct timespec *start, double seconds)
{
    struct timespec at = *start;
    double whole = floor(seconds);

    at.tv_sec += (time_t)whole;
    at.tv_nsec += (long)((seconds - whole) * 1e9);
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

static int play(const struct replay *replay)
{
    static const char restore[] =
        "\033[!p\033[?1049l\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l\033[?25h\033[0m\r\n";
    struct error error;
    struct recording_event event;
    struct recording_reader *reader = NULL;
    struct timespec start;
    int got, file = open(replay->file, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        error_errno(&error, "cannot read %s", replay->file);
    else
        reader = recording_reader_create(file, 0, 0, &error);
    if (reader == NULL)
        return cli_error("replay", &error);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    while ((got = recording_reader_next(reader, &event, &error)) == 1) {
        if (event.type != 'o')
            continue;
        wait_until(&start, event.seconds / replay->speed);
        if (fwrite(event.text, 1, event.length, stdout) != event.length || fflush(stdout) != 0)
            break;
    }
    recording_reader_destroy(reader);
    if (isatty(STDOUT_FILENO))
        (void)fputs(restore, stdout);
    return got < 0 ? cli_error("replay", &error) : EXIT_OK;
}

static double read_speed(const char *text)
{
    char *end;
    double speed = strtod(text, &end);

    if (*text == '\0' || *end != '\0' || !(speed > 0 && speed <= SPEED_MAX))
        cli_usage_error(&command_replay, "--speed %s: expected a number above 0, at most 1000", text);
    return speed;
}

static void take_option(struct replay *replay, int option)
{
    const char **const texts[] = {
        ['a'] = &replay->agent,         ['r'] = &replay->rules,         ['i'] = &replay->ignore,
        ['e'] = &replay->export.output, ['f'] = &replay->export.format, ['A'] = &replay->export.attempt};

    if (option == 's')
        replay->speed = read_speed(optarg);
    else if (option == 'd')
        replay->detect = true;
    else if (option == 'j')
        replay->json = true;
    else if (option == 'F')
        replay->export.force = true;
    else
        *texts[option] = optarg;
}

static void check_options(const struct replay *replay)
{
    const struct replay_export *export = &replay->export;

    if (!replay->detect &&
        (replay->json || replay->agent != NULL || replay->rules != NULL || replay->ignore != NULL))
        cli_usage_error(&command_replay, "--json, --agent, --rules and --ignore go with --detect");
    if (replay->detect && export->output != NULL)
        cli_usage_error(&command_replay, "--export and --detect do not go together");
    if (export->output == NULL && (export->format != NULL || export->attempt != NULL || export->force))
        cli_usage_error(&command_replay, "--format, --attempt and --force go with --export");
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"speed", required_argument, NULL, 's'},
                                            {"detect", no_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"agent", required_argument, NULL, 'a'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"ignore", required_argument, NULL, 'i'},
                                            {"export", required_argument, NULL, 'e'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"attempt", required_argument, NULL, 'A'},
                                            {"force", no_argument, NULL, 'F'},
                                            CLI_HELP_OPTION,
                                            {0}};
    struct replay replay = {.speed = 1};
    int result;

    for (int option; (option = cli_option(&command_replay, argc, argv, ":h", options)) != -1;)
        take_option(&replay, option);
    cli_operands(&command_replay, argc, 1, 1);
    check_options(&replay);
    if (replay.export.output != NULL)
        return replay_export(&replay.export, argv[optind]);
    find_recording(&replay, argv[optind]);
    result = replay.detect ? detect(&replay) : play(&replay);
    free(replay.file);
    free(replay.session_agent);
    return result;
}
