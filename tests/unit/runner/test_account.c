#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "runner/account.h"
#include "runner/command.h"
#include "scratch.h"
#include "test.h"

static struct config *config_of(const char *text)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "config.json", text, strlen(text));
    struct error error = {0};
    struct config *config = config_load(path, &error);

    if (config == NULL)
        abort();
    free(path);
    free(folder);
    return config;
}

static bool has(char *const *list, const char *text)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, text) == 0)
            return true;
    }
    return false;
}

TEST(values_come_from_text_files_and_commands)
{
    char *folder = scratch_folder(), *file = scratch_file(folder, "value", "first\r\nsecond\n", 14);
    char *text =
        xasprintf("{\"agents\": {\"claude\": {\"env\": {\"A\": \"agent\", \"B\": \"agent\"}}},"
                  "\"accounts\": {\"work\": {\"agent\": \"claude\", \"env\": {\"B\": \"account\","
                  "\"F\": {\"file\": \"%s\"}, \"C\": {\"command\": [\"sh\", \"-c\", \"echo one; echo two\"]},"
                  "\"E\": {\"command\": [\"true\"]}}}}}",
                  file);
    struct config *config = config_of(text);
    struct account_environment environment;
    struct error error = {0};

    CHECK_NUMBER(account_environment_init(&environment, config, "claude", "work", &error), 0);
    CHECK(has(environment.set, "A=agent") && has(environment.set, "F=first"));
    CHECK(has(environment.set, "C=one") && has(environment.set, "E="));
    CHECK_STRING(account_environment_value(&environment, "B"), "account");
    CHECK(has(environment.unset, "ANTHROPIC_API_KEY") && has(environment.unset, "CLAUDE_CONFIG_DIR"));
    account_environment_finish(&environment);

    CHECK_NUMBER(account_environment_init(&environment, config, "claude", NULL, &error), 0);
    CHECK_NUMBER(environment.unset_count, 0);
    CHECK_NUMBER(environment.set_count, 2);
    account_environment_finish(&environment);
    config_destroy(config);
    free(text);
    free(file);
    free(folder);
}

/* What goes wrong names the variable and never a value. */
TEST(values_that_cannot_be_had)
{
    static const struct {
        const char *value, *said;
    } cases[] = {
        {"{\"file\": \"/nowhere/key\"}", "K: "},
        {"{\"command\": [\"sh\", \"-c\", \"echo SECRET; echo SECRET >&2; exit 3\"]}",
         "K: sh failed with exit code 3"},
        {"{\"command\": [\"/nowhere/program\"]}",
         "K: cannot run /nowhere/program: No such file or directory"},
        {"{\"command\": [\"sh\", \"-c\", \"echo SECRET; kill -9 $$\"]}", "K: sh failed with exit code 137"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = xasprintf("{\"accounts\": {\"w\": {\"agent\": \"claude\", \"env\": {\"K\": %s}}}}",
                               cases[i].value);
        struct config *config = config_of(text);
        struct account_environment environment;
        struct error error = {0};
        CHECK_NUMBER(account_environment_init(&environment, config, "claude", "w", &error), -1);
        CHECK(strncmp(error.text, cases[i].said, strlen(cases[i].said)) == 0);
        CHECK(strstr(error.text, "SECRET") == NULL);
        account_environment_finish(&environment);
        config_destroy(config);
        free(text);
    }
}

TEST(a_child_has_the_environment)
{
    struct config *config = config_of(
        "{\"accounts\": {\"w\": {\"agent\": \"codex\", \"env\": {\"K\": \"v\", \"PATH\": \"/p\"}}}}");
    struct account_environment environment;
    struct error error = {0};
    char **child;

    CHECK(setenv("CODEX_API_KEY", "other", 1) == 0 && setenv("KEPT", "yes", 1) == 0);
    CHECK_NUMBER(account_environment_init(&environment, config, "codex", "w", &error), 0);
    CHECK(account_environment_value(&environment, "CODEX_API_KEY") == NULL);
    child = account_environ(&environment);
    CHECK(has(child, "K=v") && has(child, "KEPT=yes") && has(child, "PATH=/p"));
    CHECK(!has(child, "CODEX_API_KEY=other"));
    account_environ_free(child);
    account_environment_finish(&environment);
    config_destroy(config);
}

static void check_directory(const char *agent, const char *env, const char *expected)
{
    char *text = xasprintf("{\"accounts\": {\"w\": {\"agent\": \"%s\", \"env\": {%s}}}}", agent, env);
    struct config *config = config_of(text);
    struct account_environment environment;
    struct error error = {0};
    char *directory;

    CHECK_NUMBER(account_environment_init(&environment, config, agent, "w", &error), 0);
    directory = account_directory(&environment, agent);
    CHECK_STRING(directory != NULL ? directory : "(none)", expected);
    free(directory);
    account_environment_finish(&environment);
    config_destroy(config);
    free(text);
}

TEST(directories)
{
    CHECK(setenv("HOME", "/h", 1) == 0 && setenv("CLAUDE_CONFIG_DIR", "/ambient", 1) == 0);
    CHECK(unsetenv("XDG_DATA_HOME") == 0);
    check_directory("claude", "", "/h/.claude");
    check_directory("claude", "\"CLAUDE_CONFIG_DIR\": \"/w//\"", "/w");
    check_directory("claude", "\"CLAUDE_CONFIG_DIR\": \"~/w\"", "/h/w");
    check_directory("claude", "\"HOME\": \"/other\"", "/other/.claude");
    check_directory("codex", "", "/h/.codex");
    check_directory("gemini", "", "/h/.gemini");
    check_directory("gemini", "\"GEMINI_CLI_HOME\": \"/g\"", "/g/.gemini");
    check_directory("opencode", "", "/h/.local/share/opencode");
    check_directory("opencode", "\"XDG_DATA_HOME\": \"/d\"", "/d/opencode");
    check_directory("qwen", "", "/h/.qwen");
    check_directory("pi", "", "/h/.pi/agent");
    check_directory("command", "", "(none)");
}

static void check_login(const char *agent, const char *directory, const char *expected)
{
    char *command = account_login_command(agent, directory);

    CHECK_STRING(command, expected);
    free(command);
}

TEST(commands_that_log_in)
{
    check_login("claude", "/w", "CLAUDE_CONFIG_DIR=/w claude auth login");
    check_login("claude", NULL, "claude auth login");
    check_login("codex", "/my w/it's", "CODEX_HOME='/my w/it'\\''s' codex login");
    check_login("gemini", "/g", "GEMINI_CLI_HOME=/g gemini");
    check_login("opencode", NULL, "opencode auth login");
}

TEST(a_directory_that_is_named_must_be_there)
{
    char *folder = scratch_folder(), *file = scratch_file(folder, "file", "x", 1);
    char *text = xasprintf(
        "{\"accounts\": {\"own\": {\"agent\": \"codex\"},"
        "\"there\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"%s\"}},"
        "\"gone\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"%s/gone\"}},"
        "\"later\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": {\"command\": [\"/nowhere\"]}}},"
        "\"file\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"%s\"}}}}",
        folder, folder, file);
    char *said = xasprintf(
        "account gone: there is no directory %s/gone: `mkdir -p %s/gone && CODEX_HOME=%s/gone codex "
        "login` makes the login",
        folder, folder, folder);
    struct config *config = config_of(text);
    struct error error = {0};

    CHECK(setenv("HOME", "/nowhere", 1) == 0);
    CHECK_NUMBER(account_check_named(config, "codex", "own", &error), 0);
    CHECK_NUMBER(account_check_named(config, "codex", "there", &error), 0);
    CHECK_NUMBER(account_check_named(config, "codex", "later", &error), 0);
    CHECK_NUMBER(account_check_named(config, "codex", "gone", &error), -1);
    CHECK_NUMBER(error.code, ENOENT);
    CHECK_STRING(error.text, said);
    CHECK_NUMBER(account_check_named(config, "codex", "file", &error), -1);
    CHECK_NUMBER(error.code, ENOTDIR);
    config_destroy(config);
    free(said);
    free(text);
    free(file);
    free(folder);
}

/* ---- runner/command.h ---- */

static struct command_run shell(const char *const argv[], size_t limit)
{
    return (struct command_run){.argv = argv, .limit = limit, .with_errors = true};
}

TEST(commands_run_beside_each_other)
{
    static const char *const talks[] = {"sh", "-c", "echo out; echo err >&2; exit 4", NULL};
    static const char *const much[] = {"sh", "-c", "yes | head -c 300000", NULL};
    static const char *const none[] = {"/nowhere/program", NULL};
    static const char *const endless[] = {"sh", "-c", "echo begun; sleep 600", NULL};
    struct command_run runs[] = {shell(talks, 100), shell(much, 1000), shell(none, 100), shell(endless, 100)};

    command_run_all(runs, 4, 1500);
    CHECK_NUMBER(runs[0].problem, 0);
    CHECK_NUMBER(runs[0].exit, 4);
    CHECK_STRING(runs[0].output.bytes, "out\nerr\n");
    CHECK_NUMBER(runs[1].exit, 0);
    CHECK_NUMBER(runs[1].output.length, 1000);
    CHECK_NUMBER(runs[2].problem, ENOENT);
    CHECK_NUMBER(runs[3].problem, ETIMEDOUT);
    CHECK_STRING(runs[3].output.bytes, "begun\n");
    for (size_t i = 0; i < 4; i++)
        command_run_finish(&runs[i]);
}

TEST(a_command_that_is_talked_to)
{
    static const char *const echoes[] = {"sh", "-c", "cat; echo the end", NULL};
    struct command_run run = shell(echoes, 100), never = shell(echoes, 100);
    struct command_run both[2];

    run.input = "one\ntwo\n";
    run.until = "tw";
    never.input = "one\n";
    never.until = "two";
    both[0] = run;
    both[1] = never;
    command_run_all(both, 2, 1000);
    CHECK_NUMBER(both[0].problem, 0);
    CHECK_NUMBER(both[0].exit, 0);
    CHECK_STRING(both[0].output.bytes, "one\ntwo\n");
    CHECK_NUMBER(both[1].problem, ETIMEDOUT);
    command_run_finish(&both[0]);
    command_run_finish(&both[1]);
}

/* What holds the other end of the pipe is gone when that end is closed. */
TEST(what_a_command_leaves_behind_is_ended)
{
    char *folder = scratch_folder(), *pipe = path_join(folder, "pipe");
    const char *const leaves[] = {"sh", "-c", "sleep 600 >\"$1\" & echo begun", "sh", pipe, NULL};
    struct command_run run = shell(leaves, 100);
    struct pollfd waited = {.events = POLLIN};
    char byte;

    CHECK(mkfifo(pipe, 0600) == 0);
    waited.fd = open(pipe, O_RDWR | O_CLOEXEC);
    CHECK(waited.fd >= 0);
    command_run_all(&run, 1, 20000);
    CHECK_NUMBER(run.exit, 0);
    CHECK_STRING(run.output.bytes, "begun\n");
    command_run_finish(&run);
    close(waited.fd);
    waited.fd = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK(waited.fd >= 0);
    if (read(waited.fd, &byte, 1) < 0)
        CHECK_NUMBER(poll(&waited, 1, 5000), 1);
    CHECK_NUMBER(read(waited.fd, &byte, 1), 0);
    close(waited.fd);
    free(pipe);
    free(folder);
}

TEST_MAIN
