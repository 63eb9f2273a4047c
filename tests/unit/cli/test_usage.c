#include "command.h"
#include "test.h"

static bool says(const char *text)
{
    return strstr(command_output, text) != NULL;
}

__attribute__((constructor)) static void private_folders(void)
{
    char *folder = scratch_folder();

    command_folders(folder);
    free(folder);
}

TEST(every_command_has_help)
{
    size_t count;
    const struct command *const *commands = cli_commands(&count);

    CHECK(count >= 19);
    for (size_t i = 0; i < count; i++) {
        CHECK_NUMBER(COMMAND(commands[i]->name, "--help"), 0);
        CHECK(strncmp(command_output, "usage: ganger ", 14) == 0);
        CHECK(says("\nexample: "));
        CHECK_STRING(command_output, commands[i]->help);
        CHECK_NUMBER(COMMAND("--help"), 0);
        CHECK(says(commands[i]->summary));
    }
}

TEST(version_and_dashboard)
{
    CHECK_NUMBER(COMMAND("--version"), 0);
    CHECK_STRING(command_output, "ganger " GANGER_VERSION "\n");
    CHECK_NUMBER(run_words((const char *const[]){"ganger", NULL}), 0);
    CHECK_STRING(command_output, "dashboard - 0 0\n");
    CHECK_NUMBER(COMMAND("attach", "--read-only"), 0);
    CHECK_STRING(command_output, "dashboard - 1 0\n");
}

TEST(bad_usage_is_2_and_says_what)
{
    static const struct {
        const char *words[8];
        const char *text;
    } cases[] = {
        {{"ganger", "sned"}, "did you mean `ganger send`?"},
        {{"ganger", "zzzzzz"}, "`ganger --help` lists them"},
        {{"ganger", "--frobnicate"}, "--frobnicate: no such option"},
        {{"ganger", "--record=x"}, "a headless run needs a prompt"},
        {{"ganger", "ls", "--nope"}, "ganger: ls: unknown option --nope"},
        {{"ganger", "ls", "-q"}, "ganger: ls: unknown option -q"},
        {{"ganger", "ls", "--json=1"}, "takes no value"},
        {{"ganger", "ls", "word"}, "too many words"},
        {{"ganger", "show"}, "ganger: show: name a session\n"},
        {{"ganger", "rm"}, "ganger: rm: name a session, or give --ended\n"},
        {{"ganger", "resume"}, "ganger: resume: name a session, or give --all\n"},
        {{"ganger", "keys", "s"}, "ganger: keys: KEY is missing\n"},
        {{"ganger", "send", "s"}, "ganger: send: TEXT is missing\n"},
        {{"ganger", "search"}, "ganger: search: PATTERN is missing\n"},
        {{"ganger", "config"}, "ganger: config: a word is missing\n"},
        {{"ganger", "send", "s", "t", "--timeout"}, "--timeout needs a value"},
        {{"ganger", "send", "s", "t", "--timeout", "1x", "--wait"}, "1x is not a number of seconds"},
        {{"ganger", "send", "s", "t", "--timeout", "1"}, "--timeout goes with --wait"},
        {{"ganger", "send", "s", "t", "--priority", "high"}, "expected now, next or later"},
        {{"ganger", "events", "--since", "-1"}, "-1 is not a whole number"},
        {{"ganger", "events", "--types", "phase,phases"}, "phases: no such type"},
        {{"ganger", "wait", "s", "--for", "idle,bored"}, "bored: no such phase"},
        {{"ganger", "wait", "s"}, "give --for or --prompt"},
        {{"ganger", "wait", "s", "--for", "idle", "--prompt", "x"}, "give --for or --prompt"},
        {{"ganger", "snapshot", "s", "--ansi", "--svg"}, "exclude each other"},
        {{"ganger", "logs", "s", "--raw", "-f"}, "exclude each other"},
        {{"ganger", "attach", "--raw"}, "--raw needs a session"},
        {{"ganger", "rpc", "s", "m", "[]"}, "PARAMS is not a JSON object"},
        {{"ganger", "config", "nope"}, "expected path, check, show, schema or rules"},
        {{"ganger", "run", "-d", "-a", "emacs"}, "-a emacs: expected claude, codex"},
        {{"ganger", "run", "-d", "-m", "films"}, "-m films: expected tui or stream"},
        {{"ganger", "replay", "--json", "x"}, "go with --detect"},
        {{"ganger", "run", "-d", "--worktree"}, "--worktree is not available"},
        {{"ganger", "run", "-d", "--runner", "ssh"}, "--runner other than local is not available"},
        {{"ganger", "run", "-d", "--record"}, "-d and --record exclude each other"},
        {{"ganger", "run", "-d", "--size", "1x9", "--", "true"}, "expected COLUMNSxROWS"},
        {{"ganger", "run", "-d", "--size", "80x24x1", "--", "true"}, "expected COLUMNSxROWS"},
        {{"ganger", "run", "-d", "-n", "a/b", "--", "true"}, "a name is a letter or digit"},
        {{"ganger", "run", "-d", "hello", "--", "true"}, "exclude each other"},
        {{"ganger", "run", "-d", "--"}, "there is no command after --"},
        {{"ganger", "run", "-d", "-a", "command"}, "needs a command after --"},
        {{"ganger", "run", "-d", "-a", "claude", "--", "true"}, "goes with -a command"},
        {{"ganger", "run", "--", "true"}, "add -d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code = run_words(cases[i].words);
        if (code != 2 || !says(cases[i].text))
            TEST_FAIL("%s %s: exit code %d, %s", cases[i].words[1],
                      cases[i].words[2] ? cases[i].words[2] : "", code, command_output);
        CHECK(strncmp(command_output, "ganger: ", 8) == 0);
    }
}

TEST(what_cannot_be_done_is_1_and_says_why)
{
    CHECK_NUMBER(COMMAND("show", "nobody"), 1);
    CHECK(says("ganger: no session \"nobody\""));
    CHECK_NUMBER(COMMAND("run", "-d", "-C", "/no/such/folder", "--", "true"), 1);
    CHECK(says("the working folder /no/such/folder: No such file"));
    CHECK_NUMBER(COMMAND("run", "-d", "-C", "/etc/passwd", "--", "true"), 1);
    CHECK(says("is not a folder"));
    CHECK_NUMBER(COMMAND("run", "-d", "--", "no-such-program-here"), 1);
    CHECK(says("it is not on PATH"));
    (void)setenv("PATH", "/nowhere", 1);
    CHECK_NUMBER(COMMAND("run", "-d", "-a", "codex"), 1);
    CHECK(says("codex is not on PATH; `npm install -g @openai/codex` installs it"));
    CHECK_NUMBER(COMMAND("run", "-d", "-a", "claude", "a\033b"), 1);
    CHECK(says("the control byte 0x1b at position 1"));
}

TEST(options_may_stand_anywhere_before_two_dashes)
{
    CHECK_NUMBER(COMMAND("ls", "--json"), 0);
    CHECK_STRING(command_output, "[]\n");
    CHECK_NUMBER(COMMAND("show", "nobody", "--json"), 1);
    CHECK_NUMBER(COMMAND("show", "--json", "nobody"), 1);
    CHECK_NUMBER(COMMAND("show", "--", "--json"), 1);
    CHECK(says("no session \"--json\""));
}

TEST_MAIN
