#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/cli.h"
#include "cli/replay_export.h"
#include "cli/replay_play.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_replay = {
    .name = "replay",
    .group = "Look",
    .summary = "play, search, export a recording, or run phase detection over it",
    .help =
        "usage: ganger replay [--speed N] [--at TIME] [--idle S] [--attempt N] [--size CxR] [--raw] "
        "SESSION|FILE\n"
        "       ganger replay --export FILE [--format cast|text|html] [--attempt N|all] [--force] "
        "SESSION|FILE\n"
        "       ganger replay --detect [--json] [--agent AGENT] [--rules FILE] [--ignore SOURCE,…] "
        "SESSION|FILE\n"
        "\n"
        "Plays what an agent printed, in the terminal: Space plays and pauses, + and - change the speed, "
        "arrows\n"
        "seek, / searches, ? shows all keys. Without a terminal on standard output it prints the recorded "
        "bytes\n"
        "at their times. FILE is an asciicast of any tool, also compressed. A session that runs is "
        "followed.\n"
        "\n"
        "  --speed N        so many times as fast (1)\n"
        "  --at TIME        begin there, paused: seconds or h:mm:ss\n"
        "  --idle S         cut pauses at so many seconds (3 in the terminal); 0 plays them in full\n"
        "  --attempt N      this attempt of the session, else the last; with --export also \"all\"\n"
        "  --size CxR       a screen of that size, whatever the recording says\n"
        "  --raw            print the bytes, to a terminal too\n"
        "  --export FILE    write it as an asciicast (.cast), as text (.txt) or as a page that plays in a\n"
        "                   browser without a network (.html); - is standard output\n"
        "  --format FORMAT  cast, text or html, whatever the file is called\n"
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
        "example: ganger replay api-fix\n",
    .run = run,
};

struct replay {
    bool detect, json;
    const char *agent, *rules, *ignore;
    const char *attempt;
    struct replay_play play;
    struct replay_export export;
};

/* ---- detection ---- */

/* The host's program does it: the rules and the machine are those that work live. */
static int detect(const struct replay *replay, const struct replay_origin *origin)
{
    const char *agent = replay->agent != NULL ? replay->agent : origin->agent;
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
    if (origin->file == NULL) {
        argv[count++] = "--attempt";
        argv[count++] = origin->attempt;
    }
    argv[count++] = "--";
    argv[count++] = origin->file != NULL ? origin->file : session_dir_path(cli_state_dir(), origin->uuid);
    (void)execv(program, (char *const *)(uintptr_t)argv);
    error_errno(&error, "cannot run %s", program);
    cli_die("replay", &error);
}

/* ---- options ---- */

static void take_option(struct replay *replay, int option)
{
    const char **const texts[] = {
        ['a'] = &replay->agent,         ['r'] = &replay->rules,         ['i'] = &replay->ignore,
        ['e'] = &replay->export.output, ['f'] = &replay->export.format, ['A'] = &replay->attempt,
        ['s'] = &replay->play.speed,    ['t'] = &replay->play.at,       ['p'] = &replay->play.idle,
        ['z'] = &replay->play.size};

    if (option == 'd')
        replay->detect = true;
    else if (option == 'j')
        replay->json = true;
    else if (option == 'b')
        replay->play.raw = true;
    else if (option == 'F')
        replay->export.force = true;
    else
        *texts[option] = optarg;
}

static void check_options(const struct replay *replay)
{
    const struct replay_export *export = &replay->export;
    const struct replay_play *play = &replay->play;

    if (!replay->detect &&
        (replay->json || replay->agent != NULL || replay->rules != NULL || replay->ignore != NULL))
        cli_usage_error(&command_replay, "--json, --agent, --rules and --ignore go with --detect");
    if (replay->detect && export->output != NULL)
        cli_usage_error(&command_replay, "--export and --detect do not go together");
    if (export->output == NULL && (export->format != NULL || export->force))
        cli_usage_error(&command_replay, "--format and --force go with --export");
    if (export->output == NULL && replay->attempt != NULL && strcmp(replay->attempt, "all") == 0)
        cli_usage_error(&command_replay, "--attempt all goes with --export");
    if ((replay->detect || export->output != NULL) &&
        (play->speed != NULL || play->at != NULL || play->idle != NULL || play->size != NULL || play->raw))
        cli_usage_error(&command_replay, "--speed, --at, --idle, --size and --raw are for playing");
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
                                            {"at", required_argument, NULL, 't'},
                                            {"idle", required_argument, NULL, 'p'},
                                            {"size", required_argument, NULL, 'z'},
                                            {"raw", no_argument, NULL, 'b'},
                                            CLI_HELP_OPTION,
                                            {0}};
    struct replay replay = {.detect = false};
    struct replay_origin origin;
    int result;

    for (int option; (option = cli_option(&command_replay, argc, argv, ":h", options)) != -1;)
        take_option(&replay, option);
    cli_operands(&command_replay, argc, 1, 1);
    check_options(&replay);
    replay_find(&origin, argv[optind], replay.attempt);
    if (replay.export.output != NULL)
        result = replay_export(&replay.export, &origin);
    else
        result = replay.detect ? detect(&replay, &origin) : replay_play(&replay.play, &origin, argv[optind]);
    replay_origin_finish(&origin);
    return result;
}
